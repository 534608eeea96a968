//! Resources in both directions: the host serves books that a guest writes into, and uses stores that are
//! the guest's.
//!
//! `cargo run --example resources`

use cellule::component::{Component, HasSelf, Linker, Resource, ResourceTable};
use cellule::{Engine, Result, Store};

/// The bindings are in a module, because the WIT's package brings one that is called `cellule`.
mod depot {
    /// What stands for the WIT's resource `book`.
    pub struct Book {
        pub title: String,
        pub lines: Vec<String>,
    }

    ::cellule::component::bindgen!({
        path: "tests/guests/wit/depot.wit",
        world: "guest",
        // `Resource<Book>` is what functions of books are given.
        with: { "cellule:depot/ledger.book": Book },
        // They return `Result`, so that `?` on the table's errors ends the guest.
        imports: { "cellule:depot/ledger": trappable },
    });
}

use depot::Book;
use depot::cellule::depot::{ledger, types};
use depot::exports::cellule::depot::depot::{Failure, Parcel};

/// The host: its resources are in a table, by the numbers that guests know.
#[derive(Default)]
struct Host {
    books: ResourceTable,
    log: Vec<String>,
}

impl ledger::HostBook for Host {
    fn new(&mut self, title: String) -> Result<Resource<Book>> {
        let lines = Vec::new();
        Ok(self.books.push(Book { title, lines })?)
    }

    fn append(&mut self, book: Resource<Book>, line: String) -> Result<u32> {
        let book = self.books.get_mut(&book)?;
        book.lines.push(line);
        Ok(book.lines.len() as u32)
    }

    fn lines(&mut self, book: Resource<Book>) -> Result<Vec<String>> {
        Ok(self.books.get(&book)?.lines.clone())
    }

    fn longer(&mut self, a: Resource<Book>, b: Resource<Book>) -> Result<String> {
        let (a, b) = (self.books.get(&a)?, self.books.get(&b)?);
        let longer = if b.lines.len() > a.lines.len() { b } else { a };
        Ok(longer.title.clone())
    }

    /// Runs when the guest drops a book that it owns.
    fn drop(&mut self, book: Resource<Book>) -> Result<()> {
        let book = self.books.delete(book)?;
        self.log.push(format!("`{}` was dropped", book.title));
        Ok(())
    }
}

impl ledger::Host for Host {
    fn open(&mut self, title: String) -> Result<Result<Resource<Book>, ledger::Failure>> {
        if title != "north" {
            return Ok(Err(ledger::Failure::Unknown(0)));
        }
        let lines = vec!["built in May".into()];
        Ok(Ok(self.books.push(Book { title, lines })?))
    }

    fn close(&mut self, book: Resource<Book>) -> Result<u32> {
        Ok(self.books.delete(book)?.lines.len() as u32)
    }
}

impl types::Host for Host {}

impl depot::GuestImports for Host {
    fn now(&mut self) -> u64 {
        7
    }

    fn log(&mut self, _level: u8, message: String) {
        self.log.push(message);
    }
}

fn parcel(id: u64) -> Parcel {
    Parcel {
        id,
        weight: 2.5,
        size: types::Size::Small,
        handling: types::Handling::FRAGILE,
        place: None,
        notes: Vec::new(),
    }
}

/// What came of it.
struct Outcome {
    /// Titles, and how many lines are in these books.
    audit: Vec<(String, u32)>,
    /// Why a third parcel doesn't fit into a store for two.
    failure: Option<Failure>,
    host: Host,
}

fn run() -> Result<Outcome> {
    let engine = Engine::default();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/guests/rust-depot.wasm");
    let component = Component::new(&engine, std::fs::read(path)?)?;
    let mut linker = Linker::new(&engine);
    depot::Guest::add_to_linker::<_, HasSelf<_>>(&mut linker, |host: &mut Host| host)?;
    let mut store = Store::new(&engine, Host::default());
    let guest = depot::Guest::instantiate(&mut store, &component, &linker)?;

    // The guest opens books of the host, or makes them.
    let titles = ["north".to_string(), "south".into()];
    let audit = guest.call_audit(&mut store, &titles)?;
    let audit = audit.map_err(cellule::Error::msg)?;

    // The host makes a store of the guest, lends it to each call, and drops it.
    let stores = guest.cellule_depot_depot().store();
    let small = stores.call_constructor(&mut store, 2)?;
    let mut failure = None;
    for id in 1..=3 {
        failure = stores.call_put(&mut store, small, &parcel(id))?.err();
    }
    small.resource_drop(&mut store)?;
    assert_eq!(guest.cellule_depot_depot().call_alive(&mut store)?, 0);
    let host = store.into_data();
    Ok(Outcome {
        audit,
        failure,
        host,
    })
}

fn main() -> Result<()> {
    let Outcome {
        audit,
        failure,
        host,
    } = run()?;
    for (title, lines) in audit {
        println!("lines in `{title}`: {lines}");
    }
    println!("the third parcel: {failure:?}");
    for line in host.log {
        println!("log: {line}");
    }
    Ok(())
}

#[test]
fn books_of_the_host_and_stores_of_the_guest_are_used_and_dropped() {
    let Outcome {
        audit,
        failure,
        host,
    } = run().unwrap();
    assert_eq!(audit, [("north".to_string(), 2), ("south".into(), 1)]);
    assert!(matches!(failure, Some(Failure::Full)), "{failure:?}");
    assert!(host.books.is_empty());
    let dropped = "`summary` was dropped".to_string();
    assert!(host.log.contains(&dropped), "{:?}", host.log);
}
