//! Rust names for those of WIT, and the keys that options name items by.
//!
//! The spelling follows wasmtime's bindings, so that code that uses them finds its names.

use heck::{ToSnakeCase, ToUpperCamelCase};
use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::Ident;
use wit_parser::{
    Function, FunctionKind, InterfaceId, PackageId, PackageName, Resolve, TypeId, WorldKey,
};

/// An identifier in `snake_case`; keywords get an underscore at the end.
pub fn snake(name: &str) -> Ident {
    let snake = name.to_snake_case();
    // `gen` is a keyword since the edition 2024, which syn takes for a name.
    match syn::parse_str::<Ident>(&snake) {
        Ok(ident) if snake != "gen" => ident,
        _ => Ident::new(&format!("{snake}_"), Span::call_site()),
    }
}

/// An identifier in `UpperCamelCase`.
pub fn camel(name: &str) -> Ident {
    let camel = name.to_upper_camel_case();
    match camel.as_str() {
        "Self" => Ident::new("Self_", Span::call_site()),
        camel => Ident::new(camel, Span::call_site()),
    }
}

/// The name of a world's struct: `Host` is what traits are called.
pub fn world(name: &str) -> Ident {
    match name {
        "host" => Ident::new("Host_", Span::call_site()),
        name => camel(name),
    }
}

/// Two names in one identifier, as `HostLogger`.
pub fn joined(prefix: &str, ident: &impl ToTokens, suffix: &str) -> Ident {
    let middle = ident.to_token_stream();
    Ident::new(&format!("{prefix}{middle}{suffix}"), Span::call_site())
}

/// The kebab name of a named type.
pub fn of_type(resolve: &Resolve, id: TypeId) -> &str {
    resolve.types[id].name.as_deref().unwrap_or("unnamed")
}

/// The module of a package: with its version only if there are several.
pub fn package(resolve: &Resolve, id: PackageId) -> Ident {
    let name = &resolve.packages[id].name;
    let same = |other: &PackageName| other.namespace == name.namespace && other.name == name.name;
    let several = resolve
        .packages
        .iter()
        .filter(|(_, other)| same(&other.name));
    match (&name.version, several.count()) {
        (Some(version), 2..) => {
            let version = version.to_string().replace(['.', '-', '+'], "_");
            let version = version.to_snake_case();
            let base = name.name.to_snake_case();
            Ident::new(&format!("{base}{version}"), Span::call_site())
        }
        _ => snake(&name.name),
    }
}

/// The modules that an interface is in, from the outermost to its own.
pub fn modules(resolve: &Resolve, key: &WorldKey, id: InterfaceId) -> Vec<Ident> {
    let interface = &resolve.interfaces[id];
    match (key, interface.package, &interface.name) {
        (WorldKey::Interface(_), Some(in_package), Some(name)) => vec![
            snake(&resolve.packages[in_package].name.namespace),
            package(resolve, in_package),
            snake(name),
        ],
        (WorldKey::Name(name), ..) => vec![snake(name)],
        (WorldKey::Interface(_), ..) => vec![snake("unnamed")],
    }
}

/// The name of a function's method in a trait of a host.
pub fn method(func: &Function) -> Ident {
    match func.kind {
        FunctionKind::Constructor(_) => Ident::new("new", Span::call_site()),
        _ => snake(func.item_name()),
    }
}

/// The field of an exported function: with its resource's name.
pub fn field(resolve: &Resolve, func: &Function) -> Ident {
    let kind = match func.kind {
        FunctionKind::Method(_) | FunctionKind::AsyncMethod(_) => "method",
        FunctionKind::Static(_) | FunctionKind::AsyncStatic(_) => "static",
        FunctionKind::Constructor(_) => "constructor",
        _ => return snake(func.item_name()),
    };
    let resource = func.kind.resource().map_or("", |id| of_type(resolve, id));
    snake(&format!("{kind}-{resource}-{}", func.item_name()))
}

/// What options may call something by, and which path leads from what they name to it.
pub struct Key {
    /// The name in an option.
    pub name: String,
    /// The path below what is named; empty if the name is the whole.
    pub below: TokenStream,
}

/// All names of an interface, or of an item in it, from the most specific one: with and without
/// versions, then the interface, its package, its namespace.
pub fn keys(resolve: &Resolve, key: &WorldKey, item: Option<&str>) -> Vec<Key> {
    let whole = |name: String| Key {
        name,
        below: TokenStream::new(),
    };
    let id = match key {
        WorldKey::Name(name) => {
            return vec![whole(match item {
                Some(item) => format!("{name}.{item}"),
                None => name.clone(),
            })];
        }
        WorldKey::Interface(id) => *id,
    };
    let interface = &resolve.interfaces[id];
    let (Some(in_package), Some(name)) = (interface.package, &interface.name) else {
        return Vec::new();
    };
    let versioned = &resolve.packages[in_package].name;
    let unversioned = PackageName {
        version: None,
        ..versioned.clone()
    };
    let packages = [versioned, &unversioned];
    let interfaces = packages.map(|package| package.interface_id(name));
    let mut keys = Vec::new();
    let mut below = TokenStream::new();
    if let Some(item) = item {
        keys.extend(
            interfaces
                .iter()
                .map(|interface| whole(format!("{interface}.{item}"))),
        );
        let item = camel(item);
        below = quote!(::#item);
    }
    let mut level = |names: Vec<String>, below: &TokenStream| {
        keys.extend(names.into_iter().map(|name| Key {
            name,
            below: below.clone(),
        }));
    };
    level(interfaces.into(), &below);
    let module = snake(name);
    below = quote!(::#module #below);
    level(packages.map(ToString::to_string).into(), &below);
    let module = snake(&versioned.name);
    below = quote!(::#module #below);
    level(vec![versioned.namespace.clone()], &below);
    keys
}
