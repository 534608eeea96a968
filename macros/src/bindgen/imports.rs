//! What hosts implement: traits for imported functions and resources, and their way into a linker.

use super::features::gate;
use super::names;
use super::options::Flags;
use super::tracing::Traced;
use super::types::{Generator, Mode, Scope, docs};
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use std::collections::BTreeMap;
use syn::{Ident, Result};
use wit_parser::{Function, FunctionKind, Type, TypeDefKind, TypeId, TypeOwner, WorldItem};

/// A trait with all that it is made of.
#[derive(Default)]
struct Parts {
    supers: Vec<TokenStream>,
    /// Signatures with what forwards them, for a reference to a host.
    methods: Vec<(TokenStream, TokenStream)>,
    /// Signatures of functions that have access to the store: they are in a trait of its own.
    with_store: Vec<TokenStream>,
    /// The traits of that kind that the resources have.
    store_supers: Vec<TokenStream>,
    is_async: bool,
}

impl Parts {
    fn uses_store(&self) -> bool {
        !self.with_store.is_empty() || !self.store_supers.is_empty()
    }
}

/// The functions and resources that are imported together.
pub struct Imported<'a> {
    /// Where they are.
    pub scope: Scope<'a>,
    /// The trait of the functions: `Host`, or the world's.
    pub name: Ident,
    /// Functions of resources too.
    pub functions: Vec<&'a Function>,
    pub resources: Vec<TypeId>,
}

/// What bindings of imports consist of.
pub struct Bound {
    pub traits: TokenStream,
    /// Statements that define everything on `inst`, with `host_getter` of the data.
    pub defining: TokenStream,
    /// Traits that the host has beside the one of the functions.
    pub bounds: Vec<TokenStream>,
    /// The trait of the functions that have access to the store, if there are any.
    pub with_store: Option<Ident>,
    /// Whether some function is asynchronous.
    pub is_async: bool,
}

impl<'a> Generator<'a> {
    fn import_flags(&self, imported: &Imported<'_>, name: &str) -> Flags {
        let key = imported.scope.interface.map(|(key, _)| key);
        self.flags(&self.options.imports, key, name)
    }

    /// The traits of imports, and what defines them in a linker.
    pub fn imported(&self, imported: &Imported<'a>) -> Result<Bound> {
        let (mut traits, mut defining) = (Vec::new(), Vec::new());
        let mut host = Parts::default();
        let mut is_async = false;
        for &resource in &imported.resources {
            let name = self.host_of(resource);
            let mut parts = Parts::default();
            for func in &imported.functions {
                if func.kind.resource() == Some(resource) {
                    self.method(imported, &name, func, &mut parts)?;
                }
            }
            self.drop_method(imported, &name, resource, &mut parts);
            let definition = self.define_resource(imported, &name, resource);
            defining.push(gate(&self.resolve.types[resource].stability, definition));
            is_async |= parts.is_async;
            host.supers.push(quote!(#name));
            if parts.uses_store() {
                let with_store = with_store(&name);
                host.store_supers.push(quote!(#with_store<_T>));
            }
            traits.push((name, parts));
        }
        let mut bounds = BTreeMap::new();
        for func in &imported.functions {
            if func.kind.resource().is_none() {
                self.method(imported, &imported.name, func, &mut host)?;
            }
            let definition = self.define_func(imported, func, &mut bounds)?;
            defining.push(gate(&func.stability, definition));
        }
        self.converters(imported, &mut host);
        is_async |= host.is_async;
        host.is_async = is_async;
        let with_store = host.uses_store().then(|| with_store(&imported.name));
        traits.push((imported.name.clone(), host));
        let traits = traits
            .iter()
            .map(|(name, parts)| self.host_trait(name, parts));
        Ok(Bound {
            traits: quote!(#(#traits)*),
            defining: quote!(#(#defining)*),
            bounds: bounds.into_values().collect(),
            with_store,
            is_async,
        })
    }

    /// The trait of a resource.
    fn host_of(&self, resource: TypeId) -> Ident {
        let name = names::camel(names::of_type(self.resolve, resource));
        names::joined("Host", &name, "")
    }

    fn host_trait(&self, name: &Ident, parts: &Parts) -> TokenStream {
        let mut supers = parts.supers.clone();
        if parts.is_async {
            supers.push(quote!(::core::marker::Send));
        }
        let supers = (!supers.is_empty()).then(|| quote!(: #(#supers)+*));
        let told = match name.to_string().as_str() {
            "Host" => "The functions of the interface, which a host implements.".into(),
            other => match other.strip_prefix("Host") {
                Some(resource) => format!("The functions of the resource `{resource}`."),
                None => "The functions that the world imports.".to_string(),
            },
        };
        let signatures = parts.methods.iter().map(|(signature, _)| signature);
        let forwarded = parts
            .methods
            .iter()
            .map(|(signature, body)| quote!(#signature { #body }));
        let sized = parts.is_async.then(|| quote!(+ ::core::marker::Send));
        let forwarding = (!self.options.skip_mut_forwarding_impls).then(|| {
            quote! {
                impl<_T: #name + ?::core::marker::Sized #sized> #name for &mut _T {
                    #(#forwarded)*
                }
            }
        });
        let with_store = parts.uses_store().then(|| self.store_trait(name, parts));
        quote! {
            #[doc = #told]
            pub trait #name #supers {
                #(#signatures;)*
            }
            #forwarding
            #with_store
        }
    }

    /// The trait of the functions that have access to the store: for what finds the host in its data.
    fn store_trait(&self, host: &Ident, parts: &Parts) -> TokenStream {
        let cellule = &self.cellule;
        let name = with_store(host);
        let mut supers = vec![quote!(#cellule::component::HasData)];
        supers.extend(parts.store_supers.iter().cloned());
        if parts.is_async {
            supers.push(quote!(::core::marker::Send));
        }
        let signatures = &parts.with_store;
        let told = format!("What belongs to `{host}` and has access to the store.");
        quote! {
            #[doc = #told]
            pub trait #name<_T>: #(#supers)+* {
                #(#signatures;)*
            }
        }
    }

    /// The trait that a function is in, and its first argument: the host, or access to the store.
    fn callee(&self, of: &Ident, flags: Flags) -> (TokenStream, TokenStream) {
        if !flags.store {
            return (quote!(#of), quote!(&mut host_getter(store.data_mut())));
        }
        let (cellule, with_store) = (&self.cellule, with_store(of));
        let access = quote! {
            #cellule::component::Access::<'_, _T, _D>::new(
                #cellule::AsContextMut::as_context_mut(&mut store),
                host_getter,
            )
        };
        (quote!(<_D as #with_store<_T>>), access)
    }

    fn method(
        &self,
        imported: &Imported<'_>,
        of: &Ident,
        func: &Function,
        parts: &mut Parts,
    ) -> Result<()> {
        let flags = self.import_flags(imported, &func.name);
        let scope = imported.scope;
        self.check_func(func)?;
        let docs = docs(&func.docs, &format!("The function `{}`.", func.name));
        let name = names::method(func);
        let params: Vec<_> = func
            .params
            .iter()
            .map(|param| names::snake(&param.name))
            .collect();
        let types = func
            .params
            .iter()
            .map(|param| self.ty(scope, &param.ty, Mode::Owned));
        let output = self.output(scope, func, flags);
        parts.is_async |= flags.is_async;
        if flags.store {
            let cellule = &self.cellule;
            let output = match flags.is_async {
                false => output,
                true => future(&output),
            };
            parts.with_store.push(quote! {
                #docs
                fn #name(
                    host: #cellule::component::Access<'_, _T, Self>,
                    #(#params: #types,)*
                ) -> #output
            });
            return Ok(());
        }
        let call = quote!(#of::#name(*self, #(#params,)*));
        let (output, body) = match flags.is_async {
            false => (output, call),
            true => (future(&output), quote!(async move { #call.await })),
        };
        let signature = quote!(#docs fn #name(&mut self, #(#params: #types,)*) -> #output);
        parts.methods.push((signature, body));
        Ok(())
    }

    /// What the host's function returns.
    fn output(&self, scope: Scope<'_>, func: &Function, flags: Flags) -> TokenStream {
        let cellule = &self.cellule;
        let whole = self.optional(scope, func.result.as_ref(), Mode::Owned);
        if !flags.trappable {
            return whole;
        }
        match self.own_error(func) {
            Some((ok, at, _)) => {
                let ok = self.optional(scope, ok.as_ref(), Mode::Owned);
                let root = self.root(scope);
                let error = error_alias(at);
                quote!(::core::result::Result<#ok, #root #error>)
            }
            None => quote!(#cellule::Result<#whole>),
        }
    }

    /// If the host returns a type of its own as the error: what it returns otherwise, the number of
    /// the option, and the error of the WIT.
    fn own_error(&self, func: &Function) -> Option<(Option<Type>, usize, TypeId)> {
        let (ok, err) = self.fallible(func)?;
        let Some(Type::Id(err)) = err else {
            return None;
        };
        let err = self.definition(err);
        Some((ok, *self.trappable.get(&err)?, err))
    }

    fn drop_method(
        &self,
        imported: &Imported<'_>,
        of: &Ident,
        resource: TypeId,
        parts: &mut Parts,
    ) {
        let cellule = &self.cellule;
        let kebab = names::of_type(self.resolve, resource);
        let flags = self.import_flags(imported, &format!("[drop]{kebab}"));
        let name = names::camel(kebab);
        let told = format!(" Runs when the guest drops a `{kebab}` that it owns.");
        let output = quote!(#cellule::Result<()>);
        parts.is_async |= flags.is_async;
        if flags.store {
            let output = match flags.is_async {
                false => output,
                true => future(&output),
            };
            parts.with_store.push(quote! {
                #[doc = #told]
                fn drop(
                    host: #cellule::component::Access<'_, _T, Self>,
                    rep: #cellule::component::Resource<#name>,
                ) -> #output
            });
            return;
        }
        let call = quote!(#of::drop(*self, rep));
        let (output, body) = match flags.is_async {
            false => (output, call),
            true => (future(&output), quote!(async move { #call.await })),
        };
        let signature = quote! {
            #[doc = #told]
            fn drop(&mut self, rep: #cellule::component::Resource<#name>) -> #output
        };
        parts.methods.push((signature, body));
    }

    /// What makes an error of the WIT of the host's own, in the trait of the interface that has it.
    fn converters(&self, imported: &Imported<'_>, host: &mut Parts) {
        let cellule = &self.cellule;
        let Some((_, interface)) = imported.scope.interface else {
            return;
        };
        for (kebab, &id) in &self.resolve.interfaces[interface].types {
            let Some(&at) = self.trappable.get(&id) else {
                continue;
            };
            let name = names::joined("convert_", &names::snake(kebab), "");
            let (of, ty) = (&imported.name, self.name(id, Mode::Owned).0);
            let (root, error) = (self.root(imported.scope), error_alias(at));
            let told = format!(
                " The guest's error for the host's; what fails here ends the guest: `{kebab}`."
            );
            let signature = quote! {
                #[doc = #told]
                fn #name(&mut self, err: #root #error) -> #cellule::Result<#ty>
            };
            host.methods
                .push((signature, quote!(#of::#name(*self, err))));
        }
    }

    fn define_resource(
        &self,
        imported: &Imported<'_>,
        of: &Ident,
        resource: TypeId,
    ) -> TokenStream {
        let cellule = &self.cellule;
        let kebab = names::of_type(self.resolve, resource);
        let name = names::camel(kebab);
        let flags = self.import_flags(imported, &format!("[drop]{kebab}"));
        let (callee, host) = self.callee(of, flags);
        let mut drop = quote! {
            #callee::drop(#host, #cellule::component::Resource::<#name>::new_own(rep))
        };
        let mut method = format_ident!("resource");
        if flags.is_async {
            method = format_ident!("resource_async");
            drop = quote!(#cellule::component::__internal::Box::new(async move { #drop.await }));
        }
        quote! {
            inst.#method(
                #kebab,
                #cellule::component::ResourceType::host::<#name>(),
                move |mut store: #cellule::StoreContextMut<'_, _T>, rep| #drop,
            )?;
        }
    }

    fn define_func(
        &self,
        imported: &Imported<'_>,
        func: &Function,
        bounds: &mut BTreeMap<String, TokenStream>,
    ) -> Result<TokenStream> {
        let cellule = &self.cellule;
        let scope = imported.scope;
        let flags = self.import_flags(imported, &func.name);
        let name = &func.name;
        let args: Vec<_> = (0..func.params.len())
            .map(|at| format_ident!("arg{at}"))
            .collect();
        let types = func
            .params
            .iter()
            .map(|param| self.ty(scope, &param.ty, Mode::Owned));
        let method = names::method(func);
        let of = match func.kind.resource() {
            Some(resource) => self.host_of(resource),
            None => imported.name.clone(),
        };
        let wait = flags.is_async.then(|| quote!(.await));
        let ok = quote!(::core::result::Result::Ok);
        let (callee, host) = self.callee(&of, flags);
        // The host again, for what makes an error of the WIT.
        let again = match flags.store {
            false => quote!(host),
            true => quote!(&mut host_getter(store.data_mut())),
        };
        let result = match (flags.trappable, self.own_error(func)) {
            (true, Some((_, _, error))) => {
                let convert = self.converter(imported, error, bounds);
                quote! {
                    #ok((match r {
                        #ok(value) => #ok(value),
                        ::core::result::Result::Err(error) => {
                            ::core::result::Result::Err(#convert(#again, error)?)
                        }
                    },))
                }
            }
            (true, None) if func.result.is_some() => quote!(#ok((r?,))),
            (true, None) => quote!(r),
            (false, _) if func.result.is_some() => quote!(#ok((r,))),
            (false, _) => quote!(#ok(r)),
        };
        let traced = self.traced(scope, func, flags, "wit-bindgen import");
        let Traced {
            span,
            enter,
            call,
            returned,
            ..
        } = &traced;
        let mut body = quote! {
            #call
            let host = #host;
            let r = #callee::#method(host, #(#args,)*)#wait;
            #returned
            #result
        };
        let mut wrap = quote!(func_wrap);
        if flags.is_async {
            wrap = quote!(func_wrap_async);
            let future = traced.future(quote!(async move { #body }));
            body = quote!(#span #cellule::component::__internal::Box::new(#future));
        } else {
            body = quote!(#span #enter #body);
        }
        Ok(quote! {
            inst.#wrap(
                #name,
                move |mut store: #cellule::StoreContextMut<'_, _T>, (#(#args,)*): (#(#types,)*)| {
                    #body
                },
            )?;
        })
    }

    /// The function that makes an error of the WIT, with the bound of its trait where that is another
    /// interface's.
    fn converter(
        &self,
        imported: &Imported<'_>,
        error: TypeId,
        bounds: &mut BTreeMap<String, TokenStream>,
    ) -> TokenStream {
        let ty = &self.resolve.types[error];
        let name = names::snake(names::of_type(self.resolve, error));
        let name = names::joined("convert_", &name, "");
        let host = match ty.owner {
            TypeOwner::Interface(id) => match self.module(imported.scope, id) {
                Some(module) => {
                    let host = quote!(#module::Host);
                    bounds.insert(host.to_string(), host.clone());
                    host
                }
                None => quote!(Host),
            },
            _ => quote!(Host),
        };
        quote!(#host::#name)
    }

    /// An error if a function is of a kind, or has types, that the runtime hasn't.
    pub fn check_func(&self, func: &Function) -> Result<()> {
        if func.kind.is_async() {
            return Err(self.unsupported(func.span, "an `async func`"));
        }
        if !matches!(
            func.kind,
            FunctionKind::Freestanding
                | FunctionKind::Method(_)
                | FunctionKind::Static(_)
                | FunctionKind::Constructor(_)
        ) {
            return Err(self.unsupported(func.span, "such a function"));
        }
        let types = func.params.iter().map(|param| &param.ty);
        for ty in types.chain(&func.result) {
            if let Some(what) = self.beyond(ty) {
                return Err(self.unsupported(func.span, what));
            }
        }
        Ok(())
    }

    /// What an interface that is imported consists of.
    pub fn of_interface(&self, scope: Scope<'a>) -> Imported<'a> {
        let mut functions = Vec::new();
        let mut resources = Vec::new();
        if let Some((_, id)) = scope.interface {
            let interface = &self.resolve.interfaces[id];
            functions.extend(interface.functions.values());
            resources.extend(interface.types.values().filter(|id| self.is_resource(**id)));
        }
        Imported {
            scope,
            name: format_ident!("Host"),
            functions,
            resources,
        }
    }

    /// What a world imports itself.
    pub fn of_world(&self, scope: Scope<'a>, world: &Ident) -> Imported<'a> {
        let mut imported = Imported {
            scope,
            name: names::joined("", world, "Imports"),
            functions: Vec::new(),
            resources: Vec::new(),
        };
        for item in self.resolve.worlds[self.world].imports.values() {
            match item {
                WorldItem::Function(func) => imported.functions.push(func),
                WorldItem::Type { id, .. } if self.is_resource(*id) => imported.resources.push(*id),
                _ => {}
            }
        }
        imported
    }

    fn is_resource(&self, id: TypeId) -> bool {
        matches!(self.resolve.types[id].kind, TypeDefKind::Resource)
    }
}

/// The trait of those of a host's functions that have access to the store.
fn with_store(host: &Ident) -> Ident {
    names::joined("", host, "WithStore")
}

/// The future of an output, as traits return it.
fn future(output: &TokenStream) -> TokenStream {
    quote! {
        impl ::core::future::Future<Output = #output> + ::core::marker::Send
    }
}

/// What the host's own error is called at the root.
pub fn error_alias(at: usize) -> Ident {
    format_ident!("_TrappableError{at}")
}
