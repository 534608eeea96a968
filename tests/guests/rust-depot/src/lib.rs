//! The depot world in Rust: every kind of value the Component Model had in 0.2, resources on both sides.
#![no_std]

extern crate alloc;

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::sync::atomic::{AtomicU32, Ordering};

wit_bindgen::generate!({
    path: "../wit/depot.wit",
    world: "guest",
    std_feature,
});

use cellule::depot::ledger::{self, Book};
use cellule::depot::types::{Failure, Handling, Parcel, Query, Size};
use exports::cellule::depot::depot;

#[global_allocator]
static HEAP: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

#[panic_handler]
fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    log(0, &info.to_string());
    core::arch::wasm32::unreachable()
}

static ALIVE: AtomicU32 = AtomicU32::new(0);

struct Store {
    capacity: usize,
    parcels: RefCell<Vec<Parcel>>,
}

impl Store {
    fn with(capacity: usize, parcels: Vec<Parcel>) -> Self {
        ALIVE.fetch_add(1, Ordering::Relaxed);
        Store { capacity, parcels: RefCell::new(parcels) }
    }

    fn weight(&self) -> f32 {
        self.parcels.borrow().iter().map(|p| p.weight).sum()
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        ALIVE.fetch_sub(1, Ordering::Relaxed);
    }
}

impl depot::GuestStore for Store {
    fn new(capacity: u32) -> Self {
        Store::with(capacity as usize, Vec::new())
    }

    fn put(&self, p: Parcel) -> Result<(), Failure> {
        let mut parcels = self.parcels.borrow_mut();
        if parcels.len() >= self.capacity {
            return Err(Failure::Full);
        }
        if parcels.iter().any(|q| q.id == p.id) {
            return Err(Failure::Refused(format!("parcel {} is here already", p.id)));
        }
        parcels.push(p);
        Ok(())
    }

    fn take(&self, id: u64) -> Result<Parcel, Failure> {
        let mut parcels = self.parcels.borrow_mut();
        match parcels.iter().position(|p| p.id == id) {
            Some(at) => Ok(parcels.remove(at)),
            None => Err(Failure::Unknown(id)),
        }
    }

    fn find(&self, q: Query) -> Vec<Parcel> {
        let matches = |p: &Parcel| match &q {
            Query::All => true,
            Query::HeavierThan(limit) => p.weight > *limit,
            Query::StoredAt(at) => p
                .place
                .as_ref()
                .is_some_and(|have| (have.row, have.shelf, have.zone) == (at.row, at.shelf, at.zone)),
            Query::AnyOf(groups) => groups.iter().any(|ids| ids.contains(&p.id)),
        };
        self.parcels.borrow().iter().filter(|p| matches(p)).cloned().collect()
    }

    fn len(&self) -> u32 {
        self.parcels.borrow().len() as u32
    }

    fn split(&self, at: u32) -> depot::Store {
        let mut parcels = self.parcels.borrow_mut();
        let at = (at as usize).min(parcels.len());
        let tail = parcels.split_off(at);
        depot::Store::new(Store::with(self.capacity, tail))
    }

    fn merge(a: depot::Store, b: depot::Store) -> depot::Store {
        let (a, b) = (a.into_inner::<Store>(), b.into_inner::<Store>());
        let mut parcels = a.parcels.take();
        parcels.append(&mut b.parcels.borrow_mut());
        depot::Store::new(Store::with(a.capacity + b.capacity, parcels))
    }

    fn lighter(a: depot::StoreBorrow<'_>, b: depot::StoreBorrow<'_>) -> bool {
        a.get::<Store>().weight() < b.get::<Store>().weight()
    }
}

struct Depot;

impl depot::Guest for Depot {
    type Store = Store;

    fn alive() -> u32 {
        ALIVE.load(Ordering::Relaxed)
    }

    fn transpose(rows: Vec<Vec<f64>>) -> Vec<Vec<f64>> {
        let width = rows.iter().map(Vec::len).min().unwrap_or(0);
        (0..width).map(|x| rows.iter().map(|row| row[x]).collect()).collect()
    }

    fn stats(values: Vec<i32>) -> (i64, Option<i32>, Option<i32>, f64) {
        let sum = values.iter().map(|v| i64::from(*v)).sum::<i64>();
        let mean = if values.is_empty() { 0.0 } else { sum as f64 / values.len() as f64 };
        (sum, values.iter().copied().min(), values.iter().copied().max(), mean)
    }

    fn labels(h: Handling, s: Size) -> Vec<String> {
        let mut labels = vec![
            match s {
                Size::Small => "small",
                Size::Medium => "medium",
                Size::Large => "large",
            }
            .to_string(),
        ];
        for (flag, name) in [
            (Handling::FRAGILE, "fragile"),
            (Handling::UPRIGHT, "upright"),
            (Handling::COLD, "cold"),
            (Handling::EXPRESS, "express"),
        ] {
            if h.contains(flag) {
                labels.push(name.to_string());
            }
        }
        labels
    }

    fn turn(x: Option<Result<u8, String>>) -> Result<Option<u8>, String> {
        x.transpose()
    }

    #[allow(clippy::too_many_arguments)]
    fn scalars(
        a: bool,
        b: i8,
        c: u8,
        d: i16,
        e: u16,
        f: i32,
        g: u32,
        h: i64,
        i: u64,
        j: f32,
        k: f64,
        l: char,
        m: String,
        n: (u8, u16, u32, u64),
        o: Handling,
    ) -> (bool, i8, u8, i16, u16, i32, u32, i64, u64, f32, f64, char, String, (u8, u16, u32, u64), Handling) {
        (a, b, c, d, e, f, g, h, i, j, k, l, m, n, o)
    }
}

impl Guest for Depot {
    fn audit(titles: Vec<String>) -> Result<Vec<(String, u32)>, String> {
        let mut done = Vec::new();
        let summary = Book::new("summary");
        for title in titles {
            let book = match ledger::open(&title) {
                Ok(book) => book,
                Err(Failure::Unknown(_)) => Book::new(&title),
                Err(Failure::Full) => return Err("no room for another book".to_string()),
                Err(Failure::Refused(why)) => return Err(format!("{title}: {why}")),
            };
            let lines = book.append(&format!("audited at {}", now()));
            summary.append(&format!("{title} has {lines}, longer is {}", Book::longer(&book, &summary)));
            done.push((title, ledger::close(book)));
        }
        for line in summary.lines() {
            log(1, &line);
        }
        Ok(done)
    }

    fn hello(name: String) -> String {
        let text = format!("hello {name} from rust at {}", now());
        log(2, &text);
        text
    }
}

export!(Depot);
