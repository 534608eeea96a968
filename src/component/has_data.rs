//! [`HasData`]: which part of a store's data the functions of an interface are called with.
//!
//! A type parameter of what `bindgen!` generates says it, because a closure's type can't: what is given
//! may borrow from the store's data.

use core::marker::PhantomData;

/// The type of what a host's functions are called with, for each lifetime of the store's data.
///
/// [`HasSelf`] is the one where a part of the data is the host itself. Implement it for a type of your
/// own, which is never made, where the host is a view that borrows several parts.
///
/// ```
/// use cellule::component::{HasData, ResourceTable};
///
/// struct State {
///     table: ResourceTable,
///     names: Vec<String>,
/// }
///
/// struct View<'a> {
///     table: &'a mut ResourceTable,
///     names: &'a mut Vec<String>,
/// }
///
/// struct HasView;
///
/// impl HasData for HasView {
///     type Data<'a> = View<'a>;
/// }
///
/// fn view(state: &mut State) -> <HasView as HasData>::Data<'_> {
///     View {
///         table: &mut state.table,
///         names: &mut state.names,
///     }
/// }
/// # let mut state = State { table: ResourceTable::new(), names: Vec::new() };
/// # view(&mut state).names.push("a".into());
/// # assert!(view(&mut state).table.is_empty());
/// # assert_eq!(state.names, ["a"]);
/// ```
pub trait HasData: 'static {
    /// What the functions are called with.
    type Data<'a>;
}

/// A part of the data is the host itself: the functions are called with `&mut T`.
pub struct HasSelf<T: ?Sized>(PhantomData<T>);

impl<T: ?Sized + 'static> HasData for HasSelf<T> {
    type Data<'a> = &'a mut T;
}
