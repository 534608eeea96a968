//! A component on a Cortex-M4: plain `.wasm` in flash, decoded, validated, linked and called there.
//!
//! Exits with 0 if the component answers what it should, with 1 otherwise.
#![no_std]
#![no_main]

extern crate alloc;

mod meter;

use alloc::string::{String, ToString};
use cellule::component::{Component, Instance, Linker};
use cellule::{Config, Engine, Limits, Result, Store, StoreContextMut};
use meter::CountingHeap;
use semihosting::{eprintln, println, process};

#[global_allocator]
static HEAP: CountingHeap = CountingHeap::new();

/// World `sensor` of `tests/guests/wit/sensor.wit`.
static SENSOR: &[u8] = include_bytes!("../../../tests/guests/rust-sensor.wasm");

const EXPECTED: &str = "greenhouse: mean 21.875 of 2 readings";

/// What the host functions work with: the readings of each channel, and how many lines were reported.
struct Board {
    channels: [f32; 2],
    reported: u32,
}

#[cortex_m_rt::entry]
fn main() -> ! {
    HEAP.init();
    match run() {
        Ok(true) => process::exit(0),
        Ok(false) => eprintln!("not the expected result"),
        Err(error) => eprintln!("error: {error}"),
    }
    process::exit(1)
}

/// A fault ends the program too: without this the processor would spin.
#[cortex_m_rt::exception]
unsafe fn HardFault(frame: &cortex_m_rt::ExceptionFrame) -> ! {
    eprintln!("{frame:?}");
    process::exit(1)
}

fn run() -> Result<bool> {
    let engine = Engine::new(Config::new().limits(Limits::mcu()))?;
    let board = Board {
        channels: [21.5, 22.25],
        reported: 0,
    };
    let mut store = Store::new(&engine, board);
    let component = measure("load", || Component::new(&engine, SENSOR))?;
    let linker = measure("link", || link(&engine))?;
    let instance = measure("instantiate", || linker.instantiate(&mut store, &component))?;
    let summary = measure("call", || sample(&mut store, &instance))?;
    println!("sample(\"greenhouse\", 3) = {summary}");
    Ok(summary == EXPECTED && store.data().reported == 3)
}

/// The two functions that the component imports.
fn link(engine: &Engine) -> Result<Linker<Board>> {
    let mut linker = Linker::new(engine);
    let mut root = linker.root();
    root.func_wrap(
        "read",
        |store: StoreContextMut<'_, Board>, (channel,): (u32,)| {
            let reading = store.data().channels.get(channel as usize);
            let reading = reading.copied().ok_or("no such channel".to_string());
            Ok((reading,))
        },
    )?;
    root.func_wrap(
        "report",
        |mut store: StoreContextMut<'_, Board>, (line,): (String,)| {
            println!("{line}");
            store.data_mut().reported += 1;
            Ok(())
        },
    )?;
    Ok(linker)
}

fn sample(store: &mut Store<Board>, instance: &Instance) -> Result<String> {
    let sample = instance.get_typed_func::<(&str, u32), (String,)>(&mut *store, "sample")?;
    let (summary,) = sample.call(store, ("greenhouse", 3))?;
    Ok(summary)
}

/// Does a step and prints what RAM it needed, in bytes: while, and after.
#[inline(never)]
fn measure<R>(step: &str, work: impl FnOnce() -> Result<R>) -> Result<R> {
    HEAP.restart();
    meter::paint_stack();
    let result = work()?;
    let stack = meter::stack_high_water();
    println!(
        "{step}: heap {} at most ({} after, reaching to {}), stack {stack} at most",
        HEAP.high_water(),
        HEAP.used(),
        HEAP.reach()
    );
    Ok(result)
}
