//! `flags!`: a type of flags with its traits.

use crate::attributes::{component_name, distinct, runtime_crate};
use proc_macro2::{Literal, TokenStream};
use quote::quote;
use syn::parse::{Parse, ParseStream};
use syn::{Attribute, Error, Ident, LitStr, Path, Result, Token, braced};

/// Types of flags have no more.
const MAX_FLAGS: usize = 32;

/// One flag.
struct Flag {
    docs: Vec<Attribute>,
    ident: Ident,
    name: LitStr,
}

impl Parse for Flag {
    fn parse(input: ParseStream<'_>) -> Result<Flag> {
        let attributes = Attribute::parse_outer(input)?;
        input.parse::<Token![const]>()?;
        let ident: Ident = input.parse()?;
        Ok(Flag {
            name: component_name(&ident, &attributes)?,
            docs: passed_on(attributes)?,
            ident,
        })
    }
}

/// Attributes that go onto what is generated.
fn passed_on(mut attributes: Vec<Attribute>) -> Result<Vec<Attribute>> {
    attributes.retain(|attribute| !attribute.path().is_ident("component"));
    let other = attributes.iter().find(|attribute| {
        !["doc", "allow", "deprecated"]
            .iter()
            .any(|name| attribute.path().is_ident(name))
    });
    match other {
        None => Ok(attributes),
        Some(other) => {
            let why = "only `component`, `doc`, `allow` and `deprecated` may stand here";
            Err(Error::new_spanned(other, why))
        }
    }
}

/// What stands in `flags!`.
pub struct Flags {
    docs: Vec<Attribute>,
    /// Where the runtime's crate is.
    cellule: Path,
    ident: Ident,
    flags: Vec<Flag>,
}

impl Parse for Flags {
    fn parse(input: ParseStream<'_>) -> Result<Flags> {
        let attributes = Attribute::parse_outer(input)?;
        let cellule = runtime_crate(&attributes)?;
        let docs = passed_on(attributes)?;
        let ident: Ident = input.parse()?;
        let content;
        braced!(content in input);
        let flags = content.parse_terminated(Flag::parse, Token![;])?;
        let flags: Vec<Flag> = flags.into_iter().collect();
        if flags.is_empty() {
            return Err(Error::new(ident.span(), "there is at least one flag"));
        }
        if let Some(flag) = flags.get(MAX_FLAGS) {
            let why = format!("at most {MAX_FLAGS} flags are possible");
            return Err(Error::new(flag.ident.span(), why));
        }
        distinct(flags.iter().map(|flag| &flag.name))?;
        Ok(Flags {
            docs,
            cellule,
            ident,
            flags,
        })
    }
}

/// The struct with its constants, operators and traits.
pub fn expand(flags: &Flags) -> TokenStream {
    let bits = match flags.flags.len() {
        0..=8 => quote!(u8),
        9..=16 => quote!(u16),
        _ => quote!(u32),
    };
    let (docs, ident) = (&flags.docs, &flags.ident);
    let constants = flags.flags.iter().enumerate().map(|(at, flag)| {
        let (docs, ident, name) = (&flag.docs, &flag.ident, flag.name.value());
        let bit = Literal::u64_unsuffixed(1 << at);
        let told = format!("The flag `{name}`.");
        let docs = match docs
            .iter()
            .any(|attribute| attribute.path().is_ident("doc"))
        {
            true => quote!(#(#docs)*),
            false => quote!(#[doc = #told] #(#docs)*),
        };
        quote!(#docs pub const #ident: Self = Self { __bits: #bit };)
    });
    let told = "Flags of a component.";
    let head = match docs
        .iter()
        .any(|attribute| attribute.path().is_ident("doc"))
    {
        true => quote!(#(#docs)*),
        false => quote!(#[doc = #told] #(#docs)*),
    };
    let mask = Literal::u64_unsuffixed((1 << flags.flags.len()) - 1);
    let operators = operators(ident);
    let debug = debug(flags);
    let traits = traits(flags, &bits);
    quote! {
        #head
        #[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
        pub struct #ident { __bits: #bits }

        #[allow(dead_code)]
        impl #ident {
            #(#constants)*

            /// No flag.
            pub const fn empty() -> Self {
                Self { __bits: 0 }
            }

            /// Every flag.
            pub const fn all() -> Self {
                Self { __bits: #mask }
            }

            /// Whether all flags of `other` are set.
            pub const fn contains(&self, other: Self) -> bool {
                self.__bits & other.__bits == other.__bits
            }

            /// Whether any flag of `other` is set.
            pub const fn intersects(&self, other: Self) -> bool {
                self.__bits & other.__bits != 0
            }

            /// The flags as bits, the first one lowest.
            pub const fn as_array(&self) -> [u32; 1] {
                [self.__bits as u32]
            }
        }

        #operators
        #debug
        #traits
    }
}

fn operators(ident: &Ident) -> TokenStream {
    let binary = [
        (
            "BitOr",
            "bitor",
            "BitOrAssign",
            "bitor_assign",
            quote!(self.__bits | rhs.__bits),
        ),
        (
            "BitAnd",
            "bitand",
            "BitAndAssign",
            "bitand_assign",
            quote!(self.__bits & rhs.__bits),
        ),
        (
            "BitXor",
            "bitxor",
            "BitXorAssign",
            "bitxor_assign",
            quote!(self.__bits ^ rhs.__bits),
        ),
        (
            "Sub",
            "sub",
            "SubAssign",
            "sub_assign",
            quote!(self.__bits & !rhs.__bits),
        ),
    ];
    let binary = binary
        .iter()
        .map(|(of, method, assign, assign_method, bits)| {
            let [of, method, assign, assign_method] =
                [of, method, assign, assign_method].map(|name| Ident::new(name, ident.span()));
            quote! {
                #[automatically_derived]
                impl ::core::ops::#of for #ident {
                    type Output = Self;

                    fn #method(self, rhs: Self) -> Self {
                        Self { __bits: #bits }
                    }
                }

                #[automatically_derived]
                impl ::core::ops::#assign for #ident {
                    fn #assign_method(&mut self, rhs: Self) {
                        *self = ::core::ops::#of::#method(*self, rhs);
                    }
                }
            }
        });
    quote! {
        #(#binary)*

        #[automatically_derived]
        impl ::core::ops::Not for #ident {
            type Output = Self;

            fn not(self) -> Self {
                Self { __bits: Self::all().__bits & !self.__bits }
            }
        }
    }
}

/// `Debug` that names the flags.
fn debug(flags: &Flags) -> TokenStream {
    let ident = &flags.ident;
    let cellule = &flags.cellule;
    let names = flags.flags.iter().map(|flag| flag.ident.to_string());
    let name = ident.to_string();
    quote! {
        #[automatically_derived]
        impl ::core::fmt::Debug for #ident {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                let [bits] = self.as_array();
                #cellule::component::__internal::fmt_flags(f, #name, bits, &[#(#names),*])
            }
        }
    }
}

fn traits(flags: &Flags, bits: &TokenStream) -> TokenStream {
    let ident = &flags.ident;
    let cellule = &flags.cellule;
    let component = quote!(#cellule::component);
    let internal = quote!(#component::__internal);
    let names = flags.flags.iter().map(|flag| &flag.name);
    let ty = quote!(ty: #component::InterfaceType);
    let context = quote!(cx: &mut #component::LowerContext<'_, __Data>);
    quote! {
        #[automatically_derived]
        impl #component::ComponentType for #ident {
            const SIZE32: usize = ::core::mem::size_of::<#bits>();
            const ALIGN32: u32 = Self::SIZE32 as u32;
            const SIZE64: usize = Self::SIZE32;
            const ALIGN64: u32 = Self::ALIGN32;
            const FLAT_COUNT: usize = 1;

            fn typecheck(#ty, types: &#component::InstanceType<'_>) -> #cellule::Result<()> {
                #internal::typecheck_flags(ty, types, &[#(#names),*])
            }
        }

        #[automatically_derived]
        #[allow(unused_variables)]
        impl #component::Lower for #ident {
            fn linear_lower_to_flat<__Data: 'static>(
                &self,
                #context,
                #ty,
                dst: &mut [u64],
            ) -> #cellule::Result<()> {
                dst[0] = ::core::convert::From::from(self.__bits);
                ::core::result::Result::Ok(())
            }

            fn linear_lower_to_memory<__Data: 'static>(
                &self,
                #context,
                #ty,
                offset: usize,
            ) -> #cellule::Result<()> {
                #internal::store_bytes(cx, offset, &self.__bits.to_le_bytes());
                ::core::result::Result::Ok(())
            }
        }

        #[automatically_derived]
        #[allow(unused_variables)]
        impl #component::Lift for #ident {
            fn linear_lift_from_flat(
                cx: &mut #component::LiftContext<'_>,
                #ty,
                src: &[u64],
            ) -> #cellule::Result<Self> {
                // Bits that belong to no flag are left out.
                ::core::result::Result::Ok(Self { __bits: src[0] as #bits } & Self::all())
            }

            fn linear_lift_from_memory(
                cx: &mut #component::LiftContext<'_>,
                #ty,
                bytes: &[u8],
            ) -> #cellule::Result<Self> {
                let bits = #internal::load_bits(bytes, Self::all().as_array()[0]);
                ::core::result::Result::Ok(Self { __bits: bits as #bits })
            }
        }
    }
}
