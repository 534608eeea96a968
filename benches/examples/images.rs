//! What a component's image saves: from bytes to the end of the first call, and what checking it takes.
//!
//! `cargo run --release --manifest-path benches/Cargo.toml --no-default-features --example images`
//!
//! Takes turns, and prints medians: from `.wasm`, from the image in place, and from the image without the checks of
//! `from_image`. The difference of the last two is the check, told per byte of the image. A component file can be given as
//! an argument, and after it the path of an export without parameters, `instance#func`.

use cellule::component::{Component, Linker, Val};
use cellule::{Engine, Result, Store, bail};
use std::time::Instant;

const ROUNDS: usize = 101;

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let depot = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../tests/guests/rust-depot.wasm"
    );
    let file = args.first().map_or(depot, |file| file);
    let export = args
        .get(1)
        .map_or("cellule:depot/depot@1.2.0#alive", |path| path);
    let wasm = std::fs::read(file).expect("a readable file");
    let engine = Engine::default();
    let image = in_words(&Component::new(&engine, &wasm)?.to_image()?);

    let mut times = [const { Vec::new() }; 4];
    for _ in 0..ROUNDS {
        let mut take = |at: usize, run: &dyn Fn() -> Result<()>| {
            let begin = Instant::now();
            run()?;
            times[at].push(begin.elapsed().as_secs_f64() * 1e9);
            Ok::<(), cellule::Error>(())
        };
        take(0, &|| {
            first_call(&engine, Component::new(&engine, &wasm)?, export)
        })?;
        take(1, &|| {
            first_call(&engine, Component::from_image(&engine, image)?, export)
        })?;
        take(2, &|| Component::from_image(&engine, image).map(drop))?;
        // SAFETY: `to_image` has just made it.
        take(3, &|| {
            unsafe { Component::from_image_trusted(&engine, image) }.map(drop)
        })?;
    }
    let [wasm_ns, image_ns, checked, trusted] = times.map(median);
    println!("{file}: {} bytes, as an image {}", wasm.len(), image.len());
    println!("| from            | to the end of the first call, µs | ratio |");
    println!("|-----------------|---------------------------------:|------:|");
    println!("| `.wasm`         | {:32.1} | {:5.2} |", wasm_ns / 1e3, 1.0);
    println!(
        "| image, in place | {:32.1} | {:5.2} |",
        image_ns / 1e3,
        wasm_ns / image_ns
    );
    let size = image.len() as f64;
    println!(
        "loading the image: {:.1} µs, {:.2} ns a byte",
        checked / 1e3,
        checked / size
    );
    println!(
        "without the checks: {:.1} µs; so these are {:.2} ns a byte",
        trusted / 1e3,
        (checked - trusted) / size
    );
    Ok(())
}

/// Where it may be used in place: for ever, and at a multiple of eight.
fn in_words(image: &[u8]) -> &'static [u8] {
    let room = vec![0u8; image.len() + 7].leak();
    let start = room.as_ptr().align_offset(8);
    let place = &mut room[start..start + image.len()];
    place.copy_from_slice(image);
    place
}

fn first_call(engine: &Engine, component: Component, export: &str) -> Result<()> {
    let mut linker = Linker::<()>::new(engine);
    linker.define_unknown_imports_as_traps(&component)?;
    let mut store = Store::new(engine, ());
    let instance = linker.instantiate(&mut store, &component)?;
    let (outer, name) = export.split_once('#').unwrap_or(("", export));
    let outer = match outer {
        "" => None,
        outer => instance.get_export_index(&mut store, None, outer),
    };
    let Some(index) = instance.get_export_index(&mut store, outer.as_ref(), name) else {
        bail!("no export `{export}`");
    };
    let func = instance.get_func(&mut store, index);
    let func = func.ok_or_else(|| cellule::Error::msg("no function"))?;
    let mut results = vec![Val::Bool(false); func.ty(&store).results().len()];
    func.call(&mut store, &[], &mut results)
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
