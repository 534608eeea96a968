//! What the host serves: a clock that stands still, a log, and books that guests write into.

use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use cellule::Result;
use cellule::component::{Resource, ResourceTable};
use support::println;

/// The bindings are in a module, because the WIT's package brings one that is called `cellule`.
pub mod depot {
    use alloc::string::String;
    use alloc::vec::Vec;

    /// What stands for the WIT's resource `book`.
    pub struct Book {
        pub title: String,
        pub lines: Vec<String>,
    }

    ::cellule::component::bindgen!({
        path: "../../tests/guests/wit/depot.wit",
        world: "guest",
        with: { "cellule:depot/ledger.book": Book },
        // They return `Result`, so that `?` on the table's errors ends the guest.
        imports: { "cellule:depot/ledger": trappable },
    });
}

use depot::Book;
use depot::cellule::depot::{ledger, types};

/// The books are in a table, by the numbers that guests know.
#[derive(Default)]
pub struct Host {
    books: ResourceTable,
    open: i32,
}

impl Host {
    /// How many books are open.
    pub fn open_books(&self) -> i32 {
        self.open
    }

    fn add(&mut self, title: String, lines: Vec<String>) -> Result<Resource<Book>> {
        self.open += 1;
        Ok(self.books.push(Book { title, lines })?)
    }
}

impl ledger::HostBook for Host {
    fn new(&mut self, title: String) -> Result<Resource<Book>> {
        self.add(title, Vec::new())
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

    fn drop(&mut self, book: Resource<Book>) -> Result<()> {
        self.open -= 1;
        self.books.delete(book)?;
        Ok(())
    }
}

impl ledger::Host for Host {
    fn open(&mut self, title: String) -> Result<Result<Resource<Book>, ledger::Failure>> {
        if title != "north" {
            return Ok(Err(ledger::Failure::Unknown(0)));
        }
        self.add(title, vec!["built in May".to_string()]).map(Ok)
    }

    fn close(&mut self, book: Resource<Book>) -> Result<u32> {
        self.open -= 1;
        Ok(self.books.delete(book)?.lines.len() as u32)
    }
}

impl types::Host for Host {}

impl depot::GuestImports for Host {
    fn now(&mut self) -> u64 {
        7
    }

    fn log(&mut self, level: u8, message: String) {
        println!("log {level}: {message}");
    }
}
