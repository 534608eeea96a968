//! Which resource type a handle is of, as the host tells types apart.

use super::handles::ResourceTag;
use crate::tables::ResourceId;
use core::any::TypeId;
use core::fmt;

/// A resource type. Equal ones are the same type: a host's by the Rust type that stands for it, a
/// guest's by the instantiation that defined it.
///
/// ```
/// use cellule::component::ResourceType;
///
/// struct File;
/// struct Socket;
///
/// assert_eq!(ResourceType::host::<File>(), ResourceType::host::<File>());
/// assert_ne!(ResourceType::host::<File>(), ResourceType::host::<Socket>());
/// assert_ne!(ResourceType::host_dynamic(1), ResourceType::host_dynamic(2));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ResourceType(Kind);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Kind {
    Host(TypeId),
    /// The embedder's number.
    HostDynamic(u32),
    /// Store, tag.
    Guest(u32, ResourceTag),
    /// Of a component that isn't instantiated: address of its tables, resource.
    Uninstantiated(usize, ResourceId),
}

impl ResourceType {
    /// The resource type that the host's `T` stands for.
    pub fn host<T: 'static>() -> ResourceType {
        ResourceType(Kind::Host(TypeId::of::<T>()))
    }

    /// A resource type of the host's that a number stands for, for types that are known only when the
    /// host runs; [`ResourceDynamic`](crate::component::ResourceDynamic) is a resource of it. It differs
    /// from each type that a Rust type stands for.
    pub fn host_dynamic(payload: u32) -> ResourceType {
        ResourceType(Kind::HostDynamic(payload))
    }

    /// The number that stands for it, if it is of [`ResourceType::host_dynamic`].
    pub(crate) fn as_host_dynamic(&self) -> Option<u32> {
        match self.0 {
            Kind::HostDynamic(payload) => Some(payload),
            _ => None,
        }
    }

    /// One that a guest of a store defines.
    pub(crate) fn guest(store: u32, tag: ResourceTag) -> ResourceType {
        ResourceType(Kind::Guest(store, tag))
    }

    /// Its tag, if a guest of this store defines it.
    pub(crate) fn guest_tag(&self, store: u32) -> Option<ResourceTag> {
        match self.0 {
            Kind::Guest(of, tag) if of == store => Some(tag),
            _ => None,
        }
    }

    /// One of a component that isn't instantiated.
    pub(crate) fn uninstantiated(component: usize, resource: ResourceId) -> ResourceType {
        ResourceType(Kind::Uninstantiated(component, resource))
    }

    /// Whether the host's `T` stands for it.
    pub(crate) fn is_host<T: 'static>(&self) -> bool {
        *self == ResourceType::host::<T>()
    }
}

impl fmt::Debug for ResourceType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
