//! Resources: what guests hold by index and hosts by value.
//!
//! The handle tables of component instances are plain data of the store; `table` has the host's own
//! [`ResourceTable`], and this file the typed handle [`Resource`] that stands between them.

mod any;
mod dynamic;
mod table;

pub use crate::store::ResourceType;
pub use any::ResourceAny;
pub use dynamic::ResourceDynamic;
pub use table::{ResourceTable, ResourceTableError};

use core::any::type_name;
use core::fmt;
use core::marker::PhantomData;

/// A host's handle to a resource whose representation stands for a `T`.
///
/// `T` only names the type: nothing of it is stored here. The 32-bit representation is most often
/// an index into a [`ResourceTable`].
///
/// ```
/// use cellule::component::{Resource, ResourceTable};
///
/// struct File {
///     name: String,
/// }
///
/// let mut table = ResourceTable::new();
/// let file: Resource<File> = table.push(File { name: "notes".into() })?;
/// assert!(file.owned());
/// // What a host function that is lent the file is given.
/// let lent = Resource::<File>::new_borrow(file.rep());
/// assert_eq!(table.get(&lent)?.name, "notes");
/// # Ok::<(), cellule::component::ResourceTableError>(())
/// ```
pub struct Resource<T: 'static> {
    rep: u32,
    owned: bool,
    marker: PhantomData<fn() -> T>,
}

impl<T: 'static> Resource<T> {
    /// A handle that owns the resource: passing it to a guest gives it away.
    pub const fn new_own(rep: u32) -> Resource<T> {
        Resource {
            rep,
            owned: true,
            marker: PhantomData,
        }
    }

    /// A handle that only borrows it, for the length of one call.
    pub const fn new_borrow(rep: u32) -> Resource<T> {
        Resource {
            rep,
            owned: false,
            marker: PhantomData,
        }
    }

    /// The representation.
    pub const fn rep(&self) -> u32 {
        self.rep
    }

    /// Whether it owns the resource.
    pub const fn owned(&self) -> bool {
        self.owned
    }
}

impl<T: 'static> fmt::Debug for Resource<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.owned { "own" } else { "borrow" };
        write!(f, "{kind}<{}>({})", type_name::<T>(), self.rep)
    }
}
