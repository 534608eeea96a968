//! From the host's values to a guest's: what a context gives to [`Lower`](crate::component::Lower).
//!
//! Room in the guest comes from its `realloc`, which runs nested inside the host's call: it can't
//! leave its instance, so one level of nesting is all there ever is. Fuel that it uses becomes debt.

use super::cross::lower_borrow;
use super::strings::{self, Form, Source, Step, Transcode};
use super::{MAX_LIST_BYTES, aligned, bytes_cost, pair_size, pointer, range, set_pair};
use crate::component::resource::{ResourceAny, ResourceType};
use crate::error::{Error, ErrorKind, Result, Trap};
use crate::store::components::{BoundOptions, NONE, Request};
use crate::store::handles::ResourceTag;
use crate::tables::{ComponentTables, Encoding, TypeId, TypeKind, TypeRow};
use crate::wasm::Store;
use crate::wasm::exec;

/// What lowering stores into and makes handles in.
pub struct LowerContext<'a, T: 'static> {
    pub(crate) store: &'a mut Store<T>,
    pub(crate) tree: u32,
    options: BoundOptions,
    /// Whether a resource has gone to the guest: there is no way back then.
    pub(crate) given: bool,
}

impl<'a, T: 'static> LowerContext<'a, T> {
    /// For the side of a call that `options` describe.
    pub(crate) fn new(store: &'a mut Store<T>, tree: u32, options: BoundOptions) -> Self {
        LowerContext {
            store,
            tree,
            options,
            given: false,
        }
    }

    pub(crate) fn tables(&self) -> &ComponentTables {
        &self.store.inner.trees[self.tree as usize].tables
    }

    pub(crate) fn row(&self, ty: TypeId) -> TypeRow {
        self.tables().ty(ty)
    }

    /// The component instance that it lowers into, as a number of the store.
    pub(crate) fn instance(&self) -> u32 {
        self.options.instance
    }

    /// Whether pointers have 64 bits.
    pub(crate) fn wide(&self) -> bool {
        self.options.wide
    }

    /// Stores a pointer and a length.
    pub(crate) fn set_pair(&mut self, at: usize, pair: (u64, u64)) {
        let wide = self.options.wide;
        set_pair(self.bytes(at, pair_size(wide)), pair, wide);
    }

    /// Counts work as fuel.
    pub(crate) fn spend(&mut self, cost: i64) {
        self.store.inner.spend(cost);
    }

    /// The guest's memory.
    pub(crate) fn memory(&mut self) -> &mut [u8] {
        match self.options.memory {
            NONE => &mut [],
            memory => &mut self.store.inner.memories[memory as usize].bytes,
        }
    }

    /// A range of the memory that was checked when its room was got.
    pub(crate) fn bytes(&mut self, at: usize, len: u32) -> &mut [u8] {
        &mut self.memory()[at..at + len as usize]
    }

    /// Room in the guest's memory.
    pub(crate) fn allocate(&mut self, align: u32, size: u32) -> Result<usize> {
        self.realloc(Request::new(0, 0, align, size))
    }

    /// Room for a list; its pointer and length.
    pub(crate) fn list_room(&mut self, len: usize, size: u32, align: u32) -> Result<(usize, u32)> {
        let bytes = (len as u64).saturating_mul(size.into());
        if bytes > MAX_LIST_BYTES || u32::try_from(len).is_err() {
            let why = "the list is longer than the limit of 2²⁸ − 1 bytes";
            return Err(Error::of(ErrorKind::Type, why));
        }
        Ok((self.allocate(align, bytes as u32)?, len as u32))
    }

    fn realloc(&mut self, request: Request) -> Result<usize> {
        let BoundOptions {
            instance,
            realloc,
            wide,
            ..
        } = self.options;
        if realloc == NONE {
            return self.relay_room(request);
        }
        let args = request.arguments();
        let may_leave = &mut self.store.inner.components[instance as usize].may_leave;
        let before = core::mem::replace(may_leave, false);
        let result = exec::nested(self.store, realloc, &args);
        self.store.inner.components[instance as usize].may_leave = before;
        let ptr = pointer(result?, wide);
        if !aligned(ptr, request.align()) {
            let why = "realloc return: result not aligned";
            return Err(Error::of(ErrorKind::Trap, why));
        }
        if range(self.memory(), ptr, request.new_size().into()).is_none() {
            let why = "realloc return: beyond end of memory";
            return Err(Error::of(ErrorKind::Trap, why));
        }
        Ok(ptr as usize)
    }

    /// Room for what the host passes to itself; see [`Relay`](crate::store::relay::Relay).
    fn relay_room(&mut self, request: Request) -> Result<usize> {
        let relay = self.store.inner.trees[self.tree as usize].relay;
        // Strings and lists are made in one piece there: their encoding is the host's own.
        if relay.memory == NONE || self.options.memory != relay.memory || request.moves() {
            return Err(Trap::UnreachableCodeReached.into());
        }
        let inner = &mut self.store.inner;
        let room = inner.relay_room(self.tree, request.align(), request.new_size());
        Ok(room? as usize)
    }

    /// Stores a string; its pointer and length.
    pub(crate) fn string(&mut self, text: &str) -> Result<(u64, u64)> {
        let limit = self.store.inner.limits.string_bytes;
        let long = || {
            let why = format_args!("the string is longer than the limit of {limit} bytes");
            Error::of(ErrorKind::Type, why)
        };
        let len = u32::try_from(text.len()).map_err(|_| long())?;
        let source = Source::of(Encoding::Utf8, len.into(), false, limit).ok_or_else(long)?;
        self.spend(bytes_cost(len.into()));
        debug_assert_eq!(source.form, Form::Utf8);
        let (mut transcode, mut request) = Transcode::start(source, self.options.encoding);
        loop {
            let ptr = self.realloc(request)?;
            match transcode.resume(ptr, text.as_bytes(), self.memory()) {
                Step::Done { ptr, tagged } => {
                    let len = strings::length(tagged, self.options.wide);
                    return Ok((ptr as u64, len));
                }
                Step::Room(next) => request = next,
            }
        }
    }

    fn resource(&self, ty: TypeId) -> (ResourceTag, bool) {
        let tree = &self.store.inner.trees[self.tree as usize];
        let row = tree.tables.ty(ty);
        (
            tree.resources[row.resource().index()],
            row.kind == TypeKind::Own,
        )
    }

    /// What a handle's type is bound to.
    pub(crate) fn resource_type_of(&self, ty: TypeId) -> ResourceType {
        let inner = &self.store.inner;
        inner.resource_type(self.store.id, self.resource(ty).0)
    }

    /// Makes a handle to a resource in the guest's table.
    pub(crate) fn handle(&mut self, ty: TypeId, rep: u32, owned: bool) -> Result<u32> {
        self.spend(1);
        let (tag, own) = self.resource(ty);
        let instance = self.options.instance;
        if own {
            if !owned {
                let why = "a borrowed resource can't be passed where an owned one is expected";
                return Err(Error::of(ErrorKind::Type, why));
            }
            let handles = &mut self.store.inner.handles[instance as usize];
            let index = handles.insert_own(tag, rep)?;
            self.given = true;
            return Ok(index);
        }
        let inner = &mut self.store.inner;
        lower_borrow(
            &inner.guest_resources,
            &mut inner.handles,
            &mut inner.scopes,
            (instance, tag, rep),
        )
    }

    /// Passes a resource that the host holds dynamically.
    pub(crate) fn resource_any(&mut self, ty: TypeId, resource: &ResourceAny) -> Result<u32> {
        resource.check(self.store)?;
        let (tag, own) = self.resource(ty);
        if resource.tag != tag {
            return Err(Error::of(ErrorKind::Type, "mismatched resource types"));
        }
        let inner = &mut self.store.inner;
        // What isn't the host's to give is its mistake: no trap of the guest's.
        let mistake = |error| Error::of(ErrorKind::Type, error);
        let rep = if own {
            let taken = inner.handles[0].take_own(resource.index, tag);
            let rep = taken.map_err(mistake)?;
            inner.retire(resource.index);
            rep
        } else {
            let lent = inner
                .scopes
                .lend(&mut inner.handles, 0, resource.index, tag);
            lent.map_err(mistake)?
        };
        self.handle(ty, rep, true)
    }
}
