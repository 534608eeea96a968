//! The world's own items, and the tree of modules with those of its interfaces.

use super::features::{Features, gate};
use super::imports::{Bound, error_alias};
use super::names;
use super::types::{Generator, Scope, alias};
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use std::collections::BTreeMap;
use syn::{Ident, Result};
use wit_parser::{Function, InterfaceId, Stability, WorldItem, WorldKey};

/// Modules by name, with what is in them.
#[derive(Default)]
struct Tree {
    modules: BTreeMap<String, Tree>,
    contents: TokenStream,
}

impl Tree {
    fn put(&mut self, path: &[Ident], contents: TokenStream) {
        match path {
            [] => self.contents.extend(contents),
            [first, rest @ ..] => {
                let next = self.modules.entry(first.to_string()).or_default();
                next.put(rest, contents);
            }
        }
    }

    fn tokens(&self) -> TokenStream {
        let modules = self.modules.iter().map(|(name, tree)| {
            let (name, inner) = (format_ident!("{name}"), tree.tokens());
            quote! {
                #[allow(missing_docs, dead_code, unused_imports, clippy::all)]
                pub mod #name { #inner }
            }
        });
        let contents = &self.contents;
        quote!(#contents #(#modules)*)
    }
}

/// What the world exports: a field of its struct.
struct Export {
    field: Ident,
    ty: TokenStream,
    index_ty: TokenStream,
    /// The expression that finds it, of `instance_pre`.
    find: TokenStream,
    /// The expression that loads it, of `store` and `instance`.
    load: TokenStream,
    methods: TokenStream,
}

/// An interface that is imported, as the linker is to have it.
struct Linked {
    module: TokenStream,
    /// It has functions with access to the store.
    with_store: bool,
    /// Of its import, which may be unstable where the interface itself isn't.
    stability: Stability,
    features: Features,
    is_async: bool,
}

impl<'a> Generator<'a> {
    /// All bindings.
    pub fn world(&self) -> Result<TokenStream> {
        let root = Scope {
            interface: None,
            depth: 0,
        };
        let world = &self.resolve.worlds[self.world];
        let only_interfaces = self.options.interfaces.is_some();
        let (mut tree, mut linked) = (Tree::default(), Vec::new());
        let mut types = Vec::new();
        for (key, item) in &world.imports {
            match item {
                WorldItem::Interface { id, stability, .. } => {
                    linked.push(self.import(key, *id, stability.clone(), &mut tree)?);
                }
                WorldItem::Type { id, .. } => types.push(self.define(root, *id)?),
                WorldItem::Function(_) => {}
            }
        }
        let mut exports = Vec::new();
        for (key, item) in &world.exports {
            match item {
                WorldItem::Interface { id, .. } => {
                    let at = exports.len();
                    exports.push(self.export(key, *id, at, &mut tree)?);
                }
                WorldItem::Function(func) => exports.push(self.export_func(root, func)?),
                WorldItem::Type { .. } => {}
            }
        }
        let mut own = TokenStream::new();
        if !only_interfaces {
            own = self.world_items(root, &linked, &exports)?;
        }
        let aliases = self.aliases();
        let modules = tree.tokens();
        Ok(quote! {
            #aliases
            #(#[allow(missing_docs, clippy::all)] #types)*
            #own
            #modules
        })
    }

    /// What the user gave for types and modules, where every module reaches it.
    fn aliases(&self) -> TokenStream {
        let with = self.options.with.iter().enumerate().map(|(at, with)| {
            let (alias, path) = (alias(at), &with.path);
            quote!(#[doc(hidden)] #[allow(unused_imports)] pub use #path as #alias;)
        });
        let errors = self.options.trappable_errors.iter().enumerate();
        let errors = errors.map(|(at, error)| {
            let (alias, path) = (error_alias(at), &error.path);
            quote!(#[doc(hidden)] #[allow(dead_code)] pub type #alias = #path;)
        });
        quote!(#(#with)* #(#errors)*)
    }

    fn scope(&self, key: &'a WorldKey, id: InterfaceId) -> Scope<'a> {
        Scope {
            interface: Some((key, id)),
            depth: self.homes[&id].path.len(),
        }
    }

    fn types(&self, scope: Scope<'_>, id: InterfaceId) -> Result<TokenStream> {
        let types = self.resolve.interfaces[id].types.values();
        types.map(|id| self.define(scope, *id)).collect()
    }

    /// The module of an imported interface.
    fn import(
        &self,
        key: &'a WorldKey,
        id: InterfaceId,
        stability: Stability,
        tree: &mut Tree,
    ) -> Result<Linked> {
        let features = self.features_of_interface(id);
        let (scope, home) = (self.scope(key, id), &self.homes[&id]);
        let path = &home.path;
        if let Some(replaced) = &home.replaced {
            // It is reached under its usual name all the same.
            let root = self.root(scope);
            tree.put(path, quote!(pub use #root #replaced::*;));
            let functions = self.resolve.interfaces[id].functions.keys();
            let flags = functions.map(|name| self.flags(&self.options.imports, Some(key), name));
            let flags: Vec<_> = flags.collect();
            return Ok(Linked {
                module: replaced.clone(),
                with_store: flags.iter().any(|flags| flags.store),
                stability,
                features,
                is_async: flags.iter().any(|flags| flags.is_async),
            });
        }
        let types = self.types(scope, id)?;
        let bound = self.imported(&self.of_interface(scope))?;
        let traits = &bound.traits;
        let link_options = self.link_options(&features);
        let linking = self.interface_linking(key, id, &bound, &features);
        tree.put(path, quote!(#types #traits #link_options #linking));
        Ok(Linked {
            module: quote!(#(#path)::*),
            with_store: bound.with_store.is_some(),
            stability,
            features,
            is_async: bound.is_async,
        })
    }

    /// The functions that define an interface in a linker.
    fn interface_linking(
        &self,
        key: &WorldKey,
        id: InterfaceId,
        bound: &Bound,
        features: &Features,
    ) -> TokenStream {
        let cellule = &self.cellule;
        let name = self.resolve.name_world_key(key);
        let send = bound.is_async.then(|| quote!(+ ::core::marker::Send));
        let (options, pass_options) = self.options_parameter(features);
        let stability = &self.resolve.interfaces[id].stability;
        let defining = gate(stability, bound.defining.clone());
        let has_data = match &bound.with_store {
            Some(with_store) => quote!(#with_store<_T>),
            None => quote!(#cellule::component::HasData),
        };
        let bounds = &bound.bounds;
        let data = quote! {
            where
                _D: #has_data,
                for<'a> _D::Data<'a>: Host #(+ #bounds)*,
                _T: 'static #send,
        };
        quote! {
            /// Defines what the interface has in an instance of a linker.
            pub fn add_to_linker_instance<_T, _D>(
                inst: &mut #cellule::component::LinkerInstance<'_, _T>,
                #options
                host_getter: fn(&mut _T) -> _D::Data<'_>,
            ) -> #cellule::Result<()>
            #data
            {
                let _ = (&inst, host_getter);
                #defining
                ::core::result::Result::Ok(())
            }

            /// Defines the interface in a linker; `host_getter` finds the host in the store's data.
            pub fn add_to_linker<_T, _D>(
                linker: &mut #cellule::component::Linker<_T>,
                #options
                host_getter: fn(&mut _T) -> _D::Data<'_>,
            ) -> #cellule::Result<()>
            #data
            {
                let mut inst = linker.instance(#name)?;
                add_to_linker_instance::<_T, _D>(&mut inst, #pass_options host_getter)
            }
        }
    }

    /// The module of an exported interface, and its field in the world.
    fn export(
        &self,
        key: &'a WorldKey,
        id: InterfaceId,
        at: usize,
        tree: &mut Tree,
    ) -> Result<Export> {
        let (scope, path) = (self.scope(key, id), &self.homes[&id].path);
        let types = self.types(scope, id)?;
        let guest = self.guest(scope, key, id)?;
        tree.put(path, quote!(#types #guest));
        let field = format_ident!("interface{at}");
        let names: Vec<String> = path.iter().skip(1).map(ToString::to_string).collect();
        let method = format_ident!("{}", names.join("_"));
        let module = quote!(#(#path)::*);
        let told = format!(
            "The exported interface `{}`.",
            self.resolve.name_world_key(key)
        );
        Ok(Export {
            find: quote!(#module::GuestIndices::new(_instance_pre)?),
            load: quote!(self.#field.load(&mut _store, instance)?),
            methods: quote! {
                #[doc = #told]
                pub fn #method(&self) -> &#module::Guest {
                    &self.#field
                }
            },
            ty: quote!(#module::Guest),
            index_ty: quote!(#module::GuestIndices),
            field,
        })
    }

    fn export_func(&self, root: Scope<'_>, func: &Function) -> Result<Export> {
        let cellule = &self.cellule;
        let field = names::field(self.resolve, func);
        let name = &func.name;
        let none = format!("no export `{name}` found");
        Ok(Export {
            ty: self.typed(root, func),
            index_ty: quote!(#cellule::component::ComponentExportIndex),
            find: quote! {
                match _instance_pre.component().get_export_index(None, #name) {
                    ::core::option::Option::Some(index) => index,
                    ::core::option::Option::None => {
                        return ::core::result::Result::Err(#cellule::Error::msg(#none));
                    }
                }
            },
            load: quote!(instance.get_typed_func(&mut _store, &self.#field)?),
            methods: self.call(root, func, &quote!(self))?,
            field,
        })
    }

    /// The structs of the world, and what it imports itself.
    fn world_items(
        &self,
        root: Scope<'a>,
        linked: &[Linked],
        exports: &[Export],
    ) -> Result<TokenStream> {
        let kebab = &self.resolve.worlds[self.world].name;
        let name = names::world(kebab);
        let own = self.of_world(root, &name);
        let bound = match own.functions.is_empty() && own.resources.is_empty() {
            true => None,
            false => Some(self.imported(&own)?),
        };
        let traits = bound.as_ref().map(|bound| &bound.traits);
        let linking = self.add_to_linker(&own.name, bound.as_ref(), linked);
        let structs = self.structs(&name, kebab, exports);
        let methods = exports.iter().map(|export| &export.methods);
        let options = self.world_options(linked);
        Ok(quote! {
            #traits
            #options
            #structs

            #[allow(dead_code, clippy::all)]
            impl #name {
                #linking
                #(#methods)*
            }
        })
    }

    /// The functions that define the world's imports in a linker; none without imports.
    fn add_to_linker(
        &self,
        own: &Ident,
        bound: Option<&Bound>,
        linked: &[Linked],
    ) -> Option<TokenStream> {
        if bound.is_none() && linked.is_empty() {
            return None;
        }
        let options = self.options;
        let is_async = bound.is_some_and(|bound| bound.is_async)
            || linked.iter().any(|linked| linked.is_async)
            || options.imports.default.is_async
            || options.exports.default.is_async
            || options.require_store_data_send;
        let stability = &self.resolve.worlds[self.world].stability;
        let imports = bound.map(|bound| {
            let name = format_ident!("add_to_linker_imports");
            let mut bounds = vec![quote!(#own)];
            bounds.extend(bound.bounds.iter().cloned());
            let stores = bound.with_store.iter().map(|name| quote!(#name<_T>));
            let signature = self.world_linking(&name, stores.collect(), &bounds, is_async);
            let defining = gate(stability, bound.defining.clone());
            quote! {
                /// Defines what the world imports itself, beside interfaces.
                #signature
                {
                    let mut inst = linker.root();
                    #defining
                    ::core::result::Result::Ok(())
                }
            }
        });
        let hosts = linked.iter();
        let mut bounds: Vec<_> = hosts
            .map(|Linked { module, .. }| quote!(#module::Host))
            .collect();
        let mut stores = Vec::new();
        if let Some(bound) = bound {
            bounds.push(quote!(#own));
            bounds.extend(bound.bounds.iter().cloned());
            stores.extend(bound.with_store.iter().map(|name| quote!(#name<_T>)));
        }
        let with_store = linked.iter().filter(|linked| linked.with_store);
        stores.extend(with_store.map(|Linked { module, .. }| quote!(#module::HostWithStore<_T>)));
        let name = format_ident!("add_to_linker");
        let signature = self.world_linking(&name, stores, &bounds, is_async);
        let (_, pass_options) = self.options_parameter(&self.features_of_world());
        let own = bound.map(
            |_| quote!(Self::add_to_linker_imports::<_T, _D>(linker, #pass_options host_getter)?;),
        );
        let modules = linked.iter().map(|linked| {
            let module = &linked.module;
            let options = (!linked.features.is_empty())
                .then(|| quote!(&#module::LinkOptions::from(options),));
            let define = quote!(
                #module::add_to_linker::<_T, _D>(linker, #options host_getter)?;
            );
            gate(&linked.stability, define)
        });
        let define = gate(stability, quote!(#own #(#modules)*));
        Some(quote! {
            #imports

            /// Defines everything that the world imports; `host_getter` finds the host in the store's
            /// data.
            #signature
            {
                #define
                ::core::result::Result::Ok(())
            }
        })
    }

    /// The head of a function that defines imports of the world: `stores` are the traits of what finds
    /// the host, `bounds` those of the host.
    fn world_linking(
        &self,
        name: &Ident,
        stores: Vec<TokenStream>,
        bounds: &[TokenStream],
        is_async: bool,
    ) -> TokenStream {
        let cellule = &self.cellule;
        let (options, _) = self.options_parameter(&self.features_of_world());
        let send = is_async.then(|| quote!(+ ::core::marker::Send));
        let data = match &stores[..] {
            [] => quote!(#cellule::component::HasData),
            some => quote!(#(#some)+*),
        };
        quote! {
            pub fn #name<_T, _D>(
                linker: &mut #cellule::component::Linker<_T>,
                #options
                host_getter: fn(&mut _T) -> _D::Data<'_>,
            ) -> #cellule::Result<()>
            where
                _D: #data,
                for<'a> _D::Data<'a>: #(#bounds)+*,
                _T: 'static #send,
        }
    }

    /// The options of the world, and how those of its interfaces are made of them.
    fn world_options(&self, linked: &[Linked]) -> TokenStream {
        let of_world = self.link_options(&self.features_of_world());
        let of_modules = linked
            .iter()
            .map(|linked| self.link_options_from_world(&linked.module, &linked.features));
        quote!(#of_world #(#of_modules)*)
    }

    /// The world in an instance, in a component, and bound to a linker's definitions.
    fn structs(&self, name: &Ident, kebab: &str, exports: &[Export]) -> TokenStream {
        let cellule = &self.cellule;
        let [pre, indices] = ["Pre", "Indices"].map(|suffix| names::joined("", name, suffix));
        let fields: Vec<_> = exports.iter().map(|export| &export.field).collect();
        let types = exports.iter().map(|export| &export.ty);
        let index_types = exports.iter().map(|export| &export.index_ty);
        let finds = exports.iter().map(|export| &export.find);
        let loads = exports.iter().map(|export| &export.load);
        let told = format!("An instance of a component of the world `{kebab}`: what it exports.");
        let pre_told = format!("A component of the world `{kebab}` whose imports are bound.");
        let index_told = format!("Where the exports of the world `{kebab}` are in a component.");
        let of_pre = self.of_pre(name, &pre, &indices);
        let of_component = self.of_component(name, &pre, &indices);
        quote! {
            #[doc = #told]
            pub struct #name { #(#fields: #types,)* }

            #[doc = #pre_told]
            pub struct #pre<T: 'static> {
                instance_pre: #cellule::component::InstancePre<T>,
                indices: #indices,
            }

            #[doc = #index_told]
            #[derive(::core::clone::Clone)]
            pub struct #indices { #(#fields: #index_types,)* }

            impl #indices {
                /// Finds the exports.
                pub fn new<_T>(
                    _instance_pre: &#cellule::component::InstancePre<_T>,
                ) -> #cellule::Result<Self> {
                    ::core::result::Result::Ok(Self { #(#fields: #finds,)* })
                }

                /// The exports in an instance, whose types are checked.
                pub fn load(
                    &self,
                    mut store: impl #cellule::AsContextMut,
                    instance: &#cellule::component::Instance,
                ) -> #cellule::Result<#name> {
                    let mut _store = #cellule::AsContextMut::as_context_mut(&mut store);
                    let _ = instance;
                    ::core::result::Result::Ok(#name { #(#fields: #loads,)* })
                }
            }

            #of_pre
            #of_component
        }
    }

    /// What makes instances of a component whose imports are bound.
    fn of_pre(&self, name: &Ident, pre: &Ident, indices: &Ident) -> TokenStream {
        let cellule = &self.cellule;
        let component = quote!(#cellule::component);
        let result = quote!(#cellule::Result);
        quote! {
            impl<T: 'static> ::core::clone::Clone for #pre<T> {
                fn clone(&self) -> Self {
                    Self {
                        instance_pre: ::core::clone::Clone::clone(&self.instance_pre),
                        indices: ::core::clone::Clone::clone(&self.indices),
                    }
                }
            }

            #[allow(dead_code)]
            impl<_T: 'static> #pre<_T> {
                /// Finds the exports in the component: once for all instances.
                pub fn new(instance_pre: #component::InstancePre<_T>) -> #result<Self> {
                    let indices = #indices::new(&instance_pre)?;
                    ::core::result::Result::Ok(Self { instance_pre, indices })
                }

                /// The component's engine.
                pub fn engine(&self) -> &#cellule::Engine {
                    self.instance_pre.engine()
                }

                /// The component, without what is known of its world.
                pub fn instance_pre(&self) -> &#component::InstancePre<_T> {
                    &self.instance_pre
                }

                /// Makes an instance.
                pub fn instantiate(
                    &self,
                    mut store: impl #cellule::AsContextMut<Data = _T>,
                ) -> #result<#name> {
                    let mut store = #cellule::AsContextMut::as_context_mut(&mut store);
                    let instance = self.instance_pre.instantiate(&mut store)?;
                    self.indices.load(&mut store, &instance)
                }

                /// As `instantiate`, asynchronously.
                pub async fn instantiate_async(
                    &self,
                    mut store: impl #cellule::AsContextMut<Data = _T>,
                ) -> #result<#name>
                where
                    _T: ::core::marker::Send,
                {
                    let mut store = #cellule::AsContextMut::as_context_mut(&mut store);
                    let instance = self.instance_pre.instantiate_async(&mut store).await?;
                    self.indices.load(&mut store, &instance)
                }
            }
        }
    }

    /// What makes instances of a component with a linker.
    fn of_component(&self, name: &Ident, pre: &Ident, indices: &Ident) -> TokenStream {
        let cellule = &self.cellule;
        let component = quote!(#cellule::component);
        let result = quote!(#cellule::Result);
        let parameters = quote! {
            <_T>(
                store: impl #cellule::AsContextMut<Data = _T>,
                component: &#component::Component,
                linker: &#component::Linker<_T>,
            ) -> #result<Self>
        };
        quote! {
            #[allow(dead_code)]
            impl #name {
                /// Makes an instance of a component with what a linker defines.
                #[inline(never)]
                pub fn instantiate #parameters {
                    #pre::new(linker.instantiate_pre(component)?)?.instantiate(store)
                }

                /// As `instantiate`, asynchronously.
                pub async fn instantiate_async #parameters
                where
                    _T: ::core::marker::Send,
                {
                    let pre = #pre::new(linker.instantiate_pre(component)?)?;
                    pre.instantiate_async(store).await
                }

                /// The exports of an instance that there is already.
                pub fn new(
                    mut store: impl #cellule::AsContextMut,
                    instance: &#component::Instance,
                ) -> #result<Self> {
                    let indices = #indices::new(&instance.instance_pre(&store))?;
                    indices.load(&mut store, instance)
                }
            }
        }
    }
}
