//! [`ResourceDynamic`]: a host's resource whose type is a number.

use core::fmt;

/// A host's handle to a resource of a type that is made when the host runs: of
/// [`ResourceType::host_dynamic`](super::ResourceType::host_dynamic), where a
/// [`Resource<T>`](super::Resource) is of a type that the host's source names.
///
/// Which of these types it is, is checked when it is passed.
///
/// ```
/// # #[cfg(feature = "compile")]
/// # fn main() -> cellule::Result<()> {
/// use cellule::component::{Component, Linker, ResourceDynamic, ResourceType};
/// use cellule::{Engine, Store, StoreContextMut};
///
/// let engine = Engine::default();
/// let component = Component::new(&engine, wat::parse_str(
///     r#"(component
///         (import "file" (type $file (sub resource)))
///         (import "open" (func $open (result (own $file))))
///         (core func $open (canon lower (func $open)))
///         (core module $m
///             (import "" "open" (func $open (result i32)))
///             (func (export "run") (result i32) (call $open)))
///         (core instance $i (instantiate $m (with "" (instance (export "open" (func $open))))))
///         (func (export "run") (result (own $file)) (canon lift (core func $i "run"))))"#,
/// ).expect("valid text"))?;
/// const FILE: u32 = 7;
/// let mut linker = Linker::<()>::new(&engine);
/// linker.root().resource("file", ResourceType::host_dynamic(FILE), |_, _| Ok(()))?;
/// linker.root().func_wrap("open", |_: StoreContextMut<'_, ()>, (): ()| {
///     Ok((ResourceDynamic::new_own(40, FILE),))
/// })?;
/// let mut store = Store::new(&engine, ());
/// let instance = linker.instantiate(&mut store, &component)?;
/// let run = instance.get_typed_func::<(), (ResourceDynamic,)>(&mut store, "run")?;
/// let (file,) = run.call(&mut store, ())?;
/// assert_eq!((file.rep(), file.ty(), file.owned()), (40, FILE, true));
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "compile"))]
/// # fn main() {}
/// ```
pub struct ResourceDynamic {
    rep: u32,
    ty: u32,
    owned: bool,
}

impl ResourceDynamic {
    /// A handle that owns a resource of the type that the number stands for.
    pub const fn new_own(rep: u32, ty: u32) -> ResourceDynamic {
        ResourceDynamic {
            rep,
            ty,
            owned: true,
        }
    }

    /// A handle that only borrows it, for the length of one call.
    pub const fn new_borrow(rep: u32, ty: u32) -> ResourceDynamic {
        ResourceDynamic {
            rep,
            ty,
            owned: false,
        }
    }

    /// The representation.
    pub const fn rep(&self) -> u32 {
        self.rep
    }

    /// The number that stands for its type.
    pub const fn ty(&self) -> u32 {
        self.ty
    }

    /// Whether it owns the resource.
    pub const fn owned(&self) -> bool {
        self.owned
    }
}

impl fmt::Debug for ResourceDynamic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.owned { "own" } else { "borrow" };
        write!(f, "{kind}<dynamic {}>({})", self.ty, self.rep)
    }
}
