//! Which Rust type a WIT type is, and how it is reached from a module of the bindings.

use super::names;
use super::options::{Flags, Options, Rules};
use super::ownership::Usage;
use super::source::Source;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};
use std::collections::{BTreeSet, HashMap, HashSet};
use syn::{Error, Result};
use wit_parser::{
    Docs, Function, Handle, InterfaceId, Resolve, Type, TypeDefKind, TypeId, TypeOwner, WorldId,
    WorldItem, WorldKey,
};

/// Whether values are the host's own or only looked at during a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// A value.
    Owned,
    /// What a call of a guest is given: references to text, lists and what has them.
    Borrowed,
    /// The same, for the type of a function that is kept.
    Static,
    /// The same, in the definition of a type that has the lifetime `'a`.
    Named,
}

/// Where an interface's items are.
pub struct Home {
    /// The modules, from the root of the bindings.
    pub path: Vec<Ident>,
    /// It is exported by the guest.
    pub exported: bool,
    /// Another module that the user gave for it: a path from the root.
    pub replaced: Option<TokenStream>,
}

/// The module that is being generated.
#[derive(Clone, Copy)]
pub struct Scope<'a> {
    /// Its interface, with the name that the world has for it; none at the root.
    pub interface: Option<(&'a WorldKey, InterfaceId)>,
    /// How many modules it is in.
    pub depth: usize,
}

/// Makes bindings of a world.
pub struct Generator<'a> {
    pub resolve: &'a Resolve,
    pub world: WorldId,
    pub options: &'a Options,
    /// The path of the runtime's crate.
    pub cellule: TokenStream,
    pub homes: HashMap<InterfaceId, Home>,
    /// Types that are errors of some function.
    pub errors: HashSet<TypeId>,
    /// Types that hosts return another type for: the number of the option.
    pub trappable: HashMap<TypeId, usize>,
    /// Resources that the user has a type for: a path from the root.
    pub resources: HashMap<TypeId, Ident>,
    /// What types are used for.
    pub usage: HashMap<TypeId, Usage>,
}

impl<'a> Generator<'a> {
    /// Finds out where everything is.
    pub fn new(source: &'a Source, options: &'a Options) -> Result<Generator<'a>> {
        let cellule = options.cellule.as_ref();
        let mut generator = Generator {
            resolve: &source.resolve,
            world: source.world,
            options,
            cellule: cellule.map_or_else(|| quote!(::cellule), |path| quote!(#path)),
            homes: HashMap::new(),
            errors: HashSet::new(),
            trappable: HashMap::new(),
            resources: HashMap::new(),
            usage: HashMap::new(),
        };
        generator.note_usage();
        let mut used = BTreeSet::new();
        let world = &source.resolve.worlds[source.world];
        let imports = world.imports.iter().map(|item| (item, false));
        let exports = world.exports.iter().map(|item| (item, true));
        for ((key, item), exported) in imports.chain(exports) {
            match item {
                WorldItem::Interface { id, .. } => {
                    generator.settle(key, *id, exported, &mut used);
                }
                WorldItem::Function(func) => generator.note_error(func),
                WorldItem::Type { id, .. } => {
                    generator.settle_resource(&generator.keys(key, None), *id, &mut used);
                }
            }
        }
        let unused = (0..options.with.len()).find(|at| !used.contains(at));
        if let Some(unused) = unused {
            let name = &options.with[unused].name;
            let why = match generator.is_exported(&name.value()) {
                true => format!(
                    "`{}` is exported: `with` replaces what the world imports",
                    name.value()
                ),
                false => format!("nothing that the world imports is named `{}`", name.value()),
            };
            return Err(Error::new(name.span(), why));
        }
        generator.find_trappable()?;
        Ok(generator)
    }

    /// Whether an exported interface, or a type in one, has a name.
    fn is_exported(&self, name: &str) -> bool {
        let world = &self.resolve.worlds[self.world];
        world.exports.iter().any(|(key, item)| {
            let WorldItem::Interface { id, .. } = item else {
                return false;
            };
            let types = self.resolve.interfaces[*id].types.keys();
            let types = types.flat_map(|ty| self.keys(key, Some(ty)));
            let mut keys = self.keys(key, None).into_iter().chain(types);
            keys.any(|key| key.name == name)
        })
    }

    fn keys(&self, key: &WorldKey, item: Option<&str>) -> Vec<names::Key> {
        names::keys(self.resolve, key, item)
    }

    fn settle(
        &mut self,
        key: &WorldKey,
        id: InterfaceId,
        exported: bool,
        used: &mut BTreeSet<usize>,
    ) {
        let mut path = names::modules(self.resolve, key, id);
        let mut replaced = None;
        if exported {
            path.insert(0, format_ident!("exports"));
        } else {
            let found = self.replacement(&self.keys(key, None), used);
            replaced = found.map(|(alias, below)| quote!(#alias #below));
        }
        let interface = &self.resolve.interfaces[id];
        for (name, ty) in &interface.types {
            if !exported && replaced.is_none() {
                // A resource of an interface: only its own names count, not those of what it is in.
                let keys = self.keys(key, Some(name));
                self.settle_resource(&keys, *ty, used);
            }
        }
        for func in interface.functions.values() {
            self.note_error(func);
        }
        self.homes.insert(
            id,
            Home {
                path,
                exported,
                replaced,
            },
        );
    }

    fn settle_resource(&mut self, keys: &[names::Key], id: TypeId, used: &mut BTreeSet<usize>) {
        if !matches!(self.resolve.types[id].kind, TypeDefKind::Resource) {
            return;
        }
        let own = keys.iter().take_while(|key| key.below.is_empty());
        let with = &self.options.with;
        for key in own {
            if let Some(at) = with.iter().position(|with| with.name.value() == key.name) {
                used.insert(at);
                self.resources.insert(id, alias(at));
                return;
            }
        }
    }

    /// The option of `with` that replaces an interface: its alias, and the path below it.
    fn replacement(
        &self,
        keys: &[names::Key],
        used: &mut BTreeSet<usize>,
    ) -> Option<(Ident, TokenStream)> {
        let with = &self.options.with;
        keys.iter().find_map(|key| {
            let at = with.iter().position(|with| with.name.value() == key.name)?;
            used.insert(at);
            Some((alias(at), key.below.clone()))
        })
    }

    fn note_error(&mut self, func: &Function) {
        if let Some((_, Some(Type::Id(error)))) = self.fallible(func) {
            self.errors.insert(self.definition(error));
        }
    }

    /// What a function that returns a result returns in both cases.
    pub fn fallible(&self, func: &Function) -> Option<(Option<Type>, Option<Type>)> {
        match func.result {
            Some(Type::Id(id)) => match &self.resolve.types[id].kind {
                TypeDefKind::Result(result) => Some((result.ok, result.err)),
                _ => None,
            },
            _ => None,
        }
    }

    fn find_trappable(&mut self) -> Result<()> {
        for (at, option) in self.options.trappable_errors.iter().enumerate() {
            let wanted = option.name.value();
            let found = self.resolve.interfaces.iter().find_map(|(id, interface)| {
                let home = self.homes.get(&id)?;
                let types = interface.types.iter().filter(|_| !home.exported);
                let key = WorldKey::Interface(id);
                types.map(|(name, ty)| (name, *ty)).find_map(|(name, ty)| {
                    let mut keys = self.keys(&key, Some(name)).into_iter();
                    keys.any(|key| key.below.is_empty() && key.name == wanted)
                        .then_some(ty)
                })
            });
            let Some(found) = found else {
                let why = format!("no imported interface has a type `{wanted}`");
                return Err(Error::new(option.name.span(), why));
            };
            self.trappable.insert(self.definition(found), at);
        }
        Ok(())
    }

    /// The type that an alias stands for.
    pub fn definition(&self, mut id: TypeId) -> TypeId {
        while let TypeDefKind::Type(Type::Id(next)) = self.resolve.types[id].kind {
            id = next;
        }
        id
    }

    /// How a function is bound.
    pub fn flags(&self, rules: &Rules, key: Option<&WorldKey>, name: &str) -> Flags {
        let Some(key) = key else {
            return rules.flags([(name, true)].into_iter());
        };
        let keys = self.keys(key, Some(name));
        rules.flags(
            keys.iter()
                .map(|key| (key.name.as_str(), key.below.is_empty())),
        )
    }

    /// An error that names a place in the WIT.
    pub fn unsupported(&self, span: wit_parser::Span, what: &str) -> Error {
        let place = self.resolve.render_location(span);
        let why = format!("{place}: {what} isn't supported");
        Error::new(Span::call_site(), why)
    }

    /// The path from a module to the root of the bindings, with `::` at its end;
    /// nothing at the root, which may be a function's body.
    pub fn root(&self, scope: Scope<'_>) -> TokenStream {
        let up = (0..scope.depth).map(|_| quote!(super::));
        quote!(#(#up)*)
    }

    /// The path to the module of an interface, without `::` at its end; none if it is that of `scope`.
    pub fn module(&self, scope: Scope<'_>, id: InterfaceId) -> Option<TokenStream> {
        if scope.interface.is_some_and(|(_, own)| own == id) {
            return None;
        }
        let root = self.root(scope);
        let home = self.homes.get(&id)?;
        let path = &home.path;
        Some(match &home.replaced {
            Some(replaced) => quote!(#root #replaced),
            None => quote!(#root #(#path)::*),
        })
    }

    /// The path to an item of an interface or world.
    pub fn item(&self, scope: Scope<'_>, owner: TypeOwner, name: &Ident) -> TokenStream {
        match owner {
            TypeOwner::Interface(id) => match self.module(scope, id) {
                Some(module) => quote!(#module::#name),
                None => quote!(#name),
            },
            _ => {
                let root = self.root(scope);
                quote!(#root #name)
            }
        }
    }

    /// The Rust type of a WIT type.
    pub fn ty(&self, scope: Scope<'_>, ty: &Type, mode: Mode) -> TokenStream {
        let cellule = &self.cellule;
        let name = match ty {
            Type::Id(id) => return self.ty_of(scope, *id, mode),
            Type::String if mode == Mode::Owned => {
                return quote!(#cellule::component::__internal::String);
            }
            Type::String => {
                let and = reference(mode);
                return quote!(#and ::core::primitive::str);
            }
            Type::ErrorContext if mode == Mode::Owned => {
                return quote!(#cellule::component::ErrorContext);
            }
            Type::ErrorContext => {
                let and = reference(mode);
                return quote!(#and #cellule::component::ErrorContext);
            }
            Type::Bool => "bool",
            Type::U8 => "u8",
            Type::U16 => "u16",
            Type::U32 => "u32",
            Type::U64 => "u64",
            Type::S8 => "i8",
            Type::S16 => "i16",
            Type::S32 => "i32",
            Type::S64 => "i64",
            Type::F32 => "f32",
            Type::F64 => "f64",
            Type::Char => "char",
        };
        let name = Ident::new(name, Span::call_site());
        quote!(::core::primitive::#name)
    }

    /// The Rust type of what a function or case may have none of.
    pub fn optional(&self, scope: Scope<'_>, ty: Option<&Type>, mode: Mode) -> TokenStream {
        ty.map_or_else(|| quote!(()), |ty| self.ty(scope, ty, mode))
    }

    fn ty_of(&self, scope: Scope<'_>, id: TypeId, mode: Mode) -> TokenStream {
        let ty = &self.resolve.types[id];
        if ty.name.is_some() {
            let (name, lifetime) = self.name(id, mode);
            let path = self.item(scope, ty.owner, &name);
            let and = match lifetime.is_none() && self.has_list(&Type::Id(id)) {
                true => reference(mode),
                false => TokenStream::new(),
            };
            return quote!(#and #path #lifetime);
        }
        self.structure(scope, &ty.kind, mode)
    }

    /// The Rust type of a WIT type that is no name.
    pub fn structure(&self, scope: Scope<'_>, kind: &TypeDefKind, mode: Mode) -> TokenStream {
        let internal = {
            let cellule = &self.cellule;
            quote!(#cellule::component::__internal)
        };
        match kind {
            TypeDefKind::Type(ty) => self.ty(scope, ty, mode),
            TypeDefKind::List(ty) => {
                let ty = self.ty(scope, ty, self.elements(mode));
                match mode {
                    Mode::Owned => quote!(#internal::Vec<#ty>),
                    _ => {
                        let and = reference(mode);
                        quote!(#and [#ty])
                    }
                }
            }
            TypeDefKind::Map(key, value) => {
                let elements = self.elements(mode);
                let [key, value] = [key, value].map(|ty| self.ty(scope, ty, elements));
                let and = reference(mode);
                quote!(#and #internal::BTreeMap<#key, #value>)
            }
            TypeDefKind::FixedLengthList(ty, len) => {
                let ty = self.ty(scope, ty, mode);
                let len = *len as usize;
                quote!([#ty; #len])
            }
            TypeDefKind::Option(ty) => {
                let ty = self.ty(scope, ty, mode);
                quote!(::core::option::Option<#ty>)
            }
            TypeDefKind::Result(result) => {
                let ok = self.optional(scope, result.ok.as_ref(), mode);
                let err = self.optional(scope, result.err.as_ref(), mode);
                quote!(::core::result::Result<#ok, #err>)
            }
            TypeDefKind::Tuple(tuple) => {
                let types = tuple.types.iter().map(|ty| self.ty(scope, ty, mode));
                quote!((#(#types,)*))
            }
            TypeDefKind::Handle(Handle::Own(id) | Handle::Borrow(id)) => self.handle(scope, *id),
            // These have names, or are refused before types are made.
            TypeDefKind::Record(_)
            | TypeDefKind::Flags(_)
            | TypeDefKind::Enum(_)
            | TypeDefKind::Variant(_)
            | TypeDefKind::Resource
            | TypeDefKind::Future(_)
            | TypeDefKind::Stream(_)
            | TypeDefKind::Unknown => quote!(()),
        }
    }

    /// A handle: typed where the host has the resource, dynamic where the guest has it.
    fn handle(&self, scope: Scope<'_>, id: TypeId) -> TokenStream {
        let cellule = &self.cellule;
        let owner = self.resolve.types[self.definition(id)].owner;
        if let TypeOwner::Interface(owner) = owner
            && self.homes.get(&owner).is_some_and(|home| home.exported)
        {
            return quote!(#cellule::component::ResourceAny);
        }
        let name = names::camel(names::of_type(self.resolve, id));
        let path = self.item(scope, self.resolve.types[id].owner, &name);
        quote!(#cellule::component::Resource<#path>)
    }

    /// Whether there is text or a list in it, which is passed by reference.
    pub fn has_list(&self, ty: &Type) -> bool {
        self.any(ty, &|ty| match ty {
            Type::String => true,
            Type::Id(id) => matches!(
                self.resolve.types[*id].kind,
                TypeDefKind::List(_) | TypeDefKind::Map(..)
            ),
            _ => false,
        })
    }

    /// Whether there is a handle in it, of which there is only one.
    pub fn has_handle(&self, ty: &Type) -> bool {
        self.any(ty, &|ty| match ty {
            Type::Id(id) => matches!(self.resolve.types[*id].kind, TypeDefKind::Handle(_)),
            _ => false,
        })
    }

    /// Whether a type or one in it is so.
    pub fn any(&self, ty: &Type, is: &impl Fn(&Type) -> bool) -> bool {
        if is(ty) {
            return true;
        }
        let Type::Id(id) = ty else {
            return false;
        };
        parts(&self.resolve.types[*id].kind)
            .iter()
            .any(|ty| self.any(ty, is))
    }
}

/// The types that a type is made of.
pub fn parts(kind: &TypeDefKind) -> Vec<Type> {
    match kind {
        TypeDefKind::Record(record) => record.fields.iter().map(|field| field.ty).collect(),
        TypeDefKind::Variant(variant) => variant.cases.iter().filter_map(|case| case.ty).collect(),
        TypeDefKind::Tuple(tuple) => tuple.types.clone(),
        TypeDefKind::Result(result) => result.ok.into_iter().chain(result.err).collect(),
        TypeDefKind::Map(key, value) => vec![*key, *value],
        TypeDefKind::Type(ty)
        | TypeDefKind::Option(ty)
        | TypeDefKind::List(ty)
        | TypeDefKind::FixedLengthList(ty, _) => vec![*ty],
        _ => Vec::new(),
    }
}

/// The `&` that a mode puts before a type.
fn reference(mode: Mode) -> TokenStream {
    match mode {
        Mode::Owned => TokenStream::new(),
        Mode::Borrowed => quote!(&),
        Mode::Static => quote!(&'static),
        Mode::Named => quote!(&'a),
    }
}

/// What an option of `with` is called at the root.
pub fn alias(at: usize) -> Ident {
    format_ident!("__with_name{at}")
}

/// Doc comments, or else what is said instead.
pub fn docs(docs: &Docs, otherwise: &str) -> TokenStream {
    let text = docs.contents.as_deref().map(str::trim);
    let text = text.filter(|text| !text.is_empty()).unwrap_or(otherwise);
    let lines = text.lines().map(|line| format!(" {line}"));
    quote!(#(#[doc = #lines])*)
}
