//! [`ResourceAny`]: a resource whose type the host knows only when running.

use super::{Resource, ResourceType};
use crate::component::call::Call;
use crate::error::{Error, ErrorKind, Result};
use crate::store::components::NONE;
use crate::store::handles::{Dropped, ResourceTag};
use crate::wasm::{AsContextMut, Store, StoreContextMut};

/// A handle to a resource of any type, a guest's or the host's, that the host holds.
///
/// It stands in the store's table of the host's handles: one that owns must be passed on or given to
/// [`ResourceAny::resource_drop`], else the resource stays until the store is gone. A borrow that a host
/// function is given ends with its call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResourceAny {
    pub(crate) store: u32,
    pub(crate) index: u32,
    pub(crate) generation: u32,
    pub(crate) tag: ResourceTag,
    pub(crate) ty: ResourceType,
    pub(crate) owned: bool,
}

impl ResourceAny {
    /// Whether it owns the resource.
    pub fn owned(&self) -> bool {
        self.owned
    }

    /// The resource's type.
    pub fn ty(&self) -> ResourceType {
        self.ty
    }

    /// Whether it names what it named when it was made.
    pub(crate) fn check<T: 'static>(&self, store: &Store<T>) -> Result<()> {
        let current = store.inner.generations.get(self.index as usize);
        if self.store == store.id && current == Some(&self.generation) {
            return Ok(());
        }
        let why = "the resource is of another store, or was passed on or dropped";
        Err(Error::of(ErrorKind::Type, why))
    }

    /// Takes a handle out of the host's table.
    pub(crate) fn take<T: 'static>(&self, store: &mut Store<T>) -> Result<u32> {
        self.check(store)?;
        let rep = store.inner.handles[0].take_own(self.index, self.tag)?;
        store.inner.retire(self.index);
        Ok(rep)
    }

    /// The typed handle, if the resource is the host's `R`. What owned before is passed on to it.
    ///
    /// # Errors
    /// If it is of another type or of another store.
    pub fn try_into_resource<R: 'static>(
        self,
        mut store: impl AsContextMut,
    ) -> Result<Resource<R>> {
        let StoreContextMut(store) = store.as_context_mut();
        self.check(store)?;
        if !store.is_host_resource::<R>(self.tag) {
            return Err(Error::of(ErrorKind::Type, "resource type mismatch"));
        }
        if self.owned {
            return Ok(Resource::new_own(self.take(store)?));
        }
        let rep = store.inner.handles[0].rep(self.index, self.tag)?;
        Ok(Resource::new_borrow(rep))
    }

    /// The dynamic handle of a host's resource.
    ///
    /// # Errors
    /// If no instantiated component imports the type `R`, or the resource isn't owned.
    pub fn try_from_resource<R: 'static>(
        resource: Resource<R>,
        mut store: impl AsContextMut,
    ) -> Result<ResourceAny> {
        let StoreContextMut(store) = store.as_context_mut();
        if !resource.owned() {
            let why = "a borrowed resource can't be held dynamically";
            return Err(Error::of(ErrorKind::Type, why));
        }
        let Some(tag) = store.host_tag::<R>() else {
            let why = "no component of the store imports this resource type";
            return Err(Error::of(ErrorKind::Type, why));
        };
        let index = store.inner.handles[0].insert_own(tag, resource.rep())?;
        Ok(store.host_handle(index, tag, ResourceType::host::<R>()))
    }

    /// Drops the resource: its destructor runs if this handle owned it.
    ///
    /// # Errors
    /// If the handle was passed on before or is lent, or what the destructor ends with.
    pub fn resource_drop(self, mut store: impl AsContextMut) -> Result<()> {
        let StoreContextMut(store) = store.as_context_mut();
        let Some(mut dropping) = self.begin_drop(store)? else {
            return Ok(());
        };
        dropping.complete(store)?;
        dropping.close_plain(store);
        Ok(())
    }

    /// As [`ResourceAny::resource_drop`]; where fuel runs out and there is more in reserve, it yields to
    /// the executor.
    ///
    /// # Errors
    /// As [`ResourceAny::resource_drop`].
    pub async fn resource_drop_async(self, mut store: impl AsContextMut) -> Result<()> {
        let StoreContextMut(store) = store.as_context_mut();
        let Some(mut dropping) = self.begin_drop(store)? else {
            return Ok(());
        };
        dropping.complete_async(store).await?;
        dropping.close_plain(store);
        Ok(())
    }

    fn begin_drop<T: 'static>(&self, store: &mut Store<T>) -> Result<Option<Call>> {
        self.check(store)?;
        let inner = &mut store.inner;
        let rep = match inner.handles[0].drop_handle(self.index, self.tag)? {
            Dropped::Borrow { scope } => {
                inner.scopes.borrow_dropped(scope);
                inner.host_borrows.retain(|index| *index != self.index);
                inner.retire(self.index);
                return Ok(None);
            }
            Dropped::Own { rep } => rep,
        };
        inner.retire(self.index);
        if let Some(number) = self.tag.host_number() {
            let dtor = store.host_resources[number as usize].dtor.clone();
            dtor(StoreContextMut(store), rep)?;
            return Ok(None);
        }
        let dtor = inner.dtor(self.tag);
        if dtor == NONE {
            return Ok(None);
        }
        let number = self.tag.guest_number().unwrap_or(NONE);
        let instance = inner.guest_resources[number as usize].instance;
        let tree = inner.components[instance as usize].tree;
        Call::start(store, tree, dtor, &[rep.into()], None).map(Some)
    }
}

impl<T: 'static> Store<T> {
    /// The tag of a host's resource type, if a component was instantiated with it.
    pub(crate) fn host_tag<R: 'static>(&self) -> Option<ResourceTag> {
        let ty = ResourceType::host::<R>();
        let number = self
            .inner
            .host_types
            .iter()
            .position(|known| *known == ty)?;
        ResourceTag::host(number as u32)
    }

    pub(crate) fn is_host_resource<R: 'static>(&self, tag: ResourceTag) -> bool {
        self.host_tag::<R>() == Some(tag)
    }

    /// The dynamic handle at an index of the host's table.
    fn host_handle(&mut self, index: u32, tag: ResourceTag, ty: ResourceType) -> ResourceAny {
        let generations = &mut self.inner.generations;
        if generations.len() <= index as usize {
            generations.resize(index as usize + 1, 0);
        }
        ResourceAny {
            store: self.id,
            index,
            generation: generations[index as usize],
            tag,
            ty,
            owned: true,
        }
    }
}
