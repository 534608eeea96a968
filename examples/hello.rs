//! A world of WIT, bindings for it, a host that serves it, and a component that greets whom the host names.
//!
//! `cargo run --example hello -- wörld`

use cellule::component::{Component, HasSelf, Linker, bindgen};
use cellule::{Engine, Result, Store};

bindgen!({
    inline: r#"
        package my:project;

        world hello-world {
            import name: func() -> string;
            export greet: func() -> string;
        }
    "#,
});

/// The host: what it serves is in the store's data.
struct Host {
    name: String,
}

impl HelloWorldImports for Host {
    fn name(&mut self) -> String {
        self.name.clone()
    }
}

fn greet(name: &str) -> Result<String> {
    let engine = Engine::default();
    // A component in text; a `.wasm` file is read by `std::fs::read`.
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/hello.wat");
    let component = Component::new(&engine, wat::parse_file(path)?)?;

    let mut linker = Linker::new(&engine);
    HelloWorld::add_to_linker::<_, HasSelf<_>>(&mut linker, |host: &mut Host| host)?;

    let name = name.to_string();
    let mut store = Store::new(&engine, Host { name });
    let hello = HelloWorld::instantiate(&mut store, &component, &linker)?;
    hello.call_greet(&mut store)
}

fn main() -> Result<()> {
    let name = std::env::args().nth(1).unwrap_or("world".into());
    println!("{}", greet(&name)?);
    Ok(())
}

#[test]
fn the_guest_greets_whom_the_host_names() {
    assert_eq!(greet("wörld").unwrap(), "hello, wörld");
}
