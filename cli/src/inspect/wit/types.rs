//! Types and functions as WIT writes them.

use super::text::{ident, list};
use super::{Place, Scope, Told, World, text};
use wasmparser::PrimitiveValType;
use wasmparser::component_types::{
    AliasableResourceId, ComponentAnyTypeId, ComponentDefinedType, ComponentDefinedTypeId,
    ComponentFuncTypeId, ComponentItem, ComponentValType,
};
use wasmparser::names::{AccessorKind, PlainName, ResourceFuncKind};

/// How many types are written out: types without names can be far larger in text than in the binary.
pub const MOST: usize = 1 << 20;

/// How deep they are written out, as deep as WIT's reader follows.
const DEEPEST: usize = 90;

impl World<'_> {
    /// Adds a function: to its resource, if it has one.
    pub fn function(
        &mut self,
        scope: Scope,
        name: &str,
        item: &ComponentItem,
        id: ComponentFuncTypeId,
    ) -> Told<()> {
        let attribute = text::external_id(item);
        let plain = PlainName::new(name);
        let local = ident(plain.name().as_str());
        let Some(resource) = plain.resource() else {
            let func = self.func(scope, name, id)?;
            let line = format!("{attribute}{local}: {func};");
            self.body(scope).add_function(name, line);
            return Ok(());
        };
        let line = match plain.resource_func {
            Some(ResourceFuncKind::Constructor) => {
                let params = self.params(scope, id, 0)?;
                let result = self.types[id].result;
                let result = match result {
                    Some(ty) if !self.is_own(&ty) => format!(" -> {}", self.value(scope, &ty, 0)?),
                    _ => String::new(),
                };
                format!("{attribute}constructor({params}){result};")
            }
            kind => {
                let word = match kind {
                    Some(ResourceFuncKind::Static) => "static ",
                    _ => "",
                };
                let func = self.func(scope, name, id)?;
                format!("{attribute}{local}: {word}{func};")
            }
        };
        let body = self.body(scope);
        if body.add_method(resource.as_str(), name, line) {
            return Ok(());
        }
        Err(format!(
            "of the resource `{resource}`, which is defined elsewhere"
        ))
    }

    /// The type of a function, without its name.
    pub fn func(&mut self, scope: Scope, name: &str, id: ComponentFuncTypeId) -> Told<String> {
        let plain = PlainName::new(name);
        let is_method = plain.resource_func == Some(ResourceFuncKind::Method);
        let params = self.params(scope, id, usize::from(is_method))?;
        let ty = &self.types[id];
        let word = match (plain.accessor, ty.async_) {
            (Some(AccessorKind::Get), _) => "get",
            (Some(AccessorKind::Set), _) => "set",
            (None, true) => "async func",
            (None, false) => "func",
        };
        let result = ty.result;
        let result = match result {
            Some(ty) => format!(" -> {}", self.value(scope, &ty, 0)?),
            None => String::new(),
        };
        Ok(format!("{word}({params}){result}"))
    }

    /// The parameters but for some at the front.
    fn params(&mut self, scope: Scope, id: ComponentFuncTypeId, skipped: usize) -> Told<String> {
        let types = self.types;
        let params = types[id].params.iter().skip(skipped);
        let params = params.map(|(name, ty)| {
            let ty = self.value(scope, ty, 0)?;
            Ok(format!("{}: {ty}", ident(name.as_str())))
        });
        Ok(params.collect::<Told<Vec<_>>>()?.join(", "))
    }

    /// Whether it is a handle that owns: of what a constructor returns that can't fail.
    fn is_own(&self, ty: &ComponentValType) -> bool {
        match ty {
            ComponentValType::Type(id) => matches!(self.types[*id], ComponentDefinedType::Own(_)),
            ComponentValType::Primitive(_) => false,
        }
    }

    /// The definition of a type that has a name.
    pub fn definition(
        &mut self,
        scope: Scope,
        name: &str,
        id: ComponentDefinedTypeId,
    ) -> Told<String> {
        use ComponentDefinedType as D;
        let (types, name) = (self.types, ident(name));
        let names = |names: Vec<&str>| names.into_iter().map(ident).collect::<Vec<_>>();
        Ok(match &types[id] {
            D::Record(record) => {
                let fields = record.fields.iter().map(|(field, ty)| {
                    let ty = self.value(scope, ty, 0)?;
                    Ok(format!("{}: {ty}", ident(field.as_str())))
                });
                let fields = fields.collect::<Told<Vec<_>>>()?;
                list(&format!("record {name}"), &fields)
            }
            D::Variant(variant) => {
                let cases = variant.cases.iter().map(|(case, of)| {
                    let case = ident(case.as_str());
                    Ok(match &of.ty {
                        Some(ty) => format!("{case}({})", self.value(scope, ty, 0)?),
                        None => case,
                    })
                });
                let cases = cases.collect::<Told<Vec<_>>>()?;
                list(&format!("variant {name}"), &cases)
            }
            D::Enum(cases) => {
                let cases = cases.iter().map(|case| case.as_str());
                list(&format!("enum {name}"), &names(cases.collect()))
            }
            D::Flags(flags) => {
                let flags = flags.iter().map(|flag| flag.as_str());
                list(&format!("flags {name}"), &names(flags.collect()))
            }
            // The name alone would be another name of the resource.
            D::Own(id) => format!("type {name} = own<{}>;", self.resource(scope, *id)?),
            _ => format!("type {name} = {};", self.structure(scope, id, 0)?),
        })
    }

    /// A type where a value is of it.
    fn value(&mut self, scope: Scope, ty: &ComponentValType, depth: usize) -> Told<String> {
        let id = match ty {
            ComponentValType::Primitive(primitive) => return Ok(primitive_name(*primitive)),
            ComponentValType::Type(id) => *id,
        };
        let named = ComponentAnyTypeId::Defined(id);
        match self.place(named).cloned() {
            Some(place) => self.local_name(scope, &place, named),
            None => self.structure(scope, id, depth + 1),
        }
    }

    fn optional(
        &mut self,
        scope: Scope,
        ty: &Option<ComponentValType>,
        depth: usize,
    ) -> Told<String> {
        match ty {
            Some(ty) => self.value(scope, ty, depth),
            None => Ok("_".into()),
        }
    }

    /// A type that has no name.
    fn structure(
        &mut self,
        scope: Scope,
        id: ComponentDefinedTypeId,
        depth: usize,
    ) -> Told<String> {
        use ComponentDefinedType as D;
        self.left = self.left.saturating_sub(1);
        if depth > DEEPEST || self.left == 0 {
            return Err("a type that is too large to be written out".into());
        }
        let types = self.types;
        Ok(match &types[id] {
            D::Primitive(primitive) => primitive_name(*primitive),
            D::List { element, .. } => format!("list<{}>", self.value(scope, element, depth)?),
            D::FixedLengthList {
                element, length, ..
            } => format!("list<{}, {length}>", self.value(scope, element, depth)?),
            D::Map { key, value, .. } => {
                let key = self.value(scope, key, depth)?;
                format!("map<{key}, {}>", self.value(scope, value, depth)?)
            }
            D::Tuple(tuple) => {
                let parts = tuple.types.iter();
                let parts = parts.map(|ty| self.value(scope, ty, depth));
                format!("tuple<{}>", parts.collect::<Told<Vec<_>>>()?.join(", "))
            }
            D::Option { ty, .. } => format!("option<{}>", self.value(scope, ty, depth)?),
            D::Result { ok, err, .. } => match (ok, err) {
                (None, None) => "result".into(),
                (ok, None) => format!("result<{}>", self.optional(scope, ok, depth)?),
                (ok, err) => {
                    let ok = self.optional(scope, ok, depth)?;
                    format!("result<{ok}, {}>", self.optional(scope, err, depth)?)
                }
            },
            D::Own(id) => self.resource(scope, *id)?,
            D::Borrow(id) => format!("borrow<{}>", self.resource(scope, *id)?),
            D::Future { ty: None, .. } => "future".into(),
            D::Future { ty, .. } => format!("future<{}>", self.optional(scope, ty, depth)?),
            D::Stream { ty: None, .. } => "stream".into(),
            D::Stream { ty, .. } => format!("stream<{}>", self.optional(scope, ty, depth)?),
            D::Record(_) | D::Variant(_) | D::Enum(_) | D::Flags(_) => {
                return Err("a type that has no name, but has members".into());
            }
        })
    }

    fn resource(&mut self, scope: Scope, id: AliasableResourceId) -> Told<String> {
        let named = ComponentAnyTypeId::Resource(id);
        let place: Option<Place> = self.place(named).cloned();
        match place {
            Some(place) => self.local_name(scope, &place, named),
            None => Err("a resource that has no name".into()),
        }
    }
}

fn primitive_name(primitive: PrimitiveValType) -> String {
    primitive.to_string()
}
