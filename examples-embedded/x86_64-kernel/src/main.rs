//! A bare x86-64 kernel that runs drivers as sandboxed tasks: components, each with the ports that it was
//! granted, so much fuel in all, and turns of a slice of it.
//!
//! Ends QEMU with 33 if everything came out as it should within the RAM that it may use, with 1 otherwise.
#![no_std]
#![no_main]

extern crate alloc;

mod ports;
mod tasks;

use alloc::string::ToString;
use cellule::component::{Component, ComponentType, Instance, Lift, Linker};
use cellule::{Config, Engine, Error, Limits, Result, Store, StoreContextMut, Trap};
use ports::Ports;
use support::{CountingHeap, Ram, measure, println};

core::arch::global_asm!(include_str!("entry.s"), options(att_syntax));

/// Two megabytes.
#[global_allocator]
static HEAP: CountingHeap<0x4_0000> = CountingHeap::new();

/// World: two functions in, four out; see `driver.wat`.
static DRIVER: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/driver.wasm"));

/// What it may use. Each driver has a memory of 64 KiB, and at most two are alive at once.
const LOADING: Ram = Ram {
    heap: 32 << 10,
    stack: 14 << 10,
};
const RUNNING: Ram = Ram {
    heap: 160 << 10,
    stack: 12 << 10,
};

/// What a task may use in all, and in one turn.
const FUEL: u64 = 200_000;
const SLICE: u64 = 5_000;

#[derive(ComponentType, Lift, Debug, PartialEq)]
#[component(record)]
struct Date {
    year: u16,
    month: u8,
    day: u8,
}

#[unsafe(no_mangle)]
extern "C" fn kernel_main() -> ! {
    HEAP.init();
    let outcome = run();
    if let Err(error) = &outcome {
        println!("error: {error}");
    }
    support::exit(matches!(outcome, Ok(Some(true))))
}

/// Whether all went as it should; `None` if more RAM was used than may be.
fn run() -> Result<Option<bool>> {
    let engine = Engine::new(Config::new().consume_fuel(true).limits(Limits::mcu()))?;
    let Some(driver) = measure(&HEAP, "compile", LOADING, || {
        Component::new(&engine, DRIVER)
    }) else {
        return Ok(None);
    };
    let (driver, linker) = (driver?, link(&engine)?);
    measure(&HEAP, "run", RUNNING, || {
        let right = clock(&linker, &driver)? & forbidden(&linker, &driver)?;
        Ok(right & turns(&linker, &driver)?)
    })
    .transpose()
}

/// All that a driver can reach.
fn link(engine: &Engine) -> Result<Linker<Ports>> {
    let mut linker = Linker::new(engine);
    let mut root = linker.root();
    root.func_wrap(
        "port-in",
        |store: StoreContextMut<'_, Ports>, (port,): (u16,)| {
            Ok((store.data().read(port).ok_or_else(|| refused(port))?,))
        },
    )?;
    root.func_wrap(
        "port-out",
        |store: StoreContextMut<'_, Ports>, (port, value): (u16, u8)| {
            store.data().write(port, value).ok_or_else(|| refused(port))
        },
    )?;
    Ok(linker)
}

fn refused(port: u16) -> Error {
    Error::msg(alloc::format!("port {port:#x} is not this driver's"))
}

/// A driver of its own store: nothing of it outlives the store.
fn start(linker: &Linker<Ports>, driver: &Component) -> Result<(Store<Ports>, Instance)> {
    let mut store = Store::new(linker.engine(), Ports::of_clock());
    store.set_fuel(FUEL)?;
    let instance = linker.instantiate(&mut store, driver)?;
    Ok((store, instance))
}

/// A driver that does its work: QEMU was started with this date.
fn clock(linker: &Linker<Ports>, driver: &Component) -> Result<bool> {
    let (mut store, instance) = start(linker, driver)?;
    let today = instance.get_typed_func::<(), (Date,)>(&mut store, "today")?;
    let (date,) = today.call(&mut store, ())?;
    println!("today: {date:?}");
    Ok(date
        == Date {
            year: 2026,
            month: 11,
            day: 26,
        })
}

/// A driver that reads a port of another device is ended, with the reason.
fn forbidden(linker: &Linker<Ports>, driver: &Component) -> Result<bool> {
    let (mut store, instance) = start(linker, driver)?;
    let probe = instance.get_typed_func::<(u16,), (u8,)>(&mut store, "probe")?;
    let Err(error) = probe.call(&mut store, (0x60,)) else {
        println!("the keyboard's port was readable");
        return Ok(false);
    };
    let why = error
        .chain()
        .any(|cause| cause.to_string() == "port 0x60 is not this driver's");
    println!("probe: {error}");
    Ok(why)
}

/// A task that never ends takes turns with one that does, until its fuel is used up.
fn turns(linker: &Linker<Ports>, driver: &Component) -> Result<bool> {
    let (mut store, instance) = start(linker, driver)?;
    let (mut other_store, other) = start(linker, driver)?;
    store.fuel_async_yield_interval(Some(SLICE))?;
    other_store.fuel_async_yield_interval(Some(SLICE))?;
    let spin = instance.get_typed_func::<(), ()>(&mut store, "spin")?;
    let work = other.get_typed_func::<(u32,), (u32,)>(&mut other_store, "work")?;
    let (runaway, worker) = tasks::in_turns(
        spin.call_async(&mut store, ()),
        work.call_async(&mut other_store, (10_000,)),
    );
    let ended = runaway.output.map_err(|error| error.trap());
    let (sum,) = worker.output?;
    println!("spin: {ended:?} after {} turns", runaway.turns);
    println!("work: {sum} after {} turns", worker.turns);
    // A turn is a slice: neither task had more turns than its fuel pays for, nor did it all in a few.
    let fair = runaway.turns >= FUEL / SLICE / 2 && (3..runaway.turns).contains(&worker.turns);
    Ok(ended == Err(Some(Trap::OutOfFuel)) && sum == 50_005_000 && fair)
}
