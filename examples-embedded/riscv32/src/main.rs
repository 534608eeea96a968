//! A component on a 32-bit RISC-V: compiled there, and given and asked for strings, records, lists and resources.
//!
//! The guest (world `guest` of `tests/guests/wit/depot.wit`) serves stores of parcels and uses the host's books.
//! Exits with 0 if it answers what it should within the RAM that it may use, with 1 otherwise.
#![no_std]
#![no_main]

extern crate alloc;

mod host;

use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;
use cellule::component::{Component, HasSelf, Linker};
use cellule::{Config, Engine, Limits, Result, Store};
use host::Host;
use host::depot::Guest;
use host::depot::cellule::depot::types::{Handling, Place, Size};
use host::depot::exports::cellule::depot::depot::{Failure, Parcel, Query};
use support::{CountingHeap, Ram, measure, println};

/// A megabyte, well above what is used, so that a larger guest can be tried.
#[global_allocator]
static HEAP: CountingHeap<0x2_0000> = CountingHeap::new();

static DEPOT: &[u8] = include_bytes!("../../../tests/guests/c-depot.wasm");

/// What it may use. Loading is above the budgets of 96 and 8 KiB for guests of 25 KB: this one has 31,911 bytes,
/// which the library keeps a copy of.
const LOADING: Ram = Ram {
    heap: 132 << 10,
    stack: 9 << 10,
};
/// With the guest's memory, whose growing holds a copy for a while.
const RUNNING: Ram = Ram {
    heap: 300 << 10,
    stack: 9 << 10,
};

#[riscv_rt::entry]
fn main() -> ! {
    HEAP.init();
    let outcome = run();
    if let Err(error) = &outcome {
        println!("error: {error}");
    }
    support::exit(matches!(outcome, Ok(Some(true))))
}

/// A fault ends the program too: without this the processor would spin.
#[unsafe(export_name = "ExceptionHandler")]
fn fault(frame: &riscv_rt::TrapFrame) -> ! {
    println!("fault at {:#x}: {frame:?}", riscv::register::mepc::read());
    support::exit(false)
}

/// Whether the answers are right; `None` if more RAM was used than may be.
fn run() -> Result<Option<bool>> {
    let engine = Engine::new(Config::new().limits(Limits::mcu()))?;
    let Some(component) = measure(&HEAP, "compile", LOADING, || Component::new(&engine, DEPOT))
    else {
        return Ok(None);
    };
    let component = component?;
    let mut linker = Linker::new(&engine);
    Guest::add_to_linker::<_, HasSelf<_>>(&mut linker, |host: &mut Host| host)?;
    let mut store = Store::new(&engine, Host::default());
    measure(&HEAP, "run", RUNNING, || {
        let guest = Guest::instantiate(&mut store, &component, &linker)?;
        let right = strings(&guest, &mut store)? & parcels(&guest, &mut store)?;
        Ok(right & (store.data().open_books() == 0))
    })
    .transpose()
}

/// Strings and lists, and books of the host that the guest opens, writes and gives back.
///
/// Apart, as what follows, so that its results aren't on the stack while the other runs.
#[inline(never)]
fn strings(guest: &Guest, store: &mut Store<Host>) -> Result<bool> {
    let hello = guest.call_hello(&mut *store, "risc-v")?;
    println!("{hello}");
    let titles = ["north".to_string(), "south".to_string()];
    let audit = guest.call_audit(&mut *store, &titles)?;
    println!("{audit:?}");
    let expected = vec![("north".to_string(), 2), ("south".to_string(), 1)];
    Ok(hello == "hello risc-v from c at 7" && audit == Ok(expected))
}

/// Records in and out of a resource of the guest, which is dropped at the end.
#[inline(never)]
fn parcels(guest: &Guest, store: &mut Store<Host>) -> Result<bool> {
    let depot = guest.cellule_depot_depot();
    let stores = depot.store();
    let shelf = stores.call_constructor(&mut *store, 2)?;
    for id in [1, 2] {
        if stores.call_put(&mut *store, shelf, &parcel(id))?.is_err() {
            return Ok(false);
        }
    }
    let third = stores.call_put(&mut *store, shelf, &parcel(3))?;
    let heavy: Vec<_> = stores.call_find(&mut *store, shelf, &Query::HeavierThan(2.0))?;
    println!("third: {third:?}, heavy: {heavy:?}");
    let before = depot.call_alive(&mut *store)?;
    shelf.resource_drop(&mut *store)?;
    let after = depot.call_alive(&mut *store)?;
    println!("stores: {before}, then {after}");
    let right = matches!(third, Err(Failure::Full)) && (before, after) == (1, 0);
    Ok(right && matches!(&heavy[..], [one] if one.id == 2 && one.notes == ["fragile", "№ 2"]))
}

/// Parcel `id` weighs as many and a quarter.
fn parcel(id: u64) -> Parcel {
    Parcel {
        id,
        weight: id as f32 + 0.25,
        size: Size::Small,
        handling: Handling::FRAGILE | Handling::COLD,
        place: Some(Place {
            row: 300,
            shelf: 4,
            zone: 'ß',
        }),
        notes: vec!["fragile".to_string(), alloc::format!("№ {id}")],
    }
}
