//! Guests with the hosts that they import, and sessions with them: calls at any pace of fuel.

use crate::root;
use cellule::component::{
    Component, ComponentExportIndex, ComponentNamedList, Instance, Lift, Linker, Lower, Resource,
    ResourceAny, ResourceTable, ResourceType, Val,
};
use cellule::{AsContextMut, Engine, Error, Result, Store, StoreContextMut};
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

/// Fuel that no guest here uses up.
pub const FUEL: u64 = 1 << 50;

/// How calls of a session are driven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// Synchronous calls, without fuel.
    Free,
    /// Synchronous calls that take fuel.
    Counted,
    /// Asynchronous calls that yield after each so much fuel.
    Slices(u64),
}

/// Polls a future until it is done; the number of polls as well.
pub fn drive<F: Future>(future: F) -> (F::Output, u64) {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    let mut polls = 0;
    loop {
        polls += 1;
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return (output, polls);
        }
    }
}

/// A guest of this repository.
///
/// # Panics
/// If it can't be read.
pub fn own_guest(name: &str) -> Vec<u8> {
    std::fs::read(root().join("tests/guests").join(name)).expect("a committed guest")
}

/// An instance with its store.
pub struct Session<T: 'static> {
    /// The store.
    pub store: Store<T>,
    /// The instance.
    pub instance: Instance,
    pace: Pace,
    polls: u64,
}

impl<T: 'static> Session<T> {
    /// Instantiates a component.
    ///
    /// # Panics
    /// If it doesn't load or instantiate.
    pub fn start(linker: &Linker<T>, wasm: &[u8], data: T, pace: Pace) -> Session<T> {
        let component = Component::new(linker.engine(), wasm).expect("a valid component");
        let mut store = Store::new(linker.engine(), data);
        if pace != Pace::Free {
            store.set_fuel(FUEL).expect("fuel is on");
        }
        let (instance, polls) = match pace {
            Pace::Slices(slice) => {
                let interval = store.fuel_async_yield_interval(Some(slice));
                interval.expect("fuel is on");
                drive(linker.instantiate_async(&mut store, &component))
            }
            _ => (linker.instantiate(&mut store, &component), 0),
        };
        Session {
            store,
            instance: instance.expect("an instance"),
            pace,
            polls,
        }
    }

    /// How much fuel was used up to now.
    ///
    /// # Panics
    /// If fuel isn't on.
    pub fn fuel_used(&self) -> u64 {
        FUEL - self.store.get_fuel().expect("fuel is on")
    }

    /// How often its futures were polled.
    pub fn polls(&self) -> u64 {
        self.polls
    }

    /// The index of `name`, or of `name` in an exported instance: `instance#name`.
    ///
    /// # Panics
    /// If there is none.
    pub fn index(&mut self, path: &str) -> ComponentExportIndex {
        let (outer, name) = match path.split_once('#') {
            Some((outer, name)) => (Some(outer), name),
            None => (None, path),
        };
        let store = &mut self.store;
        let outer = outer.map(|outer| {
            let index = self.instance.get_export_index(&mut *store, None, outer);
            index.unwrap_or_else(|| panic!("no instance {outer}"))
        });
        let index = self.instance.get_export_index(store, outer.as_ref(), name);
        index.unwrap_or_else(|| panic!("no export {path}"))
    }

    /// Calls a function with dynamic values.
    ///
    /// # Errors
    /// As the call.
    ///
    /// # Panics
    /// If there is no such function.
    pub fn call(&mut self, path: &str, params: &[Val]) -> Result<Option<Val>> {
        let index = self.index(path);
        let store = &mut self.store;
        let func = self.instance.get_func(&mut *store, index);
        let func = func.expect("a function");
        let mut results = vec![Val::Bool(false); func.ty(&*store).results().len()];
        match self.pace {
            Pace::Slices(_) => {
                let (result, polls) = drive(func.call_async(store, params, &mut results));
                self.polls += polls;
                result?;
            }
            _ => func.call(store, params, &mut results)?,
        }
        Ok(results.pop())
    }

    /// Calls a function with Rust types.
    ///
    /// # Errors
    /// As the call.
    ///
    /// # Panics
    /// If there is no such function, or it has other types.
    pub fn typed<Params, Return>(&mut self, path: &str, params: Params) -> Result<Return>
    where
        Params: ComponentNamedList + Lower,
        Return: ComponentNamedList + Lift,
    {
        let index = self.index(path);
        let store = &mut self.store;
        let func = self
            .instance
            .get_typed_func::<Params, Return>(&mut *store, &index);
        let func = func.unwrap_or_else(|error| panic!("{path}: {error}"));
        match self.pace {
            Pace::Slices(_) => {
                let (result, polls) = drive(func.call_async(store, params));
                self.polls += polls;
                result
            }
            _ => func.call(store, params),
        }
    }

    /// Drops a resource that the host holds.
    ///
    /// # Errors
    /// As dropping it.
    pub fn drop_resource(&mut self, resource: ResourceAny) -> Result<()> {
        match self.pace {
            Pace::Slices(_) => {
                let (result, polls) = drive(resource.resource_drop_async(&mut self.store));
                self.polls += polls;
                result
            }
            _ => resource.resource_drop(&mut self.store),
        }
    }
}

/// What `rust-app` imports: lines that it logs.
///
/// # Panics
/// Never: each name is defined once.
pub fn app_linker(engine: &Engine) -> Linker<Vec<String>> {
    let mut linker = Linker::<Vec<String>>::new(engine);
    linker
        .root()
        .func_wrap(
            "log",
            |mut store: StoreContextMut<'_, Vec<String>>, (text,): (String,)| {
                store.data_mut().push(text);
                Ok(())
            },
        )
        .expect("defined once");
    linker
}

/// The host of `rust-sensor`: what it was told.
///
/// # Panics
/// Never: each name is defined once.
pub fn sensor_linker(engine: &Engine) -> Linker<Vec<String>> {
    let mut linker = Linker::<Vec<String>>::new(engine);
    let mut root = linker.root();
    root.func_wrap(
        "read",
        |_: StoreContextMut<'_, Vec<String>>, (channel,): (u32,)| {
            let readings = [Some(1.0f32), Some(2.5), None, Some(4.25)];
            let reading = readings.get(channel as usize).copied().flatten();
            Ok((reading.ok_or(format!("no channel {channel}")),))
        },
    )
    .expect("defined once");
    root.func_wrap(
        "report",
        |mut store: StoreContextMut<'_, Vec<String>>, (line,): (String,)| {
            store.data_mut().push(line);
            Ok(())
        },
    )
    .expect("defined once");
    linker
}

/// A book of the ledger.
pub struct Book {
    /// Its title.
    pub title: String,
    /// What was written into it.
    pub lines: Vec<String>,
}

/// The state of the depots' host.
#[derive(Default)]
pub struct Ledger {
    /// Books by representation.
    pub table: ResourceTable,
    /// What was logged, with levels.
    pub log: Vec<(u8, String)>,
    /// How often a book's destructor ran.
    pub dropped: u32,
    /// How many books were closed.
    pub closed: u32,
}

fn host(error: impl std::fmt::Display + std::fmt::Debug + Send + Sync + 'static) -> Error {
    Error::msg(error)
}

/// The host of `rust-depot` and `c-depot`.
///
/// It opens `north`, which has two lines, refuses `secret`, has no room for `vault`, and knows no other.
///
/// # Panics
/// Never: each name is defined once.
pub fn depot_linker(engine: &Engine) -> Linker<Ledger> {
    let mut linker = Linker::<Ledger>::new(engine);
    let mut root = linker.root();
    root.func_wrap("now", |_: StoreContextMut<'_, Ledger>, (): ()| Ok((7u64,)))
        .expect("defined once");
    root.func_wrap(
        "log",
        |mut store: StoreContextMut<'_, Ledger>, line: (u8, String)| {
            store.data_mut().log.push(line);
            Ok(())
        },
    )
    .expect("defined once");
    ledger(&mut linker).expect("defined once");
    linker
}

fn ledger(linker: &mut Linker<Ledger>) -> Result<()> {
    type Cx<'a> = StoreContextMut<'a, Ledger>;
    let mut ledger = linker.instance("cellule:depot/ledger@1.2.0")?;
    ledger.resource(
        "book",
        ResourceType::host::<Book>(),
        |mut store: Cx, rep| {
            store.data_mut().dropped += 1;
            let book = Resource::<Book>::new_own(rep);
            store.data_mut().table.delete(book).map(drop).map_err(host)
        },
    )?;
    ledger.func_wrap("[constructor]book", |mut store: Cx, (title,): (String,)| {
        let lines = Vec::new();
        let book = store.data_mut().table.push(Book { title, lines });
        Ok((book.map_err(host)?,))
    })?;
    ledger.func_wrap(
        "[method]book.append",
        |mut store: Cx, (book, line): (Resource<Book>, String)| {
            let book = store.data_mut().table.get_mut(&book).map_err(host)?;
            book.lines.push(line);
            Ok((book.lines.len() as u32,))
        },
    )?;
    ledger.func_wrap(
        "[method]book.lines",
        |store: Cx, (book,): (Resource<Book>,)| {
            let book = store.data().table.get(&book).map_err(host)?;
            Ok((book.lines.clone(),))
        },
    )?;
    ledger.func_wrap(
        "[static]book.longer",
        |store: Cx, (a, b): (Resource<Book>, Resource<Book>)| {
            assert!(!a.owned() && !b.owned());
            let table = &store.data().table;
            let (a, b) = (table.get(&a).map_err(host)?, table.get(&b).map_err(host)?);
            let longer = if b.lines.len() > a.lines.len() { b } else { a };
            Ok((longer.title.clone(),))
        },
    )?;
    ledger.func_new("open", |store, _, params, results| {
        let Val::String(title) = &params[0] else {
            return Err(host("no title"));
        };
        results[0] = open(store, title)?;
        Ok(())
    })?;
    ledger.func_wrap("close", |mut store: Cx, (book,): (Resource<Book>,)| {
        assert!(book.owned());
        store.data_mut().closed += 1;
        let book = store.data_mut().table.delete(book).map_err(host)?;
        Ok((book.lines.len() as u32,))
    })
}

fn open(mut store: StoreContextMut<'_, Ledger>, title: &str) -> Result<Val> {
    let failure = |case: &str, payload: Option<Val>| {
        let failure = Val::Variant(case.into(), payload.map(Box::new));
        Ok(Val::Result(Err(Some(Box::new(failure)))))
    };
    match title {
        "north" => {
            let book = Book {
                title: title.into(),
                lines: vec!["first".into(), "second".into()],
            };
            let book = store.data_mut().table.push(book).map_err(host)?;
            let book = ResourceAny::try_from_resource(book, store.as_context_mut())?;
            Ok(Val::Result(Ok(Some(Box::new(Val::Resource(book))))))
        }
        "secret" => failure("refused", Some(Val::String("not for you".into()))),
        "vault" => failure("full", None),
        _ => failure("unknown", Some(Val::U64(0))),
    }
}
