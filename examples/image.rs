//! Runs a component from its image: all that a build without the feature `compile` needs.
//!
//! ```sh
//! cellule compile adder.wat -o adder.cell
//! cargo run --example image --no-default-features --features fast -- adder.cell add 1 2
//! ```
//! The program holds nothing of wasmparser, which CI checks.

use cellule::component::{Component, Linker};
use cellule::{Engine, Result, Store};

/// Calls an export of type `func(u32, u32) -> u32`.
fn call(image: Vec<u8>, name: &str, a: u32, b: u32) -> Result<u32> {
    let engine = Engine::default();
    // A device would have `include_image!` here, and `from_image`, which copies nothing.
    let component = Component::from_image_vec(&engine, image)?;
    let mut store = Store::new(&engine, ());
    let instance = Linker::new(&engine).instantiate(&mut store, &component)?;
    let func = instance.get_typed_func::<(u32, u32), (u32,)>(&mut store, name)?;
    Ok(func.call(&mut store, (a, b))?.0)
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, name, a, b] = &arguments[..] else {
        eprintln!("usage: image FILE.cell EXPORT NUMBER NUMBER");
        std::process::exit(2);
    };
    let number = |text: &str| text.parse().expect("a number");
    let image = std::fs::read(file).expect("a readable image");
    match call(image, name, number(a), number(b)) {
        Ok(result) => println!("{result}"),
        Err(error) => {
            eprintln!("error: {error:#}");
            std::process::exit(1);
        }
    }
}
