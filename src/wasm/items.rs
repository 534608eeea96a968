//! Memories, tables, globals and tags, and what an import or export can be.

use super::context::{AsContext, AsContextMut, StoreContext, StoreContextMut};
use super::func::Func;
use super::limiter::Counted;
use super::store::Store;
use super::val::Val;
use crate::code::module::{ExternType, FuncType, GlobalType, MemoryType, TableType, ValType};
use crate::error::{Error, ErrorKind, OutOfMemory, Result, Trap};
use crate::fallible::{Grow, copied};
use crate::machine::driver::Growth;

macro_rules! handles {
    ($($(#[$doc:meta])* $name:ident)*) => {
        $($(#[$doc])*
        ///
        /// # Panics
        /// Every method panics if this, or a reference that it is given, is another store's.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub struct $name {
            pub(crate) store: u32,
            pub(crate) index: u32,
        })*
    };
}

handles! {
    /// A global.
    ///
    /// ```
    /// use cellule::{Engine, Global, GlobalType, Mutability, Store, Val, ValType};
    ///
    /// # fn main() -> cellule::Result<()> {
    /// let mut store = Store::new(&Engine::default(), ());
    /// let ty = GlobalType::new(ValType::I64, Mutability::Var);
    /// let count = Global::new(&mut store, ty, Val::I64(1))?;
    /// count.set(&mut store, Val::I64(2))?;
    /// assert_eq!(count.get(&store), Val::I64(2));
    /// assert!(count.set(&mut store, Val::I32(3)).is_err());
    /// # Ok(())
    /// # }
    /// ```
    Global
    /// A linear memory.
    ///
    /// ```
    /// use cellule::{Engine, Memory, MemoryType, Store};
    ///
    /// # fn main() -> cellule::Result<()> {
    /// let mut store = Store::new(&Engine::default(), ());
    /// let memory = Memory::new(&mut store, MemoryType::new(1, Some(2)))?;
    /// memory.write(&mut store, 8, b"hello")?;
    /// assert_eq!(&memory.data(&store)[8..13], b"hello");
    /// assert_eq!(memory.grow(&mut store, 1)?, 1);
    /// assert_eq!(memory.size(&store), 2);
    /// assert!(memory.write(&mut store, 2 * 65_536, b"beyond").is_err());
    /// # Ok(())
    /// # }
    /// ```
    Memory
    /// A table.
    ///
    /// ```
    /// use cellule::{Engine, Func, Store, Table, TableType, Val, ValType};
    ///
    /// # fn main() -> cellule::Result<()> {
    /// let mut store = Store::new(&Engine::default(), ());
    /// let ty = TableType::new(ValType::FuncRef, 2, None);
    /// let table = Table::new(&mut store, ty, Val::FuncRef(None))?;
    /// let seven = Func::wrap(&mut store, || 7i32);
    /// table.set(&mut store, 1, Val::FuncRef(Some(seven)))?;
    /// assert_eq!(table.get(&store, 1), Some(Val::FuncRef(Some(seven))));
    /// assert_eq!(table.get(&store, 2), None);
    /// # Ok(())
    /// # }
    /// ```
    Table
    /// A tag of exceptions.
    Tag
}

/// Something that can be imported and exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extern {
    /// A function.
    Func(Func),
    /// A global.
    Global(Global),
    /// A linear memory.
    Memory(Memory),
    /// A table.
    Table(Table),
    /// A tag of exceptions.
    Tag(Tag),
}

macro_rules! into_extern {
    ($($name:ident $into:ident)*) => {
        $(impl From<$name> for Extern {
            fn from(item: $name) -> Extern {
                Extern::$name(item)
            }
        })*
        impl Extern {
            $(#[doc = concat!("The ", stringify!($name), ", if it is one.")]
            pub fn $into(self) -> Option<$name> {
                match self {
                    Extern::$name(item) => Some(item),
                    _ => None,
                }
            })*
        }
    };
}
into_extern!(Func into_func Global into_global Memory into_memory Table into_table Tag into_tag);

impl Extern {
    /// Its type.
    ///
    /// # Panics
    /// If it is another store's.
    pub fn ty(&self, store: impl AsContext) -> ExternType {
        match self {
            Extern::Func(func) => ExternType::Func(func.ty(store)),
            Extern::Global(global) => ExternType::Global(global.ty(store)),
            Extern::Memory(memory) => ExternType::Memory(memory.ty(store)),
            Extern::Table(table) => ExternType::Table(table.ty(store)),
            Extern::Tag(tag) => ExternType::Tag(tag.ty(store)),
        }
    }
}

/// An export of an instance.
#[derive(Clone, Copy, Debug)]
pub struct Export<'a> {
    pub(super) name: &'a str,
    pub(super) item: Extern,
}

impl<'a> Export<'a> {
    /// Its name.
    pub fn name(&self) -> &'a str {
        self.name
    }

    /// Its type.
    ///
    /// # Panics
    /// If it is another store's.
    pub fn ty(&self, store: impl AsContext) -> ExternType {
        self.item.ty(store)
    }

    /// What it is.
    pub fn into_extern(self) -> Extern {
        self.item
    }

    /// The function, if it is one.
    pub fn into_func(self) -> Option<Func> {
        self.item.into_func()
    }

    /// The global, if it is one.
    pub fn into_global(self) -> Option<Global> {
        self.item.into_global()
    }

    /// The memory, if it is one.
    pub fn into_memory(self) -> Option<Memory> {
        self.item.into_memory()
    }

    /// The table, if it is one.
    pub fn into_table(self) -> Option<Table> {
        self.item.into_table()
    }

    /// The tag, if it is one.
    pub fn into_tag(self) -> Option<Tag> {
        self.item.into_tag()
    }
}

/// The error for a value of another type.
fn type_error(what: &str, holds: ValType, value: &Val) -> Error {
    let why = format_args!("a {what} of type {holds} can't hold {}", value.ty());
    Error::of(ErrorKind::Type, why)
}

impl Global {
    /// A global of its own.
    ///
    /// # Errors
    /// If the value is of another type.
    pub fn new(mut store: impl AsContextMut, ty: GlobalType, value: Val) -> Result<Global> {
        let store = store.as_context_mut().0;
        if !value.fits(&store.inner, ty.content) {
            return Err(type_error("global", ty.content, &value));
        }
        let mut slots = [0; 2];
        super::func::lower_all(&mut store.refs(), &[value], &mut slots)?;
        let index = store.inner.new_global(ty, slots)?;
        Ok(Global {
            store: store.id,
            index,
        })
    }

    /// Its type.
    pub fn ty(&self, store: impl AsContext) -> GlobalType {
        let store = store.as_context().0;
        store.inner.global_types[store.own(self.store, self.index)]
    }

    /// Its value.
    pub fn get(&self, store: impl AsContext) -> Val {
        let store = store.as_context().0;
        let at = store.own(self.store, self.index);
        let ty = store.inner.global_types[at].content;
        store.lift(ty, &store.inner.globals[at..])
    }

    /// Changes its value.
    ///
    /// # Errors
    /// If it can't be changed, or the value is of another type.
    pub fn set(&self, mut store: impl AsContextMut, value: Val) -> Result<()> {
        let store = store.as_context_mut().0;
        let at = store.own(self.store, self.index);
        let ty = store.inner.global_types[at];
        if !ty.mutable {
            return Err(Error::of(
                ErrorKind::Type,
                "an immutable global can't be set",
            ));
        }
        if !value.fits(&store.inner, ty.content) {
            return Err(type_error("global", ty.content, &value));
        }
        let mut slots = [0; 2];
        super::func::lower_all(&mut store.refs(), &[value], &mut slots)?;
        let cells = ty.content.slots();
        store.inner.globals[at..at + cells].copy_from_slice(&slots[..cells]);
        Ok(())
    }
}

impl Memory {
    /// A memory of its own.
    ///
    /// # Errors
    /// If a limit or the host's memory doesn't allow it.
    pub fn new(mut store: impl AsContextMut, ty: MemoryType) -> Result<Memory> {
        let store = store.as_context_mut().0;
        let index = new_memory(store, ty, false)?;
        Ok(Memory {
            store: store.id,
            index,
        })
    }

    /// Its type, as it was declared.
    pub fn ty(&self, store: impl AsContext) -> MemoryType {
        let store = store.as_context().0;
        store.inner.memories[store.own(self.store, self.index)].ty
    }

    /// Its size in pages.
    pub fn size(&self, store: impl AsContext) -> u64 {
        let store = store.as_context().0;
        let memory = &store.inner.memories[store.own(self.store, self.index)];
        memory.pages()
    }

    /// Bytes in a page.
    pub fn page_size(&self, store: impl AsContext) -> u64 {
        self.ty(store).page_size()
    }

    /// Its size in bytes.
    pub fn data_size(&self, store: impl AsContext) -> usize {
        self.data(&store).len()
    }

    /// Grows it by `delta` pages; its old size in pages.
    ///
    /// # Errors
    /// If its type, a limit, the limiter or the host's memory doesn't allow it.
    pub fn grow(&self, mut store: impl AsContextMut, delta: u64) -> Result<u64> {
        let store = store.as_context_mut().0;
        let at = store.own(self.store, self.index);
        let refused = || Error::of(ErrorKind::Limit, "the memory can't grow so far");
        let id = self.index;
        if !store.may_grow(Growth::Memory { id, delta })? {
            return Err(refused());
        }
        match store.inner.grow_memory(at, delta) {
            Some(old) => Ok(old),
            None => {
                store.growth_failed(Growth::Memory { id, delta })?;
                Err(refused())
            }
        }
    }

    /// Its bytes.
    pub fn data<'a, T: 'static>(&self, store: impl Into<StoreContext<'a, T>>) -> &'a [u8] {
        let store: &'a Store<T> = store.into().0;
        &store.inner.memories[store.own(self.store, self.index)].bytes
    }

    /// Its bytes.
    pub fn data_mut<'a, T: 'static>(
        &self,
        store: impl Into<StoreContextMut<'a, T>>,
    ) -> &'a mut [u8] {
        self.data_and_store_mut(store).0
    }

    /// Its bytes and the embedder's data.
    pub fn data_and_store_mut<'a, T: 'static>(
        &self,
        store: impl Into<StoreContextMut<'a, T>>,
    ) -> (&'a mut [u8], &'a mut T) {
        let store: &'a mut Store<T> = store.into().0;
        let at = store.own(self.store, self.index);
        (&mut store.inner.memories[at].bytes, &mut store.data)
    }

    /// Copies bytes from `offset` on out of it.
    ///
    /// # Errors
    /// [`Trap::MemoryOutOfBounds`] if they aren't all inside.
    pub fn read(&self, store: impl AsContext, offset: usize, buffer: &mut [u8]) -> Result<()> {
        let end = offset.checked_add(buffer.len());
        let bytes = end.and_then(|end| self.data(&store).get(offset..end));
        buffer.copy_from_slice(bytes.ok_or(Trap::MemoryOutOfBounds)?);
        Ok(())
    }

    /// Copies bytes into it from `offset` on.
    ///
    /// # Errors
    /// [`Trap::MemoryOutOfBounds`] if they wouldn't all be inside.
    pub fn write(&self, mut store: impl AsContextMut, offset: usize, buffer: &[u8]) -> Result<()> {
        let end = offset.checked_add(buffer.len());
        let bytes = end.and_then(|end| self.data_mut(&mut store).get_mut(offset..end));
        bytes
            .ok_or(Trap::MemoryOutOfBounds)?
            .copy_from_slice(buffer);
        Ok(())
    }
}

impl Table {
    /// A table of its own, filled with a reference.
    ///
    /// # Errors
    /// If the reference is of another type, or a limit or the host's memory doesn't allow it.
    pub fn new(mut store: impl AsContextMut, ty: TableType, init: Val) -> Result<Table> {
        let store = store.as_context_mut().0;
        if !init.fits(&store.inner, ty.element) {
            return Err(type_error("table", ty.element, &init));
        }
        let mut refs = store.refs();
        let slot = refs.lower(&init) as u32;
        refs.lowered()?;
        let index = new_table(store, ty, slot)?;
        Ok(Table {
            store: store.id,
            index,
        })
    }

    /// Its type, as it was declared.
    pub fn ty(&self, store: impl AsContext) -> TableType {
        let store = store.as_context().0;
        store.inner.tables[store.own(self.store, self.index)].ty
    }

    /// Its number of elements.
    pub fn size(&self, store: impl AsContext) -> u64 {
        let store = store.as_context().0;
        let table = &store.inner.tables[store.own(self.store, self.index)];
        table.elements.len() as u64
    }

    /// An element; `None` beyond its end.
    pub fn get(&self, store: impl AsContext, index: u64) -> Option<Val> {
        let store = store.as_context().0;
        let table = &store.inner.tables[store.own(self.store, self.index)];
        let slot = *table.elements.get(usize::try_from(index).ok()?)?;
        Some(store.lift(table.ty.element, &[slot.into()]))
    }

    /// Changes an element.
    ///
    /// # Errors
    /// [`Trap::TableOutOfBounds`] beyond its end; a reference of another type.
    pub fn set(&self, store: impl AsContextMut, index: u64, value: Val) -> Result<()> {
        self.fill(store, index, value, 1)
    }

    /// Grows it by `delta` elements; its old number of elements.
    ///
    /// # Errors
    /// If its type, a limit, the limiter or the host's memory doesn't allow it; a reference of
    /// another type.
    pub fn grow(&self, mut store: impl AsContextMut, delta: u64, init: Val) -> Result<u64> {
        let store = store.as_context_mut().0;
        let at = store.own(self.store, self.index);
        let slot = self.slot(store, &init)?;
        let refused = || Error::of(ErrorKind::Limit, "the table can't grow so far");
        let id = self.index;
        if !store.may_grow(Growth::Table { id, delta })? {
            return Err(refused());
        }
        match store.inner.grow_table(at, delta, slot) {
            Some(old) => Ok(old),
            None => {
                store.growth_failed(Growth::Table { id, delta })?;
                Err(refused())
            }
        }
    }

    /// Fills `len` elements from `start` on.
    ///
    /// # Errors
    /// [`Trap::TableOutOfBounds`] beyond its end; a reference of another type.
    pub fn fill(
        &self,
        mut store: impl AsContextMut,
        start: u64,
        value: Val,
        len: u64,
    ) -> Result<()> {
        let store = store.as_context_mut().0;
        let at = store.own(self.store, self.index);
        let slot = self.slot(store, &value)?;
        store.inner.tables[at].span(start, len)?.fill(slot);
        Ok(())
    }

    /// Copies `len` elements of a table into another one, or to another place in the same.
    ///
    /// # Errors
    /// [`Trap::TableOutOfBounds`] beyond the end of either; tables of different types of references.
    pub fn copy(
        mut store: impl AsContextMut,
        dst: &Table,
        dst_start: u64,
        src: &Table,
        src_start: u64,
        len: u64,
    ) -> Result<()> {
        let store = store.as_context_mut().0;
        let (to, from) = (dst.ty(&*store).element, src.ty(&*store).element);
        if to != from {
            let why = format_args!("a table of type {to} can't hold elements of type {from}");
            return Err(Error::of(ErrorKind::Type, why));
        }
        let (to, from) = (
            store.own(dst.store, dst.index),
            store.own(src.store, src.index),
        );
        store.inner.tables[to].span(dst_start, len)?;
        let elements = store.inner.tables[from].span(src_start, len)?;
        let elements = copied(elements)?;
        store.inner.tables[to]
            .span(dst_start, len)?
            .copy_from_slice(&elements);
        Ok(())
    }

    fn slot<T: 'static>(&self, store: &mut Store<T>, value: &Val) -> Result<u32> {
        let ty = self.ty(&*store).element;
        if !value.fits(&store.inner, ty) {
            return Err(type_error("table", ty, value));
        }
        let mut refs = store.refs();
        let slot = refs.lower(value) as u32;
        refs.lowered()?;
        Ok(slot)
    }
}

impl Tag {
    /// A tag of its own, for exceptions that carry the type's parameters.
    ///
    /// # Errors
    /// If the type has results.
    pub fn new(mut store: impl AsContextMut, ty: FuncType) -> Result<Tag> {
        let store = store.as_context_mut().0;
        if !ty.results().is_empty() {
            return Err(Error::of(ErrorKind::Type, "a tag's type has no results"));
        }
        let index = new_tag(store, ty)?;
        Ok(Tag {
            store: store.id,
            index,
        })
    }

    /// Its type: exceptions with it carry the parameters.
    pub fn ty(&self, store: impl AsContext) -> FuncType {
        let store = store.as_context().0;
        store.inner.tags[store.own(self.store, self.index)].clone()
    }
}

pub(super) fn new_tag<T: 'static>(
    store: &mut Store<T>,
    carries: FuncType,
) -> Result<u32, OutOfMemory> {
    store.inner.tags.try_push(carries)?;
    Ok(store.inner.tags.len() as u32 - 1)
}

pub(super) fn new_memory<T: 'static>(
    store: &mut Store<T>,
    ty: MemoryType,
    later: bool,
) -> Result<u32> {
    store.may_add(Counted::Memory)?;
    let allowed = store.may_have_memory(&ty, 0, ty.minimum)?;
    let inner = &mut store.inner;
    let made = match (allowed, later) {
        (false, _) => None,
        (true, true) => inner.new_memory_later(ty)?,
        (true, false) => inner.new_memory(ty)?,
    };
    made.ok_or_else(|| {
        let why = format_args!("a memory of {} pages is beyond the limit", ty.minimum);
        Error::of(ErrorKind::Limit, why)
    })
}

pub(super) fn new_table<T: 'static>(
    store: &mut Store<T>,
    ty: TableType,
    value: u32,
) -> Result<u32> {
    store.may_add(Counted::Table)?;
    let allowed = store.may_have_table(&ty, 0, ty.minimum)?;
    let made = match allowed {
        true => store.inner.new_table(ty, value)?,
        false => None,
    };
    made.ok_or_else(|| {
        let why = format_args!("a table of {} elements is beyond the limit", ty.minimum);
        Error::of(ErrorKind::Limit, why)
    })
}
