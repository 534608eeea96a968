//! [`Access`]: the store, given to a function of the host that needs more than its own part of the data.

use super::has_data::{HasData, HasSelf};
use crate::wasm::{AsContext, AsContextMut, StoreContext, StoreContextMut};

/// The store during a call of a function of the host that `bindgen!` was told to give it to, by the flag
/// `store`: with it the function calls guests, drops resources, or reads fuel.
///
/// `D` says which part of the data the host is.
///
/// ```
/// use cellule::component::{Access, Component, HasData, Linker, bindgen};
/// use cellule::{AsContext, AsContextMut, Engine, Store};
///
/// bindgen!({
///     inline: r#"
///         package my:project;
///         world meter {
///             import left: func() -> u64;
///             export run: func() -> u64;
///         }
///     "#,
///     imports: { "left": store },
/// });
///
/// #[derive(Default)]
/// struct State {
///     asked: u32,
/// }
///
/// impl HasData for State {
///     type Data<'a> = &'a mut State;
/// }
///
/// impl<T> MeterImportsWithStore<T> for State {
///     fn left(mut host: Access<'_, T, Self>) -> u64 {
///         host.get().asked += 1;
///         host.as_context_mut().get_fuel().unwrap_or(0)
///     }
/// }
///
/// // What has no access to the store would stand here.
/// impl MeterImports for State {}
///
/// # const GUEST: &str = r#"(component
/// #     (import "left" (func $left (result u64)))
/// #     (core func $left' (canon lower (func $left)))
/// #     (core module $m
/// #         (import "" "left" (func $left (result i64)))
/// #         (func (export "run") (result i64) (call $left)))
/// #     (core instance $m (instantiate $m (with "" (instance (export "left" (func $left'))))))
/// #     (func (export "run") (result u64) (canon lift (core func $m "run"))))"#;
/// # fn main() -> cellule::Result<()> {
/// # let bytes = wat::parse_str(GUEST).expect("valid text");
/// # let engine = Engine::new(cellule::Config::new().consume_fuel(true))?;
/// let component = Component::new(&engine, bytes)?;
/// let mut linker = Linker::new(&engine);
/// Meter::add_to_linker::<State, State>(&mut linker, |state| state)?;
/// let mut store = Store::new(&engine, State::default());
/// store.set_fuel(1000)?;
/// let meter = Meter::instantiate(&mut store, &component, &linker)?;
/// assert!((1..1000).contains(&meter.call_run(&mut store)?));
/// assert_eq!(store.data().asked, 1);
/// # Ok(())
/// # }
/// ```
pub struct Access<'a, T: 'static, D: HasData + ?Sized = HasSelf<T>> {
    store: StoreContextMut<'a, T>,
    get_data: fn(&mut T) -> D::Data<'_>,
}

impl<'a, T: 'static, D: HasData + ?Sized> Access<'a, T, D> {
    /// A store, with the function that finds the host in its data.
    pub fn new(store: StoreContextMut<'a, T>, get_data: fn(&mut T) -> D::Data<'_>) -> Self {
        Access { store, get_data }
    }

    /// The embedder's data.
    pub fn data_mut(&mut self) -> &mut T {
        self.store.data_mut()
    }

    /// The host's part of the data.
    pub fn get(&mut self) -> D::Data<'_> {
        (self.get_data)(self.store.data_mut())
    }

    /// The function that finds the host in the data.
    pub fn getter(&self) -> fn(&mut T) -> D::Data<'_> {
        self.get_data
    }
}

impl<T: 'static, D: HasData + ?Sized> AsContext for Access<'_, T, D> {
    type Data = T;

    fn as_context(&self) -> StoreContext<'_, T> {
        self.store.as_context()
    }
}

impl<T: 'static, D: HasData + ?Sized> AsContextMut for Access<'_, T, D> {
    fn as_context_mut(&mut self) -> StoreContextMut<'_, T> {
        self.store.as_context_mut()
    }
}
