//! Derives for the component types of `cellule`, its `flags!` and its `bindgen!`.
//!
//! Use them from `cellule::component`, which exports them beside the traits that they implement, with
//! examples. What they expand to is safe code that needs neither `std` nor `alloc`; it refers to `::cellule`, or to
//! the path in `#[component(cellule_crate = path)]`.

mod attributes;
#[cfg(feature = "bindgen")]
mod bindgen;
mod expand;
mod flags;
mod input;
#[cfg(test)]
mod tests;

use input::Input;
use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

fn derive(input: DeriveInput, expand: fn(&Input) -> proc_macro2::TokenStream) -> TokenStream {
    Input::new(&input)
        .map(|input| expand(&input))
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}

/// Which component type a Rust type stands for, and how it is laid out.
///
/// An attribute on the type says what it is; `Lift` and `Lower` are derived with the same one:
///
/// - `#[component(record)]`: a `struct` with named fields.
/// - `#[component(variant)]`: an `enum` whose cases have one unnamed field or none.
/// - `#[component(enum)]`: an `enum` whose cases have no field. `#[repr(u8)]` may be there as well.
///
/// Fields and cases have to come in the order of the component's type and have its names. Where a
/// name isn't one in Rust, which is the rule for cases, `#[component(name = "kebab-name")]` tells it.
/// Type parameters are bounded by the trait that is derived. Flags are made by
/// [`flags!`](crate::flags!).
#[proc_macro_derive(ComponentType, attributes(component))]
pub fn component_type(input: TokenStream) -> TokenStream {
    derive(parse_macro_input!(input), expand::component_type)
}

/// Values of the type can be taken from guests.
///
/// The attributes are those of [`ComponentType`](macro@ComponentType), which has to be derived too.
#[proc_macro_derive(Lift, attributes(component))]
pub fn lift(input: TokenStream) -> TokenStream {
    derive(parse_macro_input!(input), expand::lift)
}

/// Values of the type can be passed to guests.
///
/// The attributes are those of [`ComponentType`](macro@ComponentType), which has to be derived too. A
/// type that is only lowered may borrow.
#[proc_macro_derive(Lower, attributes(component))]
pub fn lower(input: TokenStream) -> TokenStream {
    derive(parse_macro_input!(input), expand::lower)
}

/// The type is a public struct with a constant for each flag, `empty`, `all`, `contains`, `intersects` and
/// `as_array`, the operators `|`, `&`, `^`, `-` and `!`, and the three traits of component types.
/// Doc comments go onto it and its constants.
#[proc_macro]
pub fn flags(input: TokenStream) -> TokenStream {
    flags::expand(&parse_macro_input!(input as flags::Flags)).into()
}

/// Rust types and traits for a world of WIT: see `cellule::component::bindgen`, which has the options and
/// examples.
#[cfg(feature = "bindgen")]
#[proc_macro]
pub fn bindgen(input: TokenStream) -> TokenStream {
    bindgen::expand(input.into())
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}
