//! The Rust types that records, variants, enums, flags, aliases and resources become.

use super::names;
use super::ownership::Form;
use super::types::{Generator, Mode, Scope, docs};
use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Ident, Path, Result};
use wit_parser::{Case, Enum, Flags, Record, Type, TypeDef, TypeDefKind, TypeId, Variant};

impl Generator<'_> {
    /// The definition of a named type.
    pub fn define(&self, scope: Scope<'_>, id: TypeId) -> Result<TokenStream> {
        let ty = &self.resolve.types[id];
        self.check(id, ty)?;
        let told = format!("The type `{}`.", names::of_type(self.resolve, id));
        let docs = docs(&ty.docs, &told);
        let forms = self.forms(id);
        let definitions = forms.iter().map(|form| {
            let name = &form.name;
            let definition = match &ty.kind {
                TypeDefKind::Record(record) => self.record(scope, id, form, record),
                TypeDefKind::Variant(variant) => self.variant(scope, id, form, variant),
                TypeDefKind::Enum(cases) => self.enumeration(id, form, cases),
                TypeDefKind::Flags(flags) => return self.flags_type(&docs, name, flags),
                TypeDefKind::Resource => self.resource(scope, id, name),
                kind => {
                    let ty = self.structure(scope, kind, form.mode);
                    let lifetime = &form.lifetime;
                    quote!(pub type #name #lifetime = #ty;)
                }
            };
            quote!(#docs #definition)
        });
        Ok(quote!(#(#definitions)*))
    }

    /// An error if there is something in the type that the runtime hasn't.
    fn check(&self, id: TypeId, ty: &TypeDef) -> Result<()> {
        match self.beyond(&Type::Id(id)) {
            Some(what) => Err(self.unsupported(ty.span, what)),
            None => Ok(()),
        }
    }

    /// What there is in a type that the runtime hasn't.
    pub fn beyond(&self, ty: &Type) -> Option<&'static str> {
        let has = |is: &dyn Fn(&TypeDefKind) -> bool| {
            self.any(ty, &|ty| match ty {
                Type::Id(id) => is(&self.resolve.types[*id].kind),
                _ => false,
            })
        };
        if has(&|kind| matches!(kind, TypeDefKind::Future(_))) {
            Some("a `future`")
        } else if has(&|kind| matches!(kind, TypeDefKind::Stream(_))) {
            Some("a `stream`")
        } else {
            None
        }
    }

    /// The attributes of a type: its kind, our derives and the user's, and what it allows beside them.
    fn head(&self, id: TypeId, kind: &TokenStream, mode: Mode) -> TokenStream {
        let cellule = &self.cellule;
        let ty = Type::Id(id);
        let mut derives: Vec<Path> = self.options.additional_derives.clone();
        let is_there = |derives: &[Path], name: &str| {
            let mut names = derives.iter().filter_map(|path| path.segments.last());
            names.any(|segment| segment.ident == name)
        };
        let mut add = |name: &str, path: Path| {
            if !is_there(&derives, name) {
                derives.push(path);
            }
        };
        add("Debug", syn::parse_quote!(::core::fmt::Debug));
        if !self.has_handle(&ty) {
            add("Clone", syn::parse_quote!(::core::clone::Clone));
            if mode != Mode::Owned || !self.has_list(&ty) {
                add("Copy", syn::parse_quote!(::core::marker::Copy));
            }
        }
        if kind.to_string() == "enum" {
            add("PartialEq", syn::parse_quote!(::core::cmp::PartialEq));
            add("Eq", syn::parse_quote!(::core::cmp::Eq));
        }
        // What borrows isn't taken from guests.
        let lift = (mode == Mode::Owned).then(|| quote!(#cellule::component::Lift,));
        quote! {
            #[derive(
                #cellule::component::ComponentType,
                #lift
                #cellule::component::Lower,
            )]
            #[component(#kind)]
            #[component(cellule_crate = #cellule)]
            #[derive(#(#derives),*)]
        }
    }

    fn record(&self, scope: Scope<'_>, id: TypeId, form: &Form, record: &Record) -> TokenStream {
        let Form {
            name,
            mode,
            lifetime,
        } = form;
        let head = self.head(id, &quote!(record), *mode);
        let fields = record.fields.iter().map(|field| {
            let kebab = &field.name;
            let docs = docs(&field.docs, &format!("The field `{kebab}`."));
            let name = names::snake(kebab);
            let ty = self.ty(scope, &field.ty, *mode);
            quote!(#docs #[component(name = #kebab)] pub #name: #ty)
        });
        let error = self.error_by_debug(id, form);
        quote! {
            #head
            pub struct #name #lifetime { #(#fields,)* }
            #error
        }
    }

    fn variant(&self, scope: Scope<'_>, id: TypeId, form: &Form, all: &Variant) -> TokenStream {
        let Form {
            name,
            mode,
            lifetime,
        } = form;
        let head = self.head(id, &quote!(variant), *mode);
        let cases = all.cases.iter().map(|Case { ty, .. }| {
            ty.as_ref().map(|ty| {
                let ty = self.ty(scope, ty, *mode);
                quote!((#ty))
            })
        });
        let cases = all.cases.iter().zip(cases).map(|(case, payload)| {
            let kebab = &case.name;
            let docs = docs(&case.docs, &format!("The case `{kebab}`."));
            let name = names::camel(kebab);
            quote!(#docs #[component(name = #kebab)] #name #payload)
        });
        let error = self.error_by_debug(id, form);
        quote! {
            #head
            pub enum #name #lifetime { #(#cases,)* }
            #error
        }
    }

    fn enumeration(&self, id: TypeId, form: &Form, all: &Enum) -> TokenStream {
        let name = &form.name;
        let head = self.head(id, &quote!(enum), form.mode);
        let cases = all.cases.iter().map(|case| {
            let kebab = &case.name;
            let docs = docs(&case.docs, &format!("The case `{kebab}`."));
            let name = names::camel(kebab);
            quote!(#docs #[component(name = #kebab)] #name)
        });
        let error = self.errors.contains(&id).then(|| error_enum(name, all));
        quote! {
            #head
            pub enum #name { #(#cases,)* }
            #error
        }
    }

    fn flags_type(&self, docs: &TokenStream, name: &Ident, all: &Flags) -> TokenStream {
        let cellule = &self.cellule;
        let flags = all.flags.iter().map(|flag| {
            let kebab = &flag.name;
            let docs = super::types::docs(&flag.docs, &format!("The flag `{kebab}`."));
            let name = heck::AsShoutySnakeCase(kebab).to_string();
            let name = Ident::new(&name, proc_macro2::Span::call_site());
            quote!(#docs #[component(name = #kebab)] const #name;)
        });
        quote! {
            #cellule::component::flags! {
                #docs
                #[component(cellule_crate = #cellule)]
                #name { #(#flags)* }
            }
        }
    }

    /// A resource: a type of the user's or an opaque one where the host has it, a dynamic handle where
    /// the guest has it.
    fn resource(&self, scope: Scope<'_>, id: TypeId, name: &Ident) -> TokenStream {
        let cellule = &self.cellule;
        let exported = scope.interface.is_some_and(|(_, interface)| {
            let home = self.homes.get(&interface);
            home.is_some_and(|home| home.exported)
        });
        if exported {
            let guest = names::joined("Guest", name, "");
            let told = format!("Calls of the resource `{name}`.");
            return quote! {
                pub type #name = #cellule::component::ResourceAny;

                #[doc = #told]
                pub struct #guest<'a> { funcs: &'a Guest }
            };
        }
        match self.resources.get(&id) {
            Some(alias) => {
                let root = self.root(scope);
                quote!(#[allow(unused_imports)] pub use #root #alias as #name;)
            }
            None => quote!(pub enum #name {}),
        }
    }

    /// What is returned as an error is one in Rust.
    fn error_by_debug(&self, id: TypeId, form: &Form) -> Option<TokenStream> {
        let name = &form.name;
        let is_error = self.errors.contains(&id) && form.mode == Mode::Owned;
        is_error.then(|| {
            quote! {
                impl ::core::fmt::Display for #name {
                    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                        ::core::write!(f, "{:?}", self)
                    }
                }

                impl ::core::error::Error for #name {}
            }
        })
    }
}

/// An enum of errors has names and messages: what its WIT says about the cases.
fn error_enum(name: &Ident, all: &Enum) -> TokenStream {
    let cases = all.cases.iter().map(|case| names::camel(&case.name));
    let cases: Vec<_> = cases.map(ToTokens::into_token_stream).collect();
    let kebabs = all.cases.iter().map(|case| &case.name);
    let messages = all
        .cases
        .iter()
        .map(|case| case.docs.contents.as_deref().unwrap_or("").trim());
    quote! {
        impl #name {
            /// The case's name in WIT.
            pub fn name(&self) -> &'static ::core::primitive::str {
                match self { #(Self::#cases => #kebabs,)* }
            }

            /// What the WIT says about the case.
            pub fn message(&self) -> &'static ::core::primitive::str {
                match self { #(Self::#cases => #messages,)* }
            }
        }

        impl ::core::fmt::Display for #name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                ::core::write!(f, "{} (error {})", self.name(), *self as ::core::primitive::i32)
            }
        }

        impl ::core::error::Error for #name {}
    }
}
