//! Imports and exports of a component as WIT-like text.
//!
//! A type that an instance exports under a name is told once where it is exported and by that name
//! everywhere else; types without a name are written out. Deep nesting is cut off, since a type can
//! be far larger when written out than it is in the file.

use std::collections::HashMap;
use std::fmt::Write;
use wasmparser::component_types::{
    AliasableResourceId, ComponentAnyTypeId, ComponentDefinedType, ComponentDefinedTypeId,
    ComponentEntityType, ComponentFuncTypeId, ComponentValType, ResourceId,
};
use wasmparser::types::TypesRef;

/// How deep unnamed types and instances are written out.
const DEEPEST: usize = 12;

/// Writes items, remembering the names of types that it met.
pub struct Printer<'a> {
    types: TypesRef<'a>,
    defined: HashMap<ComponentDefinedTypeId, String>,
    resources: HashMap<ResourceId, String>,
}

impl<'a> Printer<'a> {
    /// A printer that knows no names yet.
    pub fn new(types: TypesRef<'a>) -> Self {
        Self {
            types,
            defined: HashMap::new(),
            resources: HashMap::new(),
        }
    }

    /// Writes one import or export of the component.
    pub fn item(
        &mut self,
        text: &mut String,
        direction: &str,
        name: &str,
        ty: &ComponentEntityType,
    ) {
        let before = text.len();
        self.entity(text, name, ty, 0);
        text.insert_str(before, &format!("{direction} "));
    }

    fn entity(&mut self, text: &mut String, name: &str, ty: &ComponentEntityType, depth: usize) {
        let indent = "  ".repeat(depth);
        match ty {
            ComponentEntityType::Func(id) => {
                let func = self.func(*id);
                let _ = writeln!(text, "{name}: {func};");
            }
            ComponentEntityType::Module(id) => {
                let module = &self.types[*id];
                let (imports, exports) = (module.imports.len(), module.exports.len());
                let _ = writeln!(
                    text,
                    "{name}: core module ({imports} imports, {exports} exports);"
                );
            }
            ComponentEntityType::Component(_) => {
                let _ = writeln!(text, "{name}: component;");
            }
            ComponentEntityType::Value(ty) => {
                let value = self.value(ty, 0);
                let _ = writeln!(text, "{name}: value {value};");
            }
            ComponentEntityType::Type { created, .. } => {
                let line = self.type_definition(name, *created);
                let _ = writeln!(text, "{line}");
            }
            ComponentEntityType::Instance(_) if depth >= DEEPEST => {
                let _ = writeln!(text, "{name}: instance {{ … }}");
            }
            ComponentEntityType::Instance(id) => {
                let types = self.types;
                let _ = writeln!(text, "{name}: instance {{");
                for (name, item) in &types[*id].exports {
                    let _ = write!(text, "{indent}  ");
                    self.entity(text, name, &item.ty, depth + 1);
                }
                let _ = writeln!(text, "{indent}}}");
            }
        }
    }

    fn type_definition(&mut self, name: &str, id: ComponentAnyTypeId) -> String {
        match id {
            ComponentAnyTypeId::Resource(id) => {
                self.resources.insert(id.resource(), name.to_string());
                format!("resource {name};")
            }
            ComponentAnyTypeId::Defined(id) => {
                let definition = match &self.types[id] {
                    ComponentDefinedType::Record(_) | ComponentDefinedType::Variant(_) => self
                        .defined_type(id, 0)
                        .replacen(' ', &format!(" {name} "), 1),
                    ComponentDefinedType::Enum(_) | ComponentDefinedType::Flags(_) => self
                        .defined_type(id, 0)
                        .replacen(' ', &format!(" {name} "), 1),
                    _ => match self.defined.get(&id) {
                        Some(other) => format!("use {other} as {name};"),
                        None => format!("type {name} = {};", self.defined_type(id, 0)),
                    },
                };
                self.defined.insert(id, name.to_string());
                definition
            }
            ComponentAnyTypeId::Func(id) => format!("type {name} = {};", self.func(id)),
            ComponentAnyTypeId::Instance(_) => format!("type {name} = instance;"),
            ComponentAnyTypeId::Component(_) => format!("type {name} = component;"),
        }
    }

    fn func(&self, id: ComponentFuncTypeId) -> String {
        let ty = &self.types[id];
        let params: Vec<String> = ty
            .params
            .iter()
            .map(|(name, ty)| format!("{name}: {}", self.value(ty, 0)))
            .collect();
        let result = ty
            .result
            .as_ref()
            .map_or(String::new(), |ty| format!(" -> {}", self.value(ty, 0)));
        let word = if ty.async_ { "async func" } else { "func" };
        format!("{word}({}){result}", params.join(", "))
    }

    fn value(&self, ty: &ComponentValType, depth: usize) -> String {
        match ty {
            ComponentValType::Primitive(primitive) => primitive.to_string(),
            ComponentValType::Type(id) => match self.defined.get(id) {
                Some(name) => name.clone(),
                None if depth >= DEEPEST => "…".to_string(),
                None => self.defined_type(*id, depth + 1),
            },
        }
    }

    fn optional(&self, ty: Option<&ComponentValType>, depth: usize) -> String {
        ty.map_or("_".to_string(), |ty| self.value(ty, depth))
    }

    fn resource(&self, id: AliasableResourceId) -> String {
        self.resources
            .get(&id.resource())
            .cloned()
            .unwrap_or_else(|| "resource".to_string())
    }

    fn defined_type(&self, id: ComponentDefinedTypeId, depth: usize) -> String {
        use ComponentDefinedType as D;
        let list = |items: Vec<String>| items.join(", ");
        match &self.types[id] {
            D::Primitive(primitive) => primitive.to_string(),
            D::Record(record) => {
                let fields = record
                    .fields
                    .iter()
                    .map(|(n, ty)| format!("{n}: {}", self.value(ty, depth)));
                format!("record {{ {} }}", list(fields.collect()))
            }
            D::Variant(variant) => {
                let cases = variant.cases.iter().map(|(name, case)| match &case.ty {
                    Some(ty) => format!("{name}({})", self.value(ty, depth)),
                    None => name.to_string(),
                });
                format!("variant {{ {} }}", list(cases.collect()))
            }
            D::Enum(names) => format!(
                "enum {{ {} }}",
                list(names.iter().map(ToString::to_string).collect())
            ),
            D::Flags(names) => format!(
                "flags {{ {} }}",
                list(names.iter().map(ToString::to_string).collect())
            ),
            D::List { element, .. } => format!("list<{}>", self.value(element, depth)),
            D::FixedLengthList {
                element, length, ..
            } => format!("list<{}, {length}>", self.value(element, depth)),
            D::Map { key, value, .. } => format!(
                "map<{}, {}>",
                self.value(key, depth),
                self.value(value, depth)
            ),
            D::Tuple(tuple) => {
                format!(
                    "tuple<{}>",
                    list(tuple.types.iter().map(|ty| self.value(ty, depth)).collect())
                )
            }
            D::Option { ty, .. } => format!("option<{}>", self.value(ty, depth)),
            D::Result {
                ok: None,
                err: None,
                ..
            } => "result".to_string(),
            D::Result { ok, err: None, .. } => {
                format!("result<{}>", self.optional(ok.as_ref(), depth))
            }
            D::Result { ok, err, .. } => {
                format!(
                    "result<{}, {}>",
                    self.optional(ok.as_ref(), depth),
                    self.optional(err.as_ref(), depth)
                )
            }
            D::Own(id) => self.resource(*id),
            D::Borrow(id) => format!("borrow<{}>", self.resource(*id)),
            D::Future { ty, .. } => format!("future<{}>", self.optional(ty.as_ref(), depth)),
            D::Stream { ty, .. } => format!("stream<{}>", self.optional(ty.as_ref(), depth)),
            #[allow(unreachable_patterns)]
            _ => "unknown".to_string(),
        }
    }
}
