//! [`ResourceAny`]: a resource whose type the host knows only when running.

use super::{Resource, ResourceDynamic, ResourceType};
use crate::component::call::Call;
use crate::error::{Error, ErrorKind, Result};
use crate::store::components::NONE;
use crate::store::handles::{Dropped, ResourceTag};
use crate::wasm::exec;
use crate::wasm::{AsContextMut, AsyncDtor, HostDtor, Store, StoreContextMut};
use core::task::{Context, Poll, Waker};

/// A handle to a resource of any type, a guest's or the host's, that the host holds.
///
/// It stands in the store's table of the host's handles: one that owns must be passed on or given to
/// [`ResourceAny::resource_drop`], else the resource stays until the store is gone. A borrow that a host
/// function is given ends with its call.
///
/// ```
/// use cellule::component::{Component, Linker, ResourceAny};
/// use cellule::{Engine, Store};
///
/// # fn main() -> cellule::Result<()> {
/// let engine = Engine::default();
/// let component = Component::new(&engine, wat::parse_str(
///     r#"(component
///         (type $thing' (resource (rep i32)))
///         (export $thing "thing" (type $thing'))
///         (core func $new (canon resource.new $thing'))
///         (core module $m
///             (import "" "new" (func $new (param i32) (result i32)))
///             (func (export "make") (result i32) (call $new (i32.const 7))))
///         (core instance $i (instantiate $m (with "" (instance (export "new" (func $new))))))
///         (func (export "make") (result (own $thing)) (canon lift (core func $i "make"))))"#,
/// ).expect("valid text"))?;
/// let mut store = Store::new(&engine, ());
/// let instance = Linker::new(&engine).instantiate(&mut store, &component)?;
/// let make = instance.get_typed_func::<(), (ResourceAny,)>(&mut store, "make")?;
/// let (thing,) = make.call(&mut store, ())?;
/// assert!(thing.owned());
/// assert_eq!(Some(thing.ty()), instance.get_resource(&mut store, "thing"));
/// thing.resource_drop(&mut store)?;
/// // It is gone, and any copy of the handle with it.
/// assert!(thing.resource_drop(&mut store).is_err());
/// # Ok(())
/// # }
/// ```
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
        let taken = store.inner.handles[0].take_own(self.index, self.tag);
        let rep = taken.map_err(|error| Error::of(ErrorKind::Type, error))?;
        store.inner.retire(self.index);
        Ok(rep)
    }

    /// What it names, if it is of a host's type. What owned before leaves the host's table.
    fn into_host<T: 'static>(self, store: &mut Store<T>, ty: ResourceType) -> Result<(u32, bool)> {
        self.check(store)?;
        if store.host_tag(ty) != Some(self.tag) {
            return Err(Error::of(ErrorKind::Type, "resource type mismatch"));
        }
        if self.owned {
            return Ok((self.take(store)?, true));
        }
        Ok((store.inner.handles[0].rep(self.index, self.tag)?, false))
    }

    /// The dynamic handle of what a host's handle names.
    fn from_host<T: 'static>(
        store: &mut Store<T>,
        ty: ResourceType,
        (rep, owned): (u32, bool),
    ) -> Result<ResourceAny> {
        if !owned {
            let why = "a borrowed resource can't be held dynamically";
            return Err(Error::of(ErrorKind::Type, why));
        }
        let Some(tag) = store.host_tag(ty) else {
            let why = "no component of the store imports this resource type";
            return Err(Error::of(ErrorKind::Type, why));
        };
        store.inner.room_for_host_handle()?;
        let index = store.inner.handles[0].insert_own(tag, rep)?;
        Ok(store.host_handle(index, tag, ty))
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
        let (rep, owned) = self.into_host(store, ResourceType::host::<R>())?;
        Ok(match owned {
            true => Resource::new_own(rep),
            false => Resource::new_borrow(rep),
        })
    }

    /// The handle with a type that is known when the host runs, if the resource is of
    /// [`ResourceType::host_dynamic`]. What owned before is passed on to it.
    ///
    /// # Errors
    /// If it is of another type or of another store.
    pub fn try_into_resource_dynamic(
        self,
        mut store: impl AsContextMut,
    ) -> Result<ResourceDynamic> {
        let StoreContextMut(store) = store.as_context_mut();
        let Some(ty) = self.ty.as_host_dynamic() else {
            return Err(Error::of(ErrorKind::Type, "resource type mismatch"));
        };
        let (rep, owned) = self.into_host(store, self.ty)?;
        Ok(match owned {
            true => ResourceDynamic::new_own(rep, ty),
            false => ResourceDynamic::new_borrow(rep, ty),
        })
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
        let held = (resource.rep(), resource.owned());
        ResourceAny::from_host(store, ResourceType::host::<R>(), held)
    }

    /// Drops the resource: its destructor runs if this handle owned it.
    ///
    /// # Errors
    /// If the handle was passed on before or is lent, or what the destructor ends with.
    pub fn resource_drop(self, mut store: impl AsContextMut) -> Result<()> {
        let StoreContextMut(store) = store.as_context_mut();
        match self.begin_drop(store)? {
            Dropping::Done => Ok(()),
            Dropping::Guest(mut call) => {
                call.complete(store)?;
                call.close_plain(store);
                Ok(())
            }
            Dropping::Host(dtor, rep) => {
                let mut context = Context::from_waker(Waker::noop());
                match dtor(StoreContextMut(store), rep)
                    .as_mut()
                    .poll(&mut context)
                {
                    Poll::Ready(result) => result,
                    Poll::Pending => Err(exec::pending()),
                }
            }
        }
    }

    /// As [`ResourceAny::resource_drop`]; where fuel runs out and there is more in reserve, it yields to
    /// the executor.
    ///
    /// # Errors
    /// As [`ResourceAny::resource_drop`].
    pub async fn resource_drop_async(self, mut store: impl AsContextMut) -> Result<()> {
        let StoreContextMut(store) = store.as_context_mut();
        match self.begin_drop(store)? {
            Dropping::Done => Ok(()),
            Dropping::Guest(mut call) => {
                call.complete_async(store).await?;
                call.close_plain(store);
                Ok(())
            }
            Dropping::Host(dtor, rep) => dtor(StoreContextMut(store), rep).await,
        }
    }

    fn begin_drop<T: 'static>(&self, store: &mut Store<T>) -> Result<Dropping<T>> {
        self.check(store)?;
        let inner = &mut store.inner;
        let dropped = inner.handles[0].drop_handle(self.index, self.tag);
        let rep = match dropped.map_err(|error| Error::of(ErrorKind::Type, error))? {
            Dropped::Borrow { scope } => {
                inner.scopes.borrow_dropped(scope);
                inner.host_borrows.retain(|index| *index != self.index);
                inner.retire(self.index);
                return Ok(Dropping::Done);
            }
            Dropped::Own { rep } => rep,
        };
        inner.retire(self.index);
        if let Some(number) = self.tag.host_number() {
            return match store.host_resources[number as usize].dtor.clone() {
                HostDtor::Sync(dtor) => {
                    dtor(StoreContextMut(store), rep)?;
                    Ok(Dropping::Done)
                }
                HostDtor::Async(dtor) => Ok(Dropping::Host(dtor, rep)),
            };
        }
        let dtor = inner.dtor(self.tag);
        if dtor == NONE {
            return Ok(Dropping::Done);
        }
        let number = self.tag.guest_number().unwrap_or(NONE);
        let instance = inner.guest_resources[number as usize].instance;
        let tree = inner.components[instance as usize].tree;
        Call::start(store, tree, dtor, &[rep.into()], None).map(Dropping::Guest)
    }
}

/// What is left to do where a handle was dropped.
enum Dropping<T: 'static> {
    Done,
    /// The guest's destructor runs.
    Guest(Call),
    /// The host's destructor, which may wait, is to be called.
    Host(AsyncDtor<T>, u32),
}

impl<R: 'static> Resource<R> {
    /// See [`ResourceAny::try_into_resource`].
    ///
    /// # Errors
    /// If it is of another type or of another store.
    pub fn try_from_resource_any(resource: ResourceAny, store: impl AsContextMut) -> Result<Self> {
        resource.try_into_resource(store)
    }

    /// See [`ResourceAny::try_from_resource`].
    ///
    /// # Errors
    /// If no instantiated component imports the type `R`, or the resource isn't owned.
    pub fn try_into_resource_any(self, store: impl AsContextMut) -> Result<ResourceAny> {
        ResourceAny::try_from_resource(self, store)
    }
}

impl ResourceDynamic {
    /// See [`ResourceAny::try_into_resource_dynamic`].
    ///
    /// # Errors
    /// If it is of another type or of another store.
    pub fn try_from_resource_any(resource: ResourceAny, store: impl AsContextMut) -> Result<Self> {
        resource.try_into_resource_dynamic(store)
    }

    /// The dynamic handle of it.
    ///
    /// # Errors
    /// If no instantiated component imports its type, or the resource isn't owned.
    pub fn try_into_resource_any(self, mut store: impl AsContextMut) -> Result<ResourceAny> {
        let StoreContextMut(store) = store.as_context_mut();
        let ty = ResourceType::host_dynamic(self.ty());
        ResourceAny::from_host(store, ty, (self.rep(), self.owned()))
    }
}

impl<T: 'static> Store<T> {
    /// The tag of a host's resource type, if a component was instantiated with it.
    fn host_tag(&self, ty: ResourceType) -> Option<ResourceTag> {
        let mut known = self.inner.host_types.iter();
        let number = known.position(|known| *known == ty)?;
        ResourceTag::host(number as u32)
    }

    /// The dynamic handle at an index of the host's table.
    fn host_handle(&self, index: u32, tag: ResourceTag, ty: ResourceType) -> ResourceAny {
        ResourceAny {
            store: self.id,
            index,
            generation: self.inner.generations[index as usize],
            tag,
            ty,
            owned: true,
        }
    }
}
