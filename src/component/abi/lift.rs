//! From a guest's values to the host's: what a context gives to [`Lift`](crate::component::Lift).

use super::strings::{self, Form, Source};
use super::{MAX_LIST_BYTES, aligned, bytes_cost, pointer, range};
use crate::component::resource::{ResourceAny, ResourceType};
use crate::error::{Error, ErrorKind, OutOfMemory, Result};
use crate::fallible::{self};
use crate::store::components::BoundOptions;
use crate::store::error_contexts::ErrorContexts;
use crate::store::handles::{HandleTable, ResourceTag, Scopes};
use crate::store::{StoreInner, room_for_generation};
use crate::tables::{ComponentTables, TypeId, TypeKind, TypeRow};
use crate::wasm::Store;
use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

/// What lifting reads from and moves handles out of.
pub struct LiftContext<'a> {
    pub(crate) tables: &'a ComponentTables,
    pub(crate) memory: &'a [u8],
    options: BoundOptions,
    resources: &'a [ResourceTag],
    handles: &'a mut Vec<HandleTable>,
    scopes: &'a mut Scopes,
    error_contexts: &'a ErrorContexts,
    host_borrows: &'a mut Vec<u32>,
    generations: &'a mut Vec<u32>,
    host_types: &'a [ResourceType],
    store: u32,
    tree: u32,
    string_bytes: u32,
    pub(crate) cost: i64,
}

/// Which memory of a store something lies in that is lifted without being copied, and how to lift it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    store: u32,
    tree: u32,
    options: BoundOptions,
}

impl Place {
    /// The memory, for as long as the store is lent.
    ///
    /// # Errors
    /// If it is another store.
    pub fn memory<'a, T: 'static>(&self, store: &'a Store<T>) -> Result<&'a [u8]> {
        if store.id != self.store {
            return Err(self.elsewhere());
        }
        let memory = store.inner.memories.get(self.options.memory as usize);
        Ok(memory.map_or(&[], |memory| &memory.bytes))
    }

    /// What lifts from there.
    ///
    /// # Errors
    /// If it is another store.
    pub fn context<'a, T: 'static>(&self, store: &'a mut Store<T>) -> Result<LiftContext<'a>> {
        if store.id != self.store {
            return Err(self.elsewhere());
        }
        let mut cx = LiftContext::new(&mut store.inner, self.store, self.tree, self.options);
        cx.cost = 0;
        Ok(cx)
    }

    fn elsewhere(&self) -> Error {
        let why = "the string or list is of another store";
        Error::of(ErrorKind::Type, why)
    }
}

impl<'a> LiftContext<'a> {
    /// For the side of a call that `options` describe.
    pub(crate) fn new(
        inner: &'a mut StoreInner,
        store: u32,
        tree: u32,
        options: BoundOptions,
    ) -> LiftContext<'a> {
        let row = &inner.trees[tree as usize];
        // No memory has the number that stands for none.
        let memory = inner.memories.get(options.memory as usize);
        let memory: &[u8] = memory.map_or(&[], |memory| &memory.bytes);
        LiftContext {
            tables: &row.tables,
            memory,
            options,
            resources: &row.resources,
            handles: &mut inner.handles,
            scopes: &mut inner.scopes,
            error_contexts: &inner.error_contexts,
            host_borrows: &mut inner.host_borrows,
            generations: &mut inner.generations,
            host_types: &inner.host_types,
            store,
            tree,
            string_bytes: inner.limits.string_bytes,
            cost: 1,
        }
    }

    /// Where it lifts from, for what is to be lifted later.
    pub(crate) fn place(&self) -> Place {
        Place {
            store: self.store,
            tree: self.tree,
            options: self.options,
        }
    }

    /// Whether pointers have 64 bits.
    pub(crate) fn wide(&self) -> bool {
        self.options.wide
    }

    /// The pointer and length of two slots.
    pub(crate) fn pair(&self, src: &[u64]) -> (u64, u64) {
        let wide = self.options.wide;
        (pointer(src[0], wide), pointer(src[1], wide))
    }

    /// Whether a call is under way that borrows can be lifted in.
    pub(crate) fn may_borrow(&self) -> bool {
        !self.scopes.is_empty()
    }

    /// A record that is passed by the address in a slot.
    pub(crate) fn area(&self, slot: u64, row: TypeRow) -> Result<&'a [u8]> {
        let ptr = pointer(slot, self.options.wide);
        if !aligned(ptr, row.align.into()) {
            return Err(Error::of(ErrorKind::Trap, "pointer not aligned"));
        }
        let outside = || Error::of(ErrorKind::Trap, "pointer out of bounds of memory");
        range(self.memory, ptr, row.size.into()).ok_or_else(outside)
    }

    /// The bytes of a string from its pointer and length, and what they are to be decoded as.
    pub(crate) fn text(&mut self, ptr: u64, tagged: u64) -> Result<(Form, &'a [u8])> {
        let outside = || {
            let why = "string pointer/length out of bounds of memory";
            Error::of(ErrorKind::Trap, why)
        };
        let BoundOptions { encoding, wide, .. } = self.options;
        let source = Source::of(encoding, tagged, wide, self.string_bytes).ok_or_else(outside)?;
        let align = strings::alignment(encoding);
        if !aligned(ptr, align) {
            let why = format_args!("string pointer not aligned to {align}");
            return Err(Error::of(ErrorKind::Trap, why));
        }
        let bytes = range(self.memory, ptr, source.bytes.into()).ok_or_else(outside)?;
        self.cost += bytes_cost(source.bytes.into());
        Ok((source.form, bytes))
    }

    /// A string from its pointer and length.
    pub(crate) fn string(&mut self, ptr: u64, tagged: u64) -> Result<String> {
        let (form, bytes) = self.text(ptr, tagged)?;
        match strings::decode(form, bytes)? {
            Cow::Borrowed(text) => Ok(fallible::text(text)?),
            Cow::Owned(text) => Ok(text),
        }
    }

    /// The bytes of a list from its pointer and length, checked.
    pub(crate) fn list(&mut self, ptr: u64, len: u64, size: u32, align: u32) -> Result<&'a [u8]> {
        let bytes = len.saturating_mul(size.into());
        let outside = || {
            let why = "list pointer/length out of bounds of memory";
            Error::of(ErrorKind::Trap, why)
        };
        if bytes > MAX_LIST_BYTES {
            return Err(outside());
        }
        if !aligned(ptr, align) {
            return Err(Error::of(ErrorKind::Trap, "list pointer is not aligned"));
        }
        range(self.memory, ptr, bytes).ok_or_else(outside)
    }

    /// The message of an error context.
    pub(crate) fn error_message(&mut self, index: u32) -> Result<&str> {
        self.cost += 1;
        let handles = &mut self.handles[self.options.instance as usize];
        let id = handles.error_context(index)?;
        Ok(self.error_contexts.message(id))
    }

    fn resource(&self, ty: TypeId) -> (ResourceTag, bool) {
        let row = self.tables.ty(ty);
        let tag = self.resources[row.resource().index()];
        (tag, row.kind == TypeKind::Own)
    }

    /// The representation behind a handle, and whether it is owned; an owned one leaves its table.
    pub(crate) fn handle(&mut self, ty: TypeId, index: u32) -> Result<(u32, bool)> {
        self.cost += 1;
        let (tag, own) = self.resource(ty);
        let instance = self.options.instance;
        let rep = if own {
            self.handles[instance as usize].take_own(index, tag)?
        } else {
            self.scopes.lend(self.handles, instance, index, tag)?
        };
        Ok((rep, own))
    }

    /// What a handle's type is bound to.
    pub(crate) fn resource_type_of(&self, ty: TypeId) -> ResourceType {
        self.resource_type(self.resource(ty).0)
    }

    fn resource_type(&self, tag: ResourceTag) -> ResourceType {
        let host = tag
            .host_number()
            .and_then(|number| self.host_types.get(number as usize));
        host.copied()
            .unwrap_or_else(|| ResourceType::guest(self.store, tag))
    }

    /// A handle as the host holds it dynamically.
    pub(crate) fn resource_any(&mut self, ty: TypeId, index: u32) -> Result<ResourceAny> {
        room_for_generation(self.generations, &self.handles[0])?;
        self.host_borrows
            .try_reserve(1)
            .map_err(OutOfMemory::from)?;
        let (rep, owned) = self.handle(ty, index)?;
        let (tag, _) = self.resource(ty);
        let index = if owned {
            self.handles[0].insert_own(tag, rep)?
        } else {
            let index = self.scopes.insert_borrow(&mut self.handles[0], tag, rep)?;
            self.host_borrows.push(index);
            index
        };
        Ok(ResourceAny {
            store: self.store,
            index,
            generation: self.generations[index as usize],
            tag,
            ty: self.resource_type(tag),
            owned,
        })
    }
}
