//! A component on a Cortex-M4: decoded, validated and measured from a plain `.wasm` in flash.
//!
//! Exits with 0 if everything gives what it should, with 1 otherwise.
#![no_std]
#![no_main]

mod meter;

use cellule::component::Component;
use cellule::{Config, Engine, Error, Limits, Linker, Module, Result, Store, Val};
use meter::CountingHeap;
use semihosting::{eprintln, println, process};

#[global_allocator]
static HEAP: CountingHeap = CountingHeap::new();

static SENSOR: &[u8] = include_bytes!("../../../tests/guests/rust-sensor.wasm");

/// `(func (export "double") (param i32) (result i32) (i32.mul (local.get 0) (call $two)))`, where
/// `two` is imported from `host`.
static DOUBLE: &[u8] = b"\0asm\x01\0\0\0\
    \x01\x0a\x02\x60\0\x01\x7f\x60\x01\x7f\x01\x7f\
    \x02\x0c\x01\x04host\x03two\0\0\
    \x03\x02\x01\x01\
    \x07\x0a\x01\x06double\0\x01\
    \x0a\x09\x01\x07\0\x20\0\x10\0\x6c\x0b";

#[cortex_m_rt::entry]
fn main() -> ! {
    HEAP.init();
    let engine = Engine::new(Config::new().limits(Limits::mcu()));
    match run(&engine) {
        Ok(true) => process::exit(0),
        Ok(false) => eprintln!("not the expected result"),
        Err(error) => eprintln!("error: {error}"),
    }
    process::exit(1)
}

fn run(engine: &Engine) -> Result<bool> {
    let doubled = measure("core module", || double(engine))?;
    println!("double(21) = {doubled}");
    let component = measure("component", || Component::new(engine, SENSOR))?;
    let found = component.get_export_index(None, "sample").is_some();
    Ok(doubled == 42 && found)
}

/// A fault ends the program too: without this the processor would spin.
#[cortex_m_rt::exception]
unsafe fn HardFault(frame: &cortex_m_rt::ExceptionFrame) -> ! {
    eprintln!("{frame:?}");
    process::exit(1)
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

#[inline(never)]
fn double(engine: &Engine) -> Result<i32> {
    let module = Module::new(engine, DOUBLE)?;
    let mut linker = Linker::new(engine);
    linker.func_wrap("host", "two", || 2i32)?;
    let mut store = Store::new(engine, ());
    let instance = linker.instantiate(&mut store, &module)?;
    let double = instance.get_func(&store, "double").expect("an export");
    let mut results = [Val::I32(0)];
    double.call(&mut store, &[Val::I32(21)], &mut results)?;
    match results {
        [Val::I32(doubled)] => Ok(doubled),
        _ => Err(Error::msg("no integer")),
    }
}
