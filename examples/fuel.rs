//! A plug-in that is given so much fuel for each call: one that doesn't end is ended, and the others in the
//! store go on.
//!
//! `cargo run --example fuel`

use cellule::component::{Component, Linker, bindgen};
use cellule::{Config, Engine, Result, Store, Trap};

bindgen!({
    inline: r#"
        package my:plugins;

        world plugin {
            export sum: func(to: u32) -> u64;
            export spin: func();
        }
    "#,
});

/// What a call may use.
const BUDGET: u64 = 100_000;

/// Two instances of one plug-in, in one store.
struct Plugins {
    store: Store<()>,
    first: Plugin,
    second: Plugin,
}

impl Plugins {
    fn load() -> Result<Plugins> {
        let engine = Engine::new(Config::new().consume_fuel(true))?;
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/plugin.wat");
        let component = Component::new(&engine, wat::parse_file(path)?)?;
        let linker = Linker::new(&engine);
        let mut store = Store::new(&engine, ());
        // Instantiation is charged too.
        store.set_fuel(BUDGET)?;
        let first = Plugin::instantiate(&mut store, &component, &linker)?;
        let second = Plugin::instantiate(&mut store, &component, &linker)?;
        Ok(Plugins {
            store,
            first,
            second,
        })
    }

    /// Makes a call with the whole budget; its result, and what it used.
    fn call<R>(
        &mut self,
        call: impl FnOnce(&Plugin, &Plugin, &mut Store<()>) -> Result<R>,
    ) -> Result<(R, u64)> {
        self.store.set_fuel(BUDGET)?;
        let result = call(&self.first, &self.second, &mut self.store)?;
        Ok((result, BUDGET - self.store.get_fuel()?))
    }
}

fn main() -> Result<()> {
    let mut plugins = Plugins::load()?;
    let (sum, used) = plugins.call(|first, _, store| first.call_sum(store, 1000))?;
    println!("the sum is {sum}, for {used} units of fuel");
    let spun = plugins.call(|first, _, store| first.call_spin(store));
    match spun.map_err(|error| error.trap()) {
        Err(Some(Trap::OutOfFuel)) => println!("`spin` was ended: {}", Trap::OutOfFuel),
        other => println!("`spin` ended otherwise: {other:?}"),
    }
    let again = plugins.call(|first, _, store| first.call_sum(store, 1));
    println!("what was ended isn't entered again: {}", again.is_err());
    let (sum, _) = plugins.call(|_, second, store| second.call_sum(store, 10))?;
    println!("the other one lives on: {sum}");
    Ok(())
}

#[test]
fn a_call_without_end_is_ended_and_others_go_on() {
    let mut plugins = Plugins::load().unwrap();
    let sum = plugins.call(|first, _, store| first.call_sum(store, 1000));
    let (sum, used) = sum.unwrap();
    assert_eq!(sum, 500_500);
    assert!((1000..BUDGET).contains(&used), "{used}");
    let spun = plugins.call(|first, _, store| first.call_spin(store));
    assert_eq!(spun.unwrap_err().trap(), Some(Trap::OutOfFuel));
    let again = plugins.call(|first, _, store| first.call_sum(store, 1));
    assert_eq!(again.unwrap_err().trap(), Some(Trap::CannotEnterComponent));
    let other = plugins.call(|_, second, store| second.call_sum(store, 10));
    assert_eq!(other.unwrap().0, 55);
}
