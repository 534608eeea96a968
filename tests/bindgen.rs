//! `bindgen!`: what a host writes against a world of WIT, with guests of real toolchains and small ones.

use cellule::component::{Component, HasSelf, Linker, Resource, ResourceTable};
use cellule::{Engine, ErrorKind, Result, Store};
use cellule_tests::guests::own_guest;

/// Bindings of the committed guests' world, in a module: it has one called `cellule` too.
mod depot {
    /// A book of the host.
    pub struct Book {
        /// Its title.
        pub title: String,
        /// What was written into it.
        pub lines: Vec<String>,
    }

    ::cellule::component::bindgen!({
        path: "guests/wit/depot.wit",
        world: "guest",
        with: {
            "cellule:depot/ledger.book": Book,
        },
        imports: {
            "cellule:depot/ledger": trappable,
        },
        additional_derives: [PartialEq],
    });
}

use depot::Book;
use depot::cellule::depot::ledger;
use depot::exports::cellule::depot::depot as guest;

/// The state of the depots' host.
#[derive(Default)]
struct Ledger {
    table: ResourceTable,
    log: Vec<(u8, String)>,
    dropped: u32,
    closed: u32,
}

impl ledger::HostBook for Ledger {
    fn new(&mut self, title: String) -> Result<Resource<Book>> {
        let lines = Vec::new();
        Ok(self.table.push(Book { title, lines })?)
    }

    fn append(&mut self, book: Resource<Book>, line: String) -> Result<u32> {
        let book = self.table.get_mut(&book)?;
        book.lines.push(line);
        Ok(book.lines.len() as u32)
    }

    fn lines(&mut self, book: Resource<Book>) -> Result<Vec<String>> {
        Ok(self.table.get(&book)?.lines.clone())
    }

    fn longer(&mut self, a: Resource<Book>, b: Resource<Book>) -> Result<String> {
        let (a, b) = (self.table.get(&a)?, self.table.get(&b)?);
        let longer = if b.lines.len() > a.lines.len() { b } else { a };
        Ok(longer.title.clone())
    }

    fn drop(&mut self, book: Resource<Book>) -> Result<()> {
        self.dropped += 1;
        self.table.delete(book)?;
        Ok(())
    }
}

impl ledger::Host for Ledger {
    fn open(&mut self, title: String) -> Result<Result<Resource<Book>, ledger::Failure>> {
        let lines = vec!["first".into(), "second".into()];
        Ok(match title.as_str() {
            "north" => Ok(self.table.push(Book { title, lines })?),
            "secret" => Err(ledger::Failure::Refused("not for you".into())),
            "vault" => Err(ledger::Failure::Full),
            "fire" => return Err(cellule::Error::msg("the ledger burns")),
            _ => Err(ledger::Failure::Unknown(0)),
        })
    }

    fn close(&mut self, book: Resource<Book>) -> Result<u32> {
        self.closed += 1;
        Ok(self.table.delete(book)?.lines.len() as u32)
    }
}

impl depot::GuestImports for Ledger {
    fn now(&mut self) -> u64 {
        7
    }

    fn log(&mut self, level: u8, message: String) {
        self.log.push((level, message));
    }
}

impl depot::cellule::depot::types::Host for Ledger {}

/// A guest with its world, and the store that it is in.
fn depot_of(name: &str) -> (Store<Ledger>, depot::Guest) {
    let engine = Engine::default();
    let component = Component::new(&engine, own_guest(name)).unwrap();
    let mut linker = Linker::new(&engine);
    depot::Guest::add_to_linker::<_, HasSelf<_>>(&mut linker, |ledger: &mut Ledger| ledger)
        .unwrap();
    let mut store = Store::new(&engine, Ledger::default());
    let guest = depot::Guest::instantiate(&mut store, &component, &linker).unwrap();
    (store, guest)
}

const GUESTS: [&str; 2] = ["rust-depot.wasm", "c-depot.wasm"];

#[test]
fn functions_of_a_world_are_imported_and_exported() {
    for name in GUESTS {
        let (mut store, guest) = depot_of(name);
        let hello = guest.call_hello(&mut store, "wörld").unwrap();
        assert!(hello.starts_with("hello wörld from "), "{hello}");
        assert!(hello.ends_with(" at 7"), "{hello}");
        assert_eq!(store.data().log.last().unwrap().1, hello);
    }
}

#[test]
fn resources_of_the_host_are_made_used_and_dropped_by_guests() {
    for name in GUESTS {
        let (mut store, guest) = depot_of(name);
        let titles = ["north".to_string(), "south".into()];
        let audit = guest.call_audit(&mut store, &titles).unwrap();
        let expected = vec![("north".to_string(), 3), ("south".into(), 1)];
        assert_eq!(audit, Ok(expected), "{name}");
        assert_eq!(store.data().closed, 2);
        assert!(store.data().table.is_empty());
        let refused = guest.call_audit(&mut store, &["secret".into()]).unwrap();
        assert!(refused.is_err(), "{name}");
    }
}

#[test]
fn an_error_of_the_host_ends_the_guest() {
    let (mut store, guest) = depot_of(GUESTS[0]);
    let error = guest.call_audit(&mut store, &["fire".into()]).unwrap_err();
    assert!(
        format!("{error:?}").contains("the ledger burns"),
        "{error:?}"
    );
    let error = guest.call_hello(&mut store, "again").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Trap, "{error:?}");
}

fn parcel(id: u64, weight: f32) -> guest::Parcel {
    use depot::cellule::depot::types::{Handling, Place, Size};
    guest::Parcel {
        id,
        weight,
        size: Size::Medium,
        handling: Handling::FRAGILE | Handling::COLD,
        place: Some(Place {
            row: 3,
            shelf: 1,
            zone: 'ä',
        }),
        notes: vec!["this side up".into()],
    }
}

#[test]
fn resources_of_the_guest_are_made_and_used_by_the_host() {
    for name in GUESTS {
        let (mut store, guest) = depot_of(name);
        let stores = guest.cellule_depot_depot().store();
        let first = stores.call_constructor(&mut store, 2).unwrap();
        let put = stores.call_put(&mut store, first, &parcel(1, 2.5)).unwrap();
        assert_eq!(put, Ok(()));
        assert_eq!(
            stores.call_put(&mut store, first, &parcel(2, 9.0)).unwrap(),
            Ok(())
        );
        let full = stores.call_put(&mut store, first, &parcel(3, 1.0)).unwrap();
        assert_eq!(full, Err(guest::Failure::Full));
        let query = guest::Query::HeavierThan(5.0);
        let heavy = stores.call_find(&mut store, first, &query).unwrap();
        assert_eq!(heavy, [parcel(2, 9.0)], "{name}");
        let query = guest::Query::AnyOf(vec![vec![7], vec![1, 8]]);
        let one = stores.call_find(&mut store, first, &query).unwrap();
        assert_eq!(one, [parcel(1, 2.5)], "{name}");
        let second = stores.call_split(&mut store, first, 1).unwrap();
        assert!(stores.call_lighter(&mut store, first, second).unwrap());
        let both = stores.call_merge(&mut store, first, second).unwrap();
        assert_eq!(stores.call_len(&mut store, both).unwrap(), 2);
        let unknown = stores.call_take(&mut store, both, 77).unwrap();
        assert_eq!(unknown, Err(guest::Failure::Unknown(77)));
        assert_eq!(
            guest.cellule_depot_depot().call_alive(&mut store).unwrap(),
            1
        );
        both.resource_drop(&mut store).unwrap();
        assert_eq!(
            guest.cellule_depot_depot().call_alive(&mut store).unwrap(),
            0
        );
    }
}

#[test]
fn lists_options_results_tuples_and_flags_cross() {
    use depot::cellule::depot::types::{Handling, Size};
    for name in GUESTS {
        let (mut store, world) = depot_of(name);
        let guest = world.cellule_depot_depot();
        let rows = [vec![1.0, 2.0], vec![3.0, 4.0]];
        let turned = guest.call_transpose(&mut store, &rows).unwrap();
        assert_eq!(turned, [[1.0, 3.0], [2.0, 4.0]]);
        let stats = guest.call_stats(&mut store, &[4, -2, 7]).unwrap();
        assert_eq!(stats, (9, Some(-2), Some(7), 3.0));
        let labels = guest.call_labels(&mut store, Handling::COLD, Size::Large);
        assert_eq!(labels.unwrap(), ["large", "cold"]);
        let turned = guest.call_turn(&mut store, Some(Err("no"))).unwrap();
        assert_eq!(turned, Err("no".to_string()));
        assert_eq!(
            guest.call_turn(&mut store, Some(Ok(5))).unwrap(),
            Ok(Some(5))
        );
        assert_eq!(guest.call_turn(&mut store, None).unwrap(), Ok(None));
    }
}
