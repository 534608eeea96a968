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

/// Makes Rust types and traits for a world of WIT: what a host implements for the world's imports, and
/// calls of its exports. Needs the feature `bindgen`.
///
/// ```
/// use cellule::component::{Component, HasSelf, Linker, bindgen};
/// use cellule::{Engine, Store};
///
/// bindgen!({
///     inline: r#"
///         package my:project;
///         world hello-world {
///             import name: func() -> string;
///             export greet: func() -> string;
///         }
///     "#,
/// });
///
/// struct State {
///     name: String,
/// }
///
/// impl HelloWorldImports for State {
///     fn name(&mut self) -> String {
///         self.name.clone()
///     }
/// }
///
/// # const GUEST: &str = r#"(component
/// #     (import "name" (func $name (result string)))
/// #     (core module $libc
/// #         (memory (export "memory") 1)
/// #         (global $next (mut i32) (i32.const 1024))
/// #         (func (export "realloc") (param i32 i32 i32 i32) (result i32)
/// #             (global.get $next)
/// #             (global.set $next (i32.add (global.get $next) (local.get 3)))))
/// #     (core instance $libc (instantiate $libc))
/// #     (core func $name' (canon lower (func $name) (memory (core memory $libc "memory"))
/// #         (realloc (core func $libc "realloc"))))
/// #     (core module $m
/// #         (import "" "name" (func $name (param i32)))
/// #         (func (export "greet") (result i32) (call $name (i32.const 8)) (i32.const 8)))
/// #     (core instance $m (instantiate $m
/// #         (with "" (instance (export "name" (func $name'))))))
/// #     (func (export "greet") (result string)
/// #         (canon lift (core func $m "greet") (memory (core memory $libc "memory")))))"#;
/// # fn main() -> cellule::Result<()> {
/// # let bytes = wat::parse_str(GUEST).expect("valid text");
/// let engine = Engine::default();
/// let component = Component::new(&engine, bytes)?;
/// let mut linker = Linker::new(&engine);
/// HelloWorld::add_to_linker::<_, HasSelf<_>>(&mut linker, |state: &mut State| state)?;
/// let mut store = Store::new(&engine, State { name: "me".into() });
/// let world = HelloWorld::instantiate(&mut store, &component, &linker)?;
/// assert_eq!(world.call_greet(&mut store)?, "me");
/// # Ok(())
/// # }
/// ```
///
/// # Where the WIT is
///
/// `bindgen!()` reads the folder `wit` beside `Cargo.toml`, `bindgen!("world")` takes one of its worlds, and
/// `bindgen!("world" in "path")` one of another file or folder. In braces stand options:
///
/// - `path`: a file or folder, or several in brackets; packages of `deps` folders are found.
/// - `inline`: the WIT itself. It can refer to packages of `path`.
/// - `world`: the world's name, where there is more than one.
/// - `interfaces`: instead of a world, what one would consist of; only its interfaces are generated.
///
/// Errors name the line, and bindings are generated again when a file changes.
///
/// # What is generated
///
/// - A struct for the world, with `instantiate`, `instantiate_async`, `new`, `add_to_linker` and
///   a `call_` method for each function it exports; `WorldPre` finds the exports once for all instances.
/// - A trait `WorldImports` of the functions it imports itself.
/// - A module for each interface it imports, `namespace::package::interface`, with its types, a trait
///   `Host`, a trait `HostName` for each resource, and `add_to_linker`. The package's module has the version in its name
///   if there are several.
/// - A module for each interface it exports, `exports::namespace::package::interface`, with its types and
///   a struct `Guest` that a method of the world's struct returns.
///
/// Names, modules and signatures are those of wasmtime's `bindgen!`. The bindings are safe code and need no
/// `std`; maps are `BTreeMap`s.
///
/// # How it is generated
///
/// - `imports` and `exports`: flags of functions, of all in an interface or package, or of the rest
///   (`default`): `imports: { default: async, "my:pkg/iface.func": async | trappable }`. `[drop]name` is a
///   resource's destructor.
///   - `async`: they are futures, which are awaited.
///   - `trappable`: hosts return `cellule::Result`, whose error ends the guest.
///   - `store`: the host's function is given [`Access`](super::Access) to the store. It is in a trait
///     `HostWithStore`, or `WorldImportsWithStore`, of what finds the host in the store's data.
///   - `tracing`: calls are told to the crate `tracing`, which has to be a dependency then; with
///     `verbose_tracing` also the lists and texts among arguments and results.
///   - `exact`: the name is that of a function only.
/// - `with`: Rust types for imported resources, `"my:pkg/iface.resource": MyType`, and modules of other bindings for
///   interfaces, `"my:pkg/iface": other::my::pkg::iface`.
/// - `trappable_error_type`: `{ "my:pkg/iface.error" => MyError }`: hosts return it instead, and
///   `Host::convert_error` makes the guest's error of it or ends the guest.
/// - What WIT marks as `@unstable` is linked where the `LinkOptions` that `add_to_linker` takes then say so.
/// - `ownership: Borrowing { duplicate_if_necessary: true }`: types that are only passed to guests borrow, with `&str` and
///   slices in them; those that also own are there twice, as `NameParam<'a>` and `NameResult`, or with `false`
///   once, and own. Without it all types own, and arguments are references to them.
/// - `additional_derives`: `[PartialEq]`, for all types but flags.
/// - `require_store_data_send`, `skip_mut_forwarding_impls`, `stringify`: as in wasmtime.
/// - `cellule_crate`: the path of this crate, if it isn't `::cellule`.
///
/// Other options and flags of wasmtime's are errors, as are `async func`, `stream` and `future` in WIT.
#[cfg(feature = "bindgen")]
#[doc(inline)]
pub use cellule_macros::bindgen;
