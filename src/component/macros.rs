//! The macros for component types, with their examples.
//!
//! The examples stand here and not in the crate of the macros, which would have to depend on this one.

/// Derives [`ComponentType`](trait@super::ComponentType).
///
/// ```
/// use cellule::component::ComponentType;
///
/// #[derive(ComponentType)]
/// #[component(record)]
/// struct Point<N> {
///     x: N,
///     #[component(name = "second-axis")]
///     y: N,
/// }
///
/// #[derive(ComponentType)]
/// #[component(enum)]
/// #[repr(u8)]
/// enum Color {
///     #[component(name = "red")]
///     Red,
///     #[component(name = "green")]
///     Green,
/// }
///
/// assert_eq!(Point::<u16>::SIZE32, 4);
/// assert_eq!(Point::<f64>::ALIGN32, 8);
/// assert_eq!(Color::FLAT_COUNT, 1);
/// ```
#[doc(inline)]
pub use cellule_macros::ComponentType;

/// Derives [`Lift`](trait@super::Lift).
///
/// ```
/// use cellule::Store;
/// use cellule::component::{ComponentType, Instance, Lift};
///
/// #[derive(ComponentType, Lift, Debug)]
/// #[component(variant)]
/// enum Answer {
///     #[component(name = "number")]
///     Number(f64),
///     #[component(name = "words")]
///     Words(Vec<String>),
///     #[component(name = "silence")]
///     Silence,
/// }
///
/// fn ask(store: &mut Store<()>, guest: &Instance) -> cellule::Result<Answer> {
///     let ask = guest.get_typed_func::<(), (Answer,)>(&mut *store, "ask")?;
///     let (answer,) = ask.call(store, ())?;
///     Ok(answer)
/// }
/// ```
#[doc(inline)]
pub use cellule_macros::Lift;

/// Derives [`Lower`](trait@super::Lower).
///
/// ```
/// use cellule::component::{ComponentType, Linker, Lower};
/// use cellule::{Engine, StoreContextMut};
///
/// #[derive(ComponentType, Lower)]
/// #[component(record)]
/// struct Greeting<'a> {
///     text: &'a str,
///     #[component(name = "how-often")]
///     often: u32,
/// }
///
/// # fn main() -> cellule::Result<()> {
/// let mut linker = Linker::<()>::new(&Engine::default());
/// linker.root().func_wrap("greeting", |_: StoreContextMut<'_, ()>, (): ()| {
///     Ok((Greeting { text: "hello", often: 2 },))
/// })?;
/// # Ok(())
/// # }
/// ```
#[doc(inline)]
pub use cellule_macros::Lower;

/// Makes a type for flags of a component: at most 32 of them.
///
/// ```
/// use cellule::component::flags;
///
/// flags! {
///     Permissions {
///         #[component(name = "read")]
///         const READ;
///         #[component(name = "write")]
///         const WRITE;
///         #[component(name = "exec")]
///         const EXEC;
///     }
/// }
///
/// let permissions = Permissions::READ | Permissions::EXEC;
/// assert!(permissions.contains(Permissions::READ));
/// assert!(!permissions.contains(Permissions::READ | Permissions::WRITE));
/// assert_eq!(!permissions, Permissions::WRITE);
/// assert_eq!(format!("{permissions:?}"), "Permissions(READ | EXEC)");
/// ```
#[doc(inline)]
pub use cellule_macros::flags;
