//! Unstable features of WIT: a linker has what is marked with one only where its options say so.

use super::names;
use super::types::Generator;
use proc_macro2::TokenStream;
use quote::quote;
use std::collections::BTreeSet;
use wit_parser::{InterfaceId, Stability, WorldItem};

/// The features that something is marked with, by name.
pub type Features = BTreeSet<String>;

fn note(features: &mut Features, stability: &Stability) {
    if let Stability::Unstable { feature, .. } = stability {
        features.insert(feature.clone());
    }
}

/// Statements that are run only where the feature that something is marked with is asked for.
pub fn gate(stability: &Stability, statements: TokenStream) -> TokenStream {
    match stability {
        Stability::Unstable { feature, .. } => {
            let feature = names::snake(feature);
            quote!(if options.#feature { #statements })
        }
        _ => statements,
    }
}

impl Generator<'_> {
    /// The features of an interface and of what is in it.
    pub fn features_of_interface(&self, id: InterfaceId) -> Features {
        let mut features = Features::new();
        let interface = &self.resolve.interfaces[id];
        note(&mut features, &interface.stability);
        for ty in interface.types.values() {
            note(&mut features, &self.resolve.types[*ty].stability);
        }
        for func in interface.functions.values() {
            note(&mut features, &func.stability);
        }
        features
    }

    /// The features of the world, of what it imports and of what is in that.
    pub fn features_of_world(&self) -> Features {
        let mut features = Features::new();
        let world = &self.resolve.worlds[self.world];
        note(&mut features, &world.stability);
        for item in world.imports.values() {
            match item {
                WorldItem::Interface { id, stability, .. } => {
                    note(&mut features, stability);
                    features.extend(self.features_of_interface(*id));
                }
                WorldItem::Function(func) => note(&mut features, &func.stability),
                WorldItem::Type { id, .. } => {
                    note(&mut features, &self.resolve.types[*id].stability);
                }
            }
        }
        features
    }

    /// The type of the options that switch features on; none without features.
    pub fn link_options(&self, features: &Features) -> Option<TokenStream> {
        if features.is_empty() {
            return None;
        }
        let names = features.iter().map(|feature| names::snake(feature));
        let setters = features.iter().map(|feature| {
            let name = names::snake(feature);
            let told =
                format!("Whether what is marked with the unstable feature `{feature}` is linked.");
            quote! {
                #[doc = #told]
                pub fn #name(&mut self, enabled: ::core::primitive::bool) -> &mut Self {
                    self.#name = enabled;
                    self
                }
            }
        });
        Some(quote! {
            /// Which unstable features a linker is to have; none at first.
            #[derive(::core::clone::Clone, ::core::fmt::Debug, ::core::default::Default)]
            pub struct LinkOptions { #(#names: ::core::primitive::bool,)* }

            #[allow(dead_code)]
            impl LinkOptions { #(#setters)* }
        })
    }

    /// The options of an interface's module from those of the world.
    pub fn link_options_from_world(
        &self,
        module: &TokenStream,
        features: &Features,
    ) -> Option<TokenStream> {
        if features.is_empty() {
            return None;
        }
        let names: Vec<_> = features.iter().map(|name| names::snake(name)).collect();
        Some(quote! {
            impl ::core::convert::From<&LinkOptions> for #module::LinkOptions {
                fn from(world: &LinkOptions) -> Self {
                    let mut options = Self::default();
                    #(options.#names(world.#names);)*
                    options
                }
            }

            impl ::core::convert::From<LinkOptions> for #module::LinkOptions {
                fn from(world: LinkOptions) -> Self {
                    Self::from(&world)
                }
            }
        })
    }

    /// The parameter that takes the options, and the argument that passes them on, if there are any.
    pub fn options_parameter(
        &self,
        features: &Features,
    ) -> (Option<TokenStream>, Option<TokenStream>) {
        let some = !features.is_empty();
        (
            some.then(|| quote!(options: &LinkOptions,)),
            some.then(|| quote!(options,)),
        )
    }
}
