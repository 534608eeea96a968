//! How much memory guests of a store may have: limits in numbers, and a limiter that is asked and keeps
//! count.
//!
//! `cargo run --example limits`

use cellule::component::{Component, Linker, bindgen};
use cellule::{Engine, ResourceLimiter, Result, Store, StoreLimits, StoreLimitsBuilder};

bindgen!({
    inline: r#"
        package my:plugins;

        world plugin {
            /// How many pages of 64 KiB there were before, or -1 if there can't be so many more.
            export grow: func(pages: u32) -> s32;
        }
    "#,
});

const MIB: usize = 1 << 20;

/// An instance, in a store whose data has a limiter.
fn plugin<L: ResourceLimiter + Send + 'static>(limiter: L) -> Result<(Store<L>, Plugin)> {
    let engine = Engine::default();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/plugin.wat");
    let component = Component::new(&engine, wat::parse_file(path)?)?;
    let mut store = Store::new(&engine, limiter);
    store.limiter(|limiter| limiter);
    let plugin = Plugin::instantiate(&mut store, &component, &Linker::new(&engine))?;
    Ok((store, plugin))
}

/// What memory may be at most, in numbers.
fn at_most(bytes: usize, trap: bool) -> StoreLimits {
    StoreLimitsBuilder::new()
        .memory_size(bytes)
        .instances(3)
        .trap_on_grow_failure(trap)
        .build()
}

/// All memories of a store together, from a budget; what was taken isn't given back.
struct Budget {
    left: usize,
    refused: u32,
}

impl ResourceLimiter for Budget {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> Result<bool> {
        let Some(left) = self.left.checked_sub(desired - current) else {
            self.refused += 1;
            return Ok(false);
        };
        self.left = left;
        Ok(true)
    }

    fn table_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> Result<bool> {
        Ok(desired <= 1000)
    }
}

fn main() -> Result<()> {
    let (mut store, small) = plugin(at_most(MIB, false))?;
    println!("15 pages more: {}", small.call_grow(&mut store, 15)?);
    println!("one page more: {}", small.call_grow(&mut store, 1)?);

    let (mut store, strict) = plugin(at_most(MIB, true))?;
    let error = strict.call_grow(&mut store, 16).err();
    println!("16 pages where that is a trap: {error:?}");

    let left = 2 * MIB;
    let (mut store, counted) = plugin(Budget { left, refused: 0 })?;
    counted.call_grow(&mut store, 20)?;
    counted.call_grow(&mut store, 20)?;
    let Budget { left, refused } = store.into_data();
    println!("{left} bytes of the budget are left, {refused} times it was too small");
    Ok(())
}

#[test]
fn a_guest_gets_no_more_memory_than_the_store_allows() {
    let (mut store, small) = plugin(at_most(MIB, false)).unwrap();
    assert_eq!(small.call_grow(&mut store, 15).unwrap(), 1);
    assert_eq!(small.call_grow(&mut store, 1).unwrap(), -1);
    let (mut store, strict) = plugin(at_most(MIB, true)).unwrap();
    assert!(strict.call_grow(&mut store, 16).is_err());
    assert!(plugin(at_most(MIB / 32, false)).is_err());
}

#[test]
fn a_limiter_of_the_hosts_own_keeps_count() {
    let budget = Budget {
        left: 2 * MIB,
        refused: 0,
    };
    let (mut store, counted) = plugin(budget).unwrap();
    assert_eq!(counted.call_grow(&mut store, 20).unwrap(), 1);
    assert_eq!(counted.call_grow(&mut store, 20).unwrap(), -1);
    let Budget { left, refused } = store.into_data();
    assert_eq!((left, refused), (2 * MIB - 21 * 65_536, 1));
}
