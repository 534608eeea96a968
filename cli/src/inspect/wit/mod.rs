//! A component's world as WIT that can be read back.
//!
//! The binary knows no packages, only names: an instance called `a:b/c@1.0.0` becomes the interface `c`
//! of a package `a:b@1.0.0`, an instance with a plain name an interface that stands in the world. What is
//! both imported and exported under one name is one interface. A type that another place has a name
//! for is told as its alias, by `type` or `use`. What WIT has no words for is told in comments.

mod text;
mod types;

use self::text::{Body, Import, Layout, Package, ident};
use anyhow::{Context, Result};
use std::collections::HashMap;
use wasmparser::component_types::{
    ComponentAnyTypeId, ComponentEntityType, ComponentInstanceTypeId, ComponentItem,
};
use wasmparser::names::{ComponentName, ComponentNameKind};
use wasmparser::types::{Types, TypesRef};
use wasmparser::{Parser, Payload, WasmFeatures};

/// Where something has a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Scope {
    World,
    /// By number.
    Interface(usize),
}

/// The name of a type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Place {
    scope: Scope,
    name: String,
}

/// An interface, in a package or in the world.
#[derive(Default)]
struct Interface {
    /// The package, and the name in it; none if it stands in the world.
    id: Option<(Package, String)>,
    body: Body,
}

/// What the text is made from, while it grows.
struct World<'t> {
    types: TypesRef<'t>,
    places: HashMap<ComponentAnyTypeId, Place>,
    interfaces: Vec<Interface>,
    /// By the name that the component has for it.
    known: HashMap<String, usize>,
    body: Body,
    lines: Vec<Import>,
    /// How much more of types may be written.
    left: usize,
}

/// Why something isn't told; it stands in a comment then.
type Told<T> = std::result::Result<T, String>;

/// The world of a component that is valid, with all features on, as `types` says.
///
/// # Errors
/// If bytes and types don't fit together.
pub fn world(wasm: &[u8], types: &Types) -> Result<String> {
    let mut world = World {
        types: types.as_ref(),
        places: HashMap::new(),
        interfaces: Vec::new(),
        known: HashMap::new(),
        body: Body::default(),
        lines: Vec::new(),
        left: types::MOST,
    };
    let mut depth = 0u32;
    for payload in Parser::new(0).parse_all(wasm) {
        match payload? {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(imports) if depth == 0 => {
                for import in imports {
                    let name = import?.name.name;
                    let item = types.component_item_for_import(name);
                    let item = item.with_context(|| format!("import {name} has no type"))?;
                    world.item("import", name, item);
                }
            }
            Payload::ComponentExportSection(exports) if depth == 0 => {
                for export in exports {
                    let name = export?.name.name;
                    let item = types.component_item_for_export(name);
                    let item = item.with_context(|| format!("export {name} has no type"))?;
                    world.item("export", name, item);
                }
            }
            _ => {}
        }
    }
    Ok(world.layout().to_string())
}

impl World<'_> {
    /// Adds an import or export of the component.
    fn item(&mut self, direction: &'static str, name: &str, item: &ComponentItem) {
        let told = match item.ty {
            ComponentEntityType::Instance(id) => self.instance(direction, name, item, id),
            ComponentEntityType::Func(_) if name.contains(':') => {
                Err("a function with the name of an interface".into())
            }
            ComponentEntityType::Func(id) => {
                let resource = name.starts_with("[constructor]")
                    || name.starts_with("[method]")
                    || name.starts_with("[static]");
                match resource {
                    true => self.function(Scope::World, name, item, id),
                    false => self.func(Scope::World, name, id).map(|func| {
                        let attribute = text::external_id(item);
                        let plain = name.trim_start_matches("[get]");
                        let name = ident(plain.trim_start_matches("[set]"));
                        let line = format!("{attribute}{direction} {name}: {func};");
                        self.lines.push(Import::Line(line));
                    }),
                }
            }
            ComponentEntityType::Type { .. } if direction == "import" => {
                self.named_type(Scope::World, name, item)
            }
            ComponentEntityType::Type { .. } => Err("a type".into()),
            ComponentEntityType::Module(_) => Err("a core module".into()),
            ComponentEntityType::Component(_) => Err("a component".into()),
            ComponentEntityType::Value(_) => Err("a value".into()),
        };
        if let Err(what) = told {
            let line = format!("// {direction} {name}: {what}");
            self.lines.push(Import::Line(line));
        }
    }

    /// Adds an instance: an interface by its name in a package, or one that stands in the world.
    fn instance(
        &mut self,
        direction: &'static str,
        name: &str,
        item: &ComponentItem,
        id: ComponentInstanceTypeId,
    ) -> Told<()> {
        let in_package = item.implements.as_deref().unwrap_or(name);
        let attribute = text::external_id(item);
        let Some(of_package) = package(in_package, item)? else {
            let at = self.interfaces.len();
            self.interfaces.push(Interface::default());
            self.lines.push(Import::Inline {
                head: format!("{attribute}{direction} {}: interface", ident(name)),
                interface: at,
            });
            self.fill(at, id);
            return Ok(());
        };
        let path = of_package.0.path(&of_package.1);
        let at = *self.known.entry(path.clone()).or_insert_with(|| {
            self.interfaces.push(Interface {
                id: Some(of_package),
                body: Body::default(),
            });
            self.interfaces.len() - 1
        });
        self.lines.push(Import::Line(match item.implements {
            Some(_) => format!("{attribute}{direction} {}: {path};", ident(name)),
            None => format!("{attribute}{direction} {path};"),
        }));
        self.fill(at, id);
        Ok(())
    }

    /// Adds what an instance exports to an interface, unless it is there.
    fn fill(&mut self, at: usize, id: ComponentInstanceTypeId) {
        let (types, scope) = (self.types, Scope::Interface(at));
        for (name, item) in &types[id].exports {
            let told = match item.ty {
                ComponentEntityType::Type { .. } => self.named_type(scope, name, item),
                ComponentEntityType::Func(_) if self.interfaces[at].body.has_function(name) => {
                    Ok(())
                }
                ComponentEntityType::Func(id) => self.function(scope, name, item, id),
                ComponentEntityType::Module(_) => Err("a core module".into()),
                ComponentEntityType::Component(_) => Err("a component".into()),
                ComponentEntityType::Instance(_) => Err("an instance".into()),
                ComponentEntityType::Value(_) => Err("a value".into()),
            };
            if let Err(what) = told {
                self.body(scope).comment(format!("// {name}: {what}"));
            }
        }
    }

    fn body(&mut self, scope: Scope) -> &mut Body {
        match scope {
            Scope::World => &mut self.body,
            Scope::Interface(at) => &mut self.interfaces[at].body,
        }
    }

    /// The place that a type, or one that it is an alias of, has a name in.
    fn place(&self, id: ComponentAnyTypeId) -> Option<&Place> {
        let mut next = Some(id);
        while let Some(id) = next {
            if let Some(place) = self.places.get(&id) {
                return Some(place);
            }
            next = self.types.peel_alias(id);
        }
        None
    }

    /// Adds a type under a name.
    fn named_type(&mut self, scope: Scope, name: &str, item: &ComponentItem) -> Told<()> {
        let ComponentEntityType::Type {
            referenced,
            created,
        } = item.ty
        else {
            return Err("no type".into());
        };
        let own = Place {
            scope,
            name: name.to_string(),
        };
        if !self.body(scope).has_type(name) {
            let attribute = text::external_id(item);
            match self.place(referenced).cloned() {
                Some(other) if other.scope == scope => {
                    let line = format!("{attribute}type {} = {};", ident(name), ident(&other.name));
                    self.body(scope).add_type(name, line);
                }
                Some(other) => self.use_type(scope, name, &other, referenced)?,
                None => match referenced {
                    ComponentAnyTypeId::Resource(_) => {
                        self.body(scope).add_resource(name, attribute);
                    }
                    ComponentAnyTypeId::Defined(id) => {
                        let line = self.definition(scope, name, id)?;
                        let line = format!("{attribute}{line}");
                        self.body(scope).add_type(name, line);
                    }
                    ComponentAnyTypeId::Func(_) => return Err("the type of a function".into()),
                    ComponentAnyTypeId::Instance(_) => {
                        return Err("the type of an instance".into());
                    }
                    ComponentAnyTypeId::Component(_) => {
                        return Err("the type of a component".into());
                    }
                },
            }
        }
        // A name that WIT's reader would call the same type by stays the first's.
        self.places.entry(created).or_insert(own);
        Ok(())
    }

    /// Makes a type of another interface known by a name. One that can't be used from here is defined
    /// again, which is the same to the component model but for resources.
    fn use_type(
        &mut self,
        scope: Scope,
        name: &str,
        other: &Place,
        id: ComponentAnyTypeId,
    ) -> Told<()> {
        match (self.path(scope, other), id) {
            (Ok(path), _) => self.body(scope).add_use(name, path, other),
            (Err(_), ComponentAnyTypeId::Defined(id)) => {
                let line = self.definition(scope, name, id)?;
                self.body(scope).add_copy(name, line, other);
            }
            (Err(why), _) => return Err(why),
        }
        Ok(())
    }

    /// The path to the interface that a type is in.
    fn path(&self, scope: Scope, place: &Place) -> Told<String> {
        let name = &place.name;
        let Scope::Interface(at) = place.scope else {
            return Err(format!("a use of `{name}`, which the world defines"));
        };
        let Some((package, interface)) = &self.interfaces[at].id else {
            return Err(format!(
                "a use of `{name}`, which an interface without package defines"
            ));
        };
        let ours = match scope {
            Scope::Interface(at) => self.interfaces[at].id.as_ref(),
            Scope::World => None,
        };
        Ok(match ours {
            Some((ours, _)) if ours == package => ident(interface),
            _ => package.path(interface),
        })
    }

    /// What a type that has a name is called in a scope; used there first, if it is of another, or
    /// defined again where it can't be used.
    fn local_name(&mut self, scope: Scope, place: &Place, id: ComponentAnyTypeId) -> Told<String> {
        if place.scope == scope {
            return Ok(ident(&place.name));
        }
        if let Some(name) = self.body(scope).used(place) {
            return Ok(ident(name));
        }
        let free = |world: &mut Self, name: &str| !world.body(scope).has_type(name);
        let mut name = place.name.clone();
        let mut count = 1;
        while !free(self, &name) {
            count += 1;
            name = format!("{}-{count}", place.name);
        }
        self.use_type(scope, &name, place, id)?;
        Ok(ident(&name))
    }

    fn layout(self) -> Layout {
        Layout::new(self.interfaces, self.body, self.lines)
    }
}

/// The package and the interface that a name is of; none if it is plain.
fn package(name: &str, item: &ComponentItem) -> Told<Option<(Package, String)>> {
    let wrong = |error: wasmparser::BinaryReaderError| error.message().to_string();
    let parsed = ComponentName::new_with_features(name, 0, WasmFeatures::all()).map_err(wrong)?;
    match parsed.kind() {
        ComponentNameKind::Plain(_) => Ok(None),
        ComponentNameKind::Interface(id) => {
            let version = id.version(item.version_suffix.as_deref()).map_err(wrong)?;
            if id.namespace().as_str().contains(':') {
                return Err("an interface of a nested namespace".into());
            }
            let package = Package {
                namespace: id.namespace().to_string(),
                name: id.package().to_string(),
                version: version.map(|version| version.to_string()),
            };
            Ok(Some((package, id.interface().to_string())))
        }
    }
}
