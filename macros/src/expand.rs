//! The impls that derives expand to.
//!
//! All work is done by small functions of `cellule::component::__internal`; what is generated says
//! which fields and cases there are, and in which order.

use crate::input::{Body, Case, FieldOf, Input};
use proc_macro2::TokenStream;
use quote::quote;
use syn::{GenericParam, Generics, Path, parse_quote};

/// Names that every expansion refers to.
struct Names {
    component: TokenStream,
    internal: TokenStream,
    result: TokenStream,
}

impl Names {
    fn new(cellule: &Path) -> Names {
        Names {
            component: quote!(#cellule::component),
            internal: quote!(#cellule::component::__internal),
            result: quote!(#cellule::Result),
        }
    }
}

/// The generics with a bound on each type parameter.
fn bounded(generics: &Generics, bound: &TokenStream) -> Generics {
    let mut generics = generics.clone();
    for param in &mut generics.params {
        if let GenericParam::Type(param) = param {
            param.bounds.push(parse_quote!(#bound));
        }
    }
    generics
}

/// `impl Trait for Type { body }`, with bounds by that trait or another.
fn implement(
    input: &Input<'_>,
    of: &TokenStream,
    bound: &TokenStream,
    body: TokenStream,
) -> TokenStream {
    let generics = bounded(input.generics, bound);
    let (params, args, clause) = generics.split_for_impl();
    let ident = input.ident;
    quote! {
        #[automatically_derived]
        #[allow(deprecated, unused_variables)]
        impl #params #of for #ident #args #clause { #body }
    }
}

/// The expression of a layout, and of the check of a type: both of `__internal`.
fn shape(input: &Input<'_>) -> (TokenStream, TokenStream) {
    let Names {
        component,
        internal,
        ..
    } = Names::new(&input.cellule);
    let check = |ty: &syn::Type| quote!(<#ty as #component::ComponentType>::typecheck);
    match &input.body {
        Body::Record(fields) => {
            let types = fields.iter().map(|field| field.ty);
            let parts = fields.iter().map(|FieldOf { name, ty, .. }| {
                let check = check(ty);
                quote!((#name, #check))
            });
            (
                quote!(record(&[#(#internal::Layout::of::<#types>()),*])),
                quote!(typecheck_record(ty, types, &[#(#parts),*])),
            )
        }
        Body::Variant(cases) => {
            let count = cases.len();
            let types = cases.iter().filter_map(|case| case.payload);
            let parts = cases.iter().map(|Case { name, payload, .. }| {
                let check = match payload.map(check) {
                    Some(check) => quote!(::core::option::Option::Some(#check)),
                    None => quote!(::core::option::Option::None),
                };
                quote!((#name, #check))
            });
            (
                quote!(variant(#count, &[#(#internal::Layout::of::<#types>()),*])),
                quote!(typecheck_variant(ty, types, &[#(#parts),*])),
            )
        }
        Body::Enum(cases) => {
            let count = cases.len();
            let names = cases.iter().map(|case| &case.name);
            (
                quote!(variant(#count, &[])),
                quote!(typecheck_enum(ty, types, &[#(#names),*])),
            )
        }
    }
}

/// `ComponentType`, and the layout that it and the others refer to.
pub fn component_type(input: &Input<'_>) -> TokenStream {
    let Names {
        component,
        internal,
        result,
    } = Names::new(&input.cellule);
    let of = quote!(#component::ComponentType);
    let (layout, check) = shape(input);
    let derived = quote! {
        const LAYOUT: #internal::Layout = #internal::Layout::#layout;
    };
    let derived = implement(input, &quote!(#internal::Derived), &of, derived);
    let typed = quote! {
        const SIZE32: usize = <Self as #internal::Derived>::LAYOUT.size;
        const ALIGN32: u32 = <Self as #internal::Derived>::LAYOUT.align;
        const SIZE64: usize = <Self as #internal::Derived>::LAYOUT.size64;
        const ALIGN64: u32 = <Self as #internal::Derived>::LAYOUT.align64;
        const FLAT_COUNT: usize = <Self as #internal::Derived>::LAYOUT.flat;
        const HAS_HANDLES: bool = <Self as #internal::Derived>::LAYOUT.handles;
        const PLAIN: bool = <Self as #internal::Derived>::LAYOUT.plain;

        fn typecheck(
            ty: #component::InterfaceType,
            types: &#component::InstanceType<'_>,
        ) -> #result<()> {
            #internal::#check
        }
    };
    let typed = implement(input, &of, &of, typed);
    quote!(#derived #typed)
}

/// The bodies that lower to core values and to memory.
fn lowering(input: &Input<'_>) -> (TokenStream, TokenStream) {
    let internal = Names::new(&input.cellule).internal;
    match &input.body {
        Body::Record(fields) => {
            let idents: Vec<_> = fields.iter().map(|field| field.ident).collect();
            let flat = quote! {
                let mut fields = #internal::Fields::new(ty);
                #(fields.lower(&self.#idents, cx, dst)?;)*
                ::core::result::Result::Ok(())
            };
            let memory = quote! {
                let mut fields = #internal::Fields::new(ty);
                #(fields.store(&self.#idents, cx, offset)?;)*
                ::core::result::Result::Ok(())
            };
            (flat, memory)
        }
        Body::Variant(cases) => {
            let arms = |bare: &dyn Fn(u32) -> TokenStream, full: &dyn Fn(u32) -> TokenStream| {
                let arms = (0u32..)
                    .zip(cases)
                    .map(|(number, Case { ident, payload, .. })| {
                        if payload.is_some() {
                            let full = full(number);
                            quote!(Self::#ident(payload) => #internal::#full)
                        } else {
                            let bare = bare(number);
                            quote!(Self::#ident => #internal::#bare)
                        }
                    });
                quote!(match self { #(#arms,)* })
            };
            let flat = arms(
                &|case| quote!(lower_case::<Self>(#case, dst)),
                &|case| quote!(lower_payload::<Self, _, _>(#case, payload, cx, ty, dst)),
            );
            let memory = arms(
                &|case| quote!(store_case::<Self, _>(#case, cx, offset)),
                &|case| quote!(store_payload::<Self, _, _>(#case, payload, cx, ty, offset)),
            );
            (flat, memory)
        }
        Body::Enum(cases) => {
            let idents = cases.iter().map(|case| case.ident);
            let numbers = 0u32..;
            let case = quote!(match self { #(Self::#idents => #numbers,)* });
            (
                quote!(#internal::lower_case::<Self>(#case, dst)),
                quote!(#internal::store_case::<Self, _>(#case, cx, offset)),
            )
        }
    }
}

/// `Lower`.
pub fn lower(input: &Input<'_>) -> TokenStream {
    let Names {
        component, result, ..
    } = Names::new(&input.cellule);
    let (flat, memory) = lowering(input);
    let of = quote!(#component::Lower);
    // The type's own parameters may have any usual name, `T` above all.
    let body = quote! {
        fn linear_lower_to_flat<__Data: 'static>(
            &self,
            cx: &mut #component::LowerContext<'_, __Data>,
            ty: #component::InterfaceType,
            dst: &mut [u64],
        ) -> #result<()> {
            #flat
        }

        fn linear_lower_to_memory<__Data: 'static>(
            &self,
            cx: &mut #component::LowerContext<'_, __Data>,
            ty: #component::InterfaceType,
            offset: usize,
        ) -> #result<()> {
            #memory
        }
    };
    implement(input, &of, &of, body)
}

/// The bodies that lift from core values and from memory.
fn lifting(input: &Input<'_>) -> (TokenStream, TokenStream) {
    let internal = Names::new(&input.cellule).internal;
    let ok = quote!(::core::result::Result::Ok);
    let cases = match &input.body {
        Body::Record(fields) => {
            let idents: Vec<_> = fields.iter().map(|field| field.ident).collect();
            let types: Vec<_> = fields.iter().map(|field| field.ty).collect();
            let flat = quote! {
                let mut fields = #internal::Fields::new(ty);
                #ok(Self { #(#idents: fields.lift::<#types>(cx, src)?,)* })
            };
            let memory = quote! {
                let mut fields = #internal::Fields::new(ty);
                #ok(Self { #(#idents: fields.load::<#types>(cx, bytes)?,)* })
            };
            return (flat, memory);
        }
        Body::Variant(cases) | Body::Enum(cases) => cases,
    };
    let choose = |case: TokenStream, payload: &dyn Fn(u32, &syn::Type) -> TokenStream| {
        let arms = (0u32..).zip(cases).map(|(number, case)| {
            let ident = case.ident;
            match case.payload.map(|ty| payload(number, ty)) {
                Some(payload) => quote!(#number => #ok(Self::#ident(#internal::#payload?))),
                None => quote!(#number => #ok(Self::#ident)),
            }
        });
        quote! {
            match #internal::#case {
                #(#arms,)*
                case => ::core::result::Result::Err(#internal::no_such_case::<Self>(case)),
            }
        }
    };
    let flat = choose(
        quote!(lifted_case(src)),
        &|case, ty| quote!(lift_payload::<#ty>(#case, cx, ty, src)),
    );
    let memory = choose(
        quote!(loaded_case::<Self>(bytes)),
        &|case, ty| quote!(load_payload::<Self, #ty>(#case, cx, ty, bytes)),
    );
    (flat, memory)
}

/// `Lift`.
pub fn lift(input: &Input<'_>) -> TokenStream {
    let Names {
        component, result, ..
    } = Names::new(&input.cellule);
    let (flat, memory) = lifting(input);
    let of = quote!(#component::Lift);
    let body = quote! {
        fn linear_lift_from_flat(
            cx: &mut #component::LiftContext<'_>,
            ty: #component::InterfaceType,
            src: &[u64],
        ) -> #result<Self> {
            #flat
        }

        fn linear_lift_from_memory(
            cx: &mut #component::LiftContext<'_>,
            ty: #component::InterfaceType,
            bytes: &[u8],
        ) -> #result<Self> {
            #memory
        }
    };
    implement(input, &of, &of, body)
}
