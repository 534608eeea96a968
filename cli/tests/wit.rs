//! `inspect --wit`: what is written is read back by `wit-parser`, and is the world that it decodes from
//! the binary itself.
//!
//! Two worlds are the same if their imports and exports are, with every type and function of the
//! interfaces. Types are compared by what they are: an alias counts as what it stands for.

use cellule_cli::inspect;
use cellule_cli::wast::script::{self, Script};
use cellule_tests::{conformance, root, shared_guest};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use wast::{QuoteWat, Wast, WastDirective, Wat};
use wit_parser::decoding::{DecodedWasm, decode};
use wit_parser::{
    Function, Handle, InterfaceId, Resolve, Type, TypeDefKind, TypeId, TypeOwner, WorldId,
    WorldItem, WorldKey,
};

/// A world with everything in it, by name.
type Told = BTreeMap<String, String>;

/// What begins that which is told of a type.
const TYPE: &str = "type ";

struct World<'r> {
    resolve: &'r Resolve,
    told: Told,
}

fn told(resolve: &Resolve, id: WorldId) -> Told {
    let mut world = World {
        resolve,
        told: Told::new(),
    };
    let of = &resolve.worlds[id];
    let imports = of.imports.iter().map(|item| ("import", item));
    let exports = of.exports.iter().map(|item| ("export", item));
    for (direction, (key, item)) in imports.chain(exports) {
        let name = match key {
            WorldKey::Name(name) => name.clone(),
            WorldKey::Interface(id) => world.interface_name(*id),
        };
        let name = format!("{direction} {name}");
        match item {
            WorldItem::Interface {
                id, external_id, ..
            } => {
                let inner = world.interface_name(*id);
                let whole = format!("{inner} {external_id:?}");
                world.told.insert(name.clone(), whole);
                let place = if inner.is_empty() { name } else { inner };
                world.interface(&place, *id);
            }
            WorldItem::Function(func) => {
                let func = world.function(func);
                world.told.insert(name, func);
            }
            WorldItem::Type { id, .. } => {
                let ty = world.definition(*id);
                world.told.insert(name, ty);
            }
        }
    }
    world.told
}

impl World<'_> {
    /// Empty for one that stands in a world.
    fn interface_name(&self, id: InterfaceId) -> String {
        self.resolve.id_of(id).unwrap_or_default()
    }

    fn interface(&mut self, place: &str, id: InterfaceId) {
        let interface = &self.resolve.interfaces[id];
        for (name, id) in &interface.types {
            let ty = self.definition(*id);
            self.told.insert(format!("{place} type {name}"), ty);
        }
        for (name, func) in &interface.functions {
            let func = self.function(func);
            self.told.insert(format!("{place} func {name}"), func);
        }
    }

    fn function(&self, func: &Function) -> String {
        let params = func.params.iter();
        let params = params.map(|param| format!("{}: {}", param.name, self.ty(&param.ty)));
        let params: Vec<String> = params.collect();
        let result = func.result.as_ref().map(|ty| self.ty(ty));
        // The number of the resource is the reader's; its name is in the function's.
        let kind = format!("{:?}", func.kind);
        let kind = kind.split('(').next().unwrap_or_default();
        let id = &func.external_id;
        format!(
            "{kind} {}({}) -> {result:?} {id:?}",
            func.name,
            params.join(", ")
        )
    }

    /// What a type with a name is.
    fn definition(&self, id: TypeId) -> String {
        let ty = &self.resolve.types[id];
        match (&ty.kind, &ty.external_id) {
            (TypeDefKind::Type(Type::Id(other)), _) => format!("{TYPE}{}", self.named(*other)),
            (_, Some(external)) => format!("{TYPE}{} called {external}", self.structure(id)),
            (_, None) => format!("{TYPE}{}", self.structure(id)),
        }
    }

    /// The name of what a type stands for, or else its structure.
    fn named(&self, mut id: TypeId) -> String {
        while let TypeDefKind::Type(Type::Id(other)) = self.resolve.types[id].kind {
            id = other;
        }
        let ty = &self.resolve.types[id];
        let owner = match ty.owner {
            TypeOwner::Interface(owner) => self.interface_name(owner),
            _ => String::new(),
        };
        match &ty.name {
            Some(name) if !owner.is_empty() => format!("{owner}.{name}"),
            Some(name) if matches!(ty.kind, TypeDefKind::Resource) => name.clone(),
            // Without a package the name doesn't tell which type it is.
            _ => self.structure(id),
        }
    }

    fn ty(&self, ty: &Type) -> String {
        match ty {
            Type::Id(id) => self.named(*id),
            other => format!("{other:?}"),
        }
    }

    fn optional(&self, ty: &Option<Type>) -> String {
        ty.as_ref().map_or("_".into(), |ty| self.ty(ty))
    }

    fn structure(&self, id: TypeId) -> String {
        match &self.resolve.types[id].kind {
            TypeDefKind::Record(record) => {
                let fields = record.fields.iter();
                let fields = fields.map(|field| format!("{}: {}", field.name, self.ty(&field.ty)));
                format!("record {:?}", fields.collect::<Vec<_>>())
            }
            TypeDefKind::Variant(variant) => {
                let cases = variant.cases.iter();
                let cases = cases.map(|case| format!("{}({})", case.name, self.optional(&case.ty)));
                format!("variant {:?}", cases.collect::<Vec<_>>())
            }
            TypeDefKind::Enum(all) => {
                let cases: Vec<&str> = all.cases.iter().map(|case| &*case.name).collect();
                format!("enum {cases:?}")
            }
            TypeDefKind::Flags(all) => {
                let flags: Vec<&str> = all.flags.iter().map(|flag| &*flag.name).collect();
                format!("flags {flags:?}")
            }
            TypeDefKind::Resource => "resource".into(),
            TypeDefKind::Handle(Handle::Own(id)) => format!("own {}", self.named(*id)),
            TypeDefKind::Handle(Handle::Borrow(id)) => format!("borrow {}", self.named(*id)),
            TypeDefKind::Tuple(tuple) => {
                let types: Vec<String> = tuple.types.iter().map(|ty| self.ty(ty)).collect();
                format!("tuple {types:?}")
            }
            TypeDefKind::Option(ty) => format!("option<{}>", self.ty(ty)),
            TypeDefKind::List(ty) => format!("list<{}>", self.ty(ty)),
            TypeDefKind::FixedLengthList(ty, length) => format!("list<{}, {length}>", self.ty(ty)),
            TypeDefKind::Map(key, value) => format!("map<{}, {}>", self.ty(key), self.ty(value)),
            TypeDefKind::Future(ty) => format!("future<{}>", self.optional(ty)),
            TypeDefKind::Stream(ty) => format!("stream<{}>", self.optional(ty)),
            TypeDefKind::Result(result) => {
                let (ok, err) = (self.optional(&result.ok), self.optional(&result.err));
                format!("result<{ok}, {err}>")
            }
            TypeDefKind::Type(ty) => self.ty(ty),
            TypeDefKind::Unknown => "unknown".into(),
        }
    }
}

/// The world that a text has.
fn read(text: &str) -> Told {
    let mut resolve = Resolve {
        all_features: true,
        ..Resolve::default()
    };
    let package = resolve.push_str("written.wit", text);
    let package =
        package.unwrap_or_else(|error| panic!("{}\n{text}", resolve.render_error(&error)));
    let world = resolve.select_world(&[package], Some("root"));
    told(&resolve, world.expect("the world"))
}

/// Whether WIT can tell the component at all, as its reader sees it; compared if so.
fn compare(name: &str, wasm: &[u8]) -> bool {
    let text = inspect::wit(wasm).unwrap_or_else(|error| panic!("{name}: {error}"));
    let mut ours = read(&text);
    // Components that WIT has no words for make the decoder give up, some of them by a panic.
    let decoded = catch_unwind(AssertUnwindSafe(|| decode(wasm).ok()));
    let Ok(Some(DecodedWasm::Component(resolve, world))) = decoded else {
        return false;
    };
    let mut theirs = told(&resolve, world);
    // A type of another interface has to be used before it can be named, which makes another name.
    ours.retain(|name, told| theirs.contains_key(name) || !told.starts_with(TYPE));
    // What WIT has no words for stands in a comment; the rest is compared.
    let whole = !text.contains("// ");
    theirs.retain(|name, _| whole || ours.contains_key(name));
    assert_eq!(ours, theirs, "{name}:\n{text}");
    whole
}

#[test]
fn guests_have_the_world_that_is_told_of_them() {
    let mut guests: Vec<(String, Vec<u8>)> = Vec::new();
    for entry in std::fs::read_dir(root().join("tests/guests")).expect("the guests' folder") {
        let path = entry.expect("a readable entry").path();
        if path
            .extension()
            .is_some_and(|extension| extension == "wasm")
        {
            let name = path.display().to_string();
            guests.push((name, std::fs::read(&path).expect("a readable guest")));
        }
    }
    assert!(guests.len() >= 3, "{} guests", guests.len());
    for name in [
        "rust-hello-p2.wasm",
        "rust-app.wasm",
        "rust-text.wasm",
        "c-text.wasm",
        "js-qjs-text-sync-stubwasi.wasm",
    ] {
        if let Some(wasm) = shared_guest(name) {
            guests.push((name.into(), wasm));
        }
    }
    for (name, wasm) in guests {
        assert!(compare(&name, &wasm), "{name} isn't decoded");
    }
}

/// The components of a script that are valid.
fn components(path: &Path) -> Vec<Vec<u8>> {
    let Ok(script) = Script::read(path) else {
        return Vec::new();
    };
    let buffer = script::lex(&script.text).expect("a script's text");
    let wast = wast::parser::parse::<Wast>(&buffer).expect("a script");
    let encoded = wast.directives.into_iter().filter_map(|directive| {
        let mut text = match directive {
            WastDirective::Module(text @ QuoteWat::Wat(Wat::Component(_)))
            | WastDirective::ModuleDefinition(text @ QuoteWat::Wat(Wat::Component(_)))
            | WastDirective::Module(text @ QuoteWat::QuoteComponent(..)) => text,
            _ => return None,
        };
        text.encode().ok()
    });
    encoded.collect()
}

#[test]
fn the_suites_components_have_the_world_that_is_told_of_them() {
    let Some(suites) = conformance() else { return };
    let folders = [
        "component-model",
        "wasmtime/tests/misc_testsuite/component-model",
        "wasm-tools/tests/cli/component-model",
    ];
    let (mut told, mut compared) = (0, 0);
    let folders = folders.map(|folder| suites.join(folder));
    for folder in folders.iter().filter(|folder| folder.is_dir()) {
        for path in script::find(folder).expect("scripts") {
            for (at, wasm) in components(&path).iter().enumerate() {
                // The suites hold what only other validators accept.
                if inspect::wit(wasm).is_err() {
                    continue;
                }
                let name = format!("{} component {at}", path.display());
                told += 1;
                compared += usize::from(compare(&name, wasm));
            }
        }
    }
    println!("{told} components told, {compared} of them compared");
    if folders[1].is_dir() {
        assert!(
            told > 950 && compared > 800,
            "{told} told, {compared} compared"
        );
    }
}

/// Every construct of WIT, as a component's imports.
const EVERYTHING: &str = r#"(component
    (import "demo:all/types@1.2.3" (instance $types
        (type $point' (record (field "x" u32) (field "record" f64)))
        (export "point" (type $point (eq $point')))
        (type $maybe' (option $point))
        (export "maybe" (type $maybe (eq $maybe')))
        (export "same" (type (eq $point)))
        (type $shape' (variant (case "none") (case "at" $point) (case "many" (list $maybe))))
        (export "shape" (type $shape (eq $shape')))
        (type $hue' (enum "red" "use" "a1-b2"))
        (export "hue" (type $hue (eq $hue')))
        (type $bits' (flags "read" "write" "async"))
        (export "bits" (type $bits (eq $bits')))
        (type $long' (enum "the-first-of-many" "the-second-of-many" "the-third-of-many"
            "the-fourth-of-many" "the-fifth-of-many" "the-sixth-of-many"))
        (export "long" (type $long (eq $long')))
        (type $map (map string $shape))
        (type $four (list u8 4))
        (type $nothing (result))
        (type $failed (result (error $hue)))
        (type $both (result $map (error $bits)))
        (type $deep (option (list (tuple $four $nothing $failed $both error-context))))
        (export "deep" (func (param "from" $deep) (param "b2-C3" char) (result $long)))
    ))
    (alias export $types "point" (type $p))
    (alias export $types "shape" (type $s))
    (import "demo:all/things@1.2.3" (instance $things
        (alias outer 1 $p (type $p))
        (export "spot" (type $spot (eq $p)))
        (export "thing" (type $thing (sub resource)))
        (export "other" (type $other (sub resource)))
        (export "alias" (type $alias (eq $thing)))
        (type $own (own $thing))
        (export "mine" (type (eq $own)))
        (type $borrow (borrow $thing))
        (type $lent (borrow $other))
        (type $perhaps (result $own (error string)))
        (export "[constructor]thing" (func (param "at" $spot) (result $own)))
        (export "[constructor]other" (func (result (result (own $other) (error string)))))
        (export "[method]thing.move" (func (param "self" $borrow) (param "to" $spot)))
        (export "[method]thing.later" (func async (param "self" $borrow) (result $spot)))
        (export "[static]thing.join" (func (param "a" $own) (param "b" $lent) (result $perhaps)))
        (export "[static]thing.wait" (func async))
        (export "[method]other.type" (func (param "self" $lent) (result (own $alias))))
        (type $bytes (stream u8))
        (type $things (stream $own))
        (type $some (future $things))
        (type $nothing (future))
        (type $empty (stream))
        (export "pour" (func async (param "a" $bytes) (param "b" $some) (result $nothing)))
        (export "empty" (func (param "a" $empty)))
        (export "bare" (func))
    ))
    (import "demo:all/types@1.3.0" (instance $newer
        (type $point' (record (field "x" u64)))
        (export "point" (type (eq $point')))
    ))
    (alias export $things "thing" (type $th))
    (import "other:pkg/things" (instance
        (alias outer 1 $th (type $thing))
        (export "thing" (type $thing' (eq $thing)))
        (export "take" (func (param "x" (own $thing'))))
    ))
    (import "in-line" (instance
        (export "local" (type $local (sub resource)))
        (export "[method]local.get" (func (param "self" (borrow $local)) (result u8)))
        (alias outer 1 $s (type $s))
        (export "shape" (type $s' (eq $s)))
        (export "draw" (func (param "s" $s')))
    ))
    (import "shape" (type $shape (eq $s)))
    (type $pair' (record (field "a" $shape) (field "b" (list string))))
    (import "pair" (type $pair (eq $pair')))
    (import "token" (type $token (sub resource)))
    (import "[method]token.spend" (func (param "self" (borrow $token)) (param "on" $pair)))
    (import "cache" (implements "demo:kv/store@0.1.0") (external-id "a \"b\\") (instance
        (export "get" (external-id "one") (func (param "key" string) (result string)))
        (export "[get]size" (func (result u32)))
        (export "[set]size" (func (param "to" u32)))
    ))
    (import "demo:kv/store@0.1.0" (instance
        (export "get" (external-id "one") (func (param "key" string) (result string)))
        (export "put" (func (param "key" string) (param "value" string)))
    ))
    (import "implied" (func (param "p" (list $p))))
    (import "run" (func async (param "string" string) (result (own $token))))
)"#;

#[test]
fn every_construct_is_written_and_read_back() {
    let wasm = wat::parse_str(EVERYTHING).expect("valid text");
    assert!(compare("everything", &wasm));
}
