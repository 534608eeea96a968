//! What hosts call: the exported functions of a world and of the interfaces it exports.

use super::names;
use super::types::{Generator, Mode, Scope, docs};
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Ident, Result};
use wit_parser::{Function, InterfaceId, TypeId, WorldKey};

impl Generator<'_> {
    /// The tuples of a function's parameters and its result.
    fn signature(&self, scope: Scope<'_>, func: &Function, mode: Mode) -> TokenStream {
        let params = func
            .params
            .iter()
            .map(|param| self.ty(scope, &param.ty, mode));
        let result = func.result.iter().map(|ty| self.ty(scope, ty, Mode::Owned));
        quote!((#(#params,)*), (#(#result,)*))
    }

    /// The type of the field that has an exported function.
    pub fn typed(&self, scope: Scope<'_>, func: &Function) -> TokenStream {
        let cellule = &self.cellule;
        let signature = self.signature(scope, func, Mode::Static);
        quote!(#cellule::component::TypedFunc<#signature>)
    }

    /// The methods that give and call an exported function, which is in a field of `funcs`.
    pub fn call(
        &self,
        scope: Scope<'_>,
        func: &Function,
        funcs: &TokenStream,
    ) -> Result<TokenStream> {
        self.check_func(func)?;
        let cellule = &self.cellule;
        let key = scope.interface.map(|(key, _)| key);
        let flags = self.flags(&self.options.exports, key, &func.name);
        // A keyword is none with a prefix.
        let name = heck::AsSnakeCase(func.item_name()).to_string();
        let [get, call] = ["func_", "call_"].map(|prefix| format_ident!("{prefix}{name}"));
        let field = names::field(self.resolve, func);
        let signature = self.signature(scope, func, Mode::Borrowed);
        let args: Vec<_> = (0..func.params.len())
            .map(|at| format_ident!("arg{at}"))
            .collect();
        let types = func
            .params
            .iter()
            .map(|param| self.ty(scope, &param.ty, Mode::Borrowed));
        let result = self.optional(scope, func.result.as_ref(), Mode::Owned);
        let told = format!("Calls `{}`.", func.name);
        let docs = docs(&func.docs, &told);
        let get_told = format!("The function `{}`.", func.name);
        let value = func.result.map(|_| quote!(value,));
        let returned = match func.result {
            Some(_) => quote!(value),
            None => quote!(()),
        };
        let (is_async, method, wait, bound) = match flags.is_async {
            false => (None, quote!(call), None, None),
            true => (
                Some(quote!(async)),
                quote!(call_async),
                Some(quote!(.await)),
                Some(quote!(where <_S as #cellule::AsContext>::Data: ::core::marker::Send)),
            ),
        };
        let traced = self.traced(scope, func, flags, "wit-bindgen export");
        let calling = quote!(callee.#method(store, (#(#args,)*)));
        let (calling, enter) = match flags.is_async {
            true => (traced.future(calling), None),
            false => (calling, Some(&traced.enter)),
        };
        let span = &traced.span;
        Ok(quote! {
            #[doc = #get_told]
            pub fn #get(&self) -> #cellule::component::TypedFunc<#signature> {
                #cellule::component::__internal::with_params(&#funcs.#field)
            }

            #docs
            pub #is_async fn #call<_S: #cellule::AsContextMut>(
                &self,
                mut store: _S,
                #(#args: #types,)*
            ) -> #cellule::Result<#result> #bound {
                #span
                #enter
                let callee = self.#get();
                let store = #cellule::AsContextMut::as_context_mut(&mut store);
                let (#value) = #calling #wait?;
                ::core::result::Result::Ok(#returned)
            }
        })
    }

    /// The items of an exported interface's module, beside its types.
    pub fn guest(&self, scope: Scope<'_>, key: &WorldKey, id: InterfaceId) -> Result<TokenStream> {
        let interface = &self.resolve.interfaces[id];
        let functions: Vec<&Function> = interface.functions.values().collect();
        let fields: Vec<_> = functions
            .iter()
            .map(|func| names::field(self.resolve, func))
            .collect();
        let types = functions.iter().map(|func| self.typed(scope, func));
        let mut calls = Vec::new();
        let mut resources: Vec<(TypeId, Vec<TokenStream>)> = Vec::new();
        for func in &functions {
            match func.kind.resource() {
                None => calls.push(self.call(scope, func, &quote!(self))?),
                Some(id) => {
                    let call = self.call(scope, func, &quote!(self.funcs))?;
                    match resources.iter_mut().find(|(of, _)| *of == id) {
                        Some((_, calls)) => calls.push(call),
                        None => resources.push((id, vec![call])),
                    }
                }
            }
        }
        let resources = resources.iter().map(|(id, calls)| {
            let kebab = names::of_type(self.resolve, *id);
            let (snake, camel) = (names::snake(kebab), names::camel(kebab));
            let guest = names::joined("Guest", &camel, "");
            let told = format!("Calls of the resource `{kebab}`.");
            let getter = quote! {
                #[doc = #told]
                pub fn #snake(&self) -> #guest<'_> {
                    #guest { funcs: self }
                }
            };
            (getter, quote!(impl #guest<'_> { #(#calls)* }))
        });
        let (getters, resources): (Vec<_>, Vec<_>) = resources.unzip();
        let indices = self.indices(&functions, &fields, &self.resolve.name_world_key(key));
        Ok(quote! {
            /// The functions of the interface, in an instance.
            #[derive(::core::clone::Clone)]
            pub struct Guest { #(#fields: #types,)* }

            #indices

            impl Guest {
                #(#calls)*
                #(#getters)*
            }

            #(#resources)*
        })
    }

    /// The exports of an interface, found once for all instances of a component.
    fn indices(&self, functions: &[&Function], fields: &[Ident], name: &str) -> TokenStream {
        let cellule = &self.cellule;
        let kebabs = functions.iter().map(|func| &func.name);
        let none = format!("no exported instance named `{name}`");
        let lacks = format!("the exported instance `{name}` has no function ");
        quote! {
            /// Where the functions of the interface are in a component.
            #[derive(::core::clone::Clone)]
            pub struct GuestIndices {
                #(#fields: #cellule::component::ComponentExportIndex,)*
            }

            impl GuestIndices {
                /// Finds the functions.
                pub fn new<_T>(
                    instance_pre: &#cellule::component::InstancePre<_T>,
                ) -> #cellule::Result<GuestIndices> {
                    let component = instance_pre.component();
                    let Some(instance) = component.get_export_index(None, #name) else {
                        return ::core::result::Result::Err(#cellule::Error::msg(#none));
                    };
                    let _lookup = |name: &'static ::core::primitive::str| {
                        #cellule::component::__internal::index(component, &instance, name, #lacks)
                    };
                    ::core::result::Result::Ok(GuestIndices { #(#fields: _lookup(#kebabs)?,)* })
                }

                /// The functions in an instance, whose types are checked.
                pub fn load(
                    &self,
                    mut store: impl #cellule::AsContextMut,
                    instance: &#cellule::component::Instance,
                ) -> #cellule::Result<Guest> {
                    let mut _store = #cellule::AsContextMut::as_context_mut(&mut store);
                    let _ = instance;
                    ::core::result::Result::Ok(Guest {
                        #(#fields: instance.get_typed_func(&mut _store, &self.#fields)?,)*
                    })
                }
            }
        }
    }
}
