//! Component values as WAVE text: what `wasm-wave` asks of types and values, for cellule's.
//!
//! WAVE has no text for resources. Where one is wanted, a label names one that is held; where one is
//! written, whoever writes says what it is called.

use super::held::Held;
use crate::near;
use cellule::component::types::Type;
use cellule::component::{ErrorContext, ResourceAny, ResourceType, Val};
use std::borrow::Cow;
use std::cell::RefCell;
use std::ops::Range;
use std::rc::Rc;
use wasm_wave::ast::Node;
use wasm_wave::wasm::{WasmType, WasmTypeKind, WasmValue, WasmValueError};

/// Names of resource types, as far as they have one.
#[derive(Clone, Default)]
pub struct Names(Vec<(ResourceType, String)>);

impl Names {
    /// Adds a name; the first that a type gets stays.
    pub fn add(&mut self, ty: ResourceType, name: &str) {
        self.0.push((ty, name.to_string()));
    }

    /// The name of a type, or dots.
    pub fn of(&self, ty: ResourceType) -> &str {
        let found = self.0.iter().find(|(known, _)| *known == ty);
        found.map_or("…", |(_, name)| name)
    }
}

/// What a resource of a type is called in text.
pub type Naming<'n> = dyn FnMut(&ResourceAny, &Type) -> String + 'n;

/// A value of a type as text.
///
/// # Errors
/// If it, or a part of it, is of a kind that has no text.
pub fn write(value: &Val, ty: &Type, naming: &mut Naming<'_>) -> anyhow::Result<String> {
    let value = Value(name_resources(value, ty, naming));
    Ok(wasm_wave::to_string(&value)?)
}

/// The same value with the text of each resource in its place: the writer prints enums as they are.
fn name_resources(value: &Val, ty: &Type, naming: &mut Naming<'_>) -> Val {
    if !has_resource(ty) {
        return value.clone();
    }
    let mut inner = |value: &Val, ty: &Type| name_resources(value, ty, naming);
    match (value, ty) {
        (Val::Resource(resource), ty) => Val::Enum(naming(resource, ty)),
        (Val::List(list), Type::List(ty)) => {
            let ty = ty.ty();
            Val::List(list.iter().map(|item| inner(&item, &ty)).collect())
        }
        (Val::FixedLengthList(list), Type::FixedLengthList(ty)) => {
            let ty = ty.ty();
            Val::FixedLengthList(list.iter().map(|item| inner(&item, &ty)).collect())
        }
        (Val::Map(entries), Type::Map(ty)) => {
            let ty = ty.value();
            let entries = entries.iter();
            Val::Map(
                entries
                    .map(|(key, x)| (key.clone(), inner(x, &ty)))
                    .collect(),
            )
        }
        (Val::Record(fields), Type::Record(ty)) => {
            let fields = fields.iter().zip(ty.fields());
            let fields = fields.map(|((name, x), field)| (name.clone(), inner(x, &field.ty)));
            Val::Record(fields.collect())
        }
        (Val::Tuple(values), Type::Tuple(ty)) => {
            let values = values.iter().zip(ty.types());
            Val::Tuple(values.map(|(x, ty)| inner(x, &ty)).collect())
        }
        (Val::Variant(name, payload), Type::Variant(ty)) => {
            let case = ty.cases().find(|case| case.name == name);
            let ty = case.and_then(|case| case.ty);
            Val::Variant(name.clone(), name_payload(payload, ty, naming))
        }
        (Val::Option(payload), Type::Option(ty)) => {
            Val::Option(name_payload(payload, Some(ty.ty()), naming))
        }
        (Val::Result(Ok(payload)), Type::Result(ty)) => {
            Val::Result(Ok(name_payload(payload, ty.ok(), naming)))
        }
        (Val::Result(Err(payload)), Type::Result(ty)) => {
            Val::Result(Err(name_payload(payload, ty.err(), naming)))
        }
        (other, _) => other.clone(),
    }
}

fn name_payload(value: &Payload, ty: Option<Type>, naming: &mut Naming<'_>) -> Payload {
    let (value, ty) = value.as_deref().zip(ty)?;
    Some(Box::new(name_resources(value, &ty, naming)))
}

/// What stands before the message of an error context.
const ERROR_CONTEXT: &str = "error-context";

/// How deep a type is written out: it can be far larger than the binary that it is from.
const DEEPEST: u32 = 6;

/// A type as WIT would write it, resources by their names; parts that lie very deep are left out.
pub fn describe(ty: &Type, names: &Names) -> String {
    described(ty, names, DEEPEST)
}

fn described(ty: &Type, names: &Names, depth: u32) -> String {
    let Some(depth) = depth.checked_sub(1) else {
        return "…".to_string();
    };
    if !has_resource(ty) {
        return ty.to_string();
    }
    let inner = |ty: &Type| described(ty, names, depth);
    let optional = |ty: Option<Type>| ty.map_or("_".to_string(), |ty| inner(&ty));
    match ty {
        Type::Own(ty) => format!("own<{}>", names.of(*ty)),
        Type::Borrow(ty) => format!("borrow<{}>", names.of(*ty)),
        Type::List(list) => format!("list<{}>", inner(&list.ty())),
        Type::Map(map) => format!("map<{}, {}>", inner(&map.key()), inner(&map.value())),
        Type::Record(record) => {
            let fields = record.fields();
            let fields: Vec<String> = fields
                .map(|field| format!("{}: {}", field.name, inner(&field.ty)))
                .collect();
            format!("record {{ {} }}", fields.join(", "))
        }
        Type::Tuple(tuple) => {
            let types: Vec<String> = tuple.types().map(|ty| inner(&ty)).collect();
            format!("tuple<{}>", types.join(", "))
        }
        Type::Variant(variant) => {
            let cases = variant.cases();
            let cases: Vec<String> = cases
                .map(|case| match case.ty {
                    Some(ty) => format!("{}({})", case.name, inner(&ty)),
                    None => case.name.to_string(),
                })
                .collect();
            format!("variant {{ {} }}", cases.join(", "))
        }
        Type::Option(option) => format!("option<{}>", inner(&option.ty())),
        Type::Result(result) => {
            format!(
                "result<{}, {}>",
                optional(result.ok()),
                optional(result.err())
            )
        }
        other => other.to_string(),
    }
}

/// Whether a type is a resource, or has one in it.
pub fn has_resource(ty: &Type) -> bool {
    let any = |ty: Option<Type>| ty.as_ref().is_some_and(has_resource);
    match ty {
        Type::Own(_) | Type::Borrow(_) => true,
        Type::List(list) => has_resource(&list.ty()),
        Type::FixedLengthList(list) => has_resource(&list.ty()),
        Type::Map(map) => has_resource(&map.value()),
        Type::Record(record) => record.fields().any(|field| has_resource(&field.ty)),
        Type::Tuple(tuple) => tuple.types().any(|ty| has_resource(&ty)),
        Type::Variant(variant) => variant.cases().any(|case| any(case.ty)),
        Type::Option(option) => has_resource(&option.ty()),
        Type::Result(result) => any(result.ok()) || any(result.err()),
        _ => false,
    }
}

/// The type that is expected at a place in a value of a type: that of the innermost part that has it,
/// as far as the value fits.
pub fn expected_at(node: &Node, ty: &Type, source: &str, place: Range<usize>) -> Type {
    if node.span() == place {
        return ty.clone();
    }
    let parts = parts(node, ty, source);
    let part = parts.iter().find(|(node, _)| {
        let span = node.span();
        span.start <= place.start && place.end <= span.end
    });
    match part {
        Some((node, ty)) => expected_at(node, ty, source, place),
        None => ty.clone(),
    }
}

/// The parts of a value, as far as it fits its type.
fn parts<'n>(node: &'n Node, ty: &Type, source: &str) -> Vec<(&'n Node, Type)> {
    let payload = |node: Option<&'n Node>, ty: Option<Type>| node.zip(ty).into_iter().collect();
    match ty {
        Type::List(list) => elements(node, list.ty()),
        Type::FixedLengthList(list) => elements(node, list.ty()),
        Type::Tuple(tuple) => match node.as_tuple() {
            Ok(nodes) => nodes.zip(tuple.types()).collect(),
            Err(_) => Vec::new(),
        },
        Type::Record(record) => match node.as_record(source) {
            Ok(given) => {
                let typed = given.filter_map(|(name, node)| {
                    let field = record.fields().find(|field| field.name == name)?;
                    Some((node, field.ty))
                });
                typed.collect()
            }
            Err(_) => Vec::new(),
        },
        Type::Variant(variant) => match node.as_variant(source) {
            Ok((name, node)) => {
                let case = variant.cases().find(|case| case.name == name);
                payload(node, case.and_then(|case| case.ty))
            }
            Err(_) => Vec::new(),
        },
        Type::Option(option) => match node.as_option() {
            Ok(node) => payload(node, Some(option.ty())),
            // `some` may be left out.
            Err(_) => parts(node, &option.ty(), source),
        },
        Type::Result(result) => match node.as_result() {
            Ok(Ok(node)) => payload(node, result.ok()),
            Ok(Err(node)) => payload(node, result.err()),
            Err(_) => Vec::new(),
        },
        Type::Map(map) => match node.as_map() {
            Ok(entries) => {
                let both =
                    entries.flat_map(|(key, value)| [(key, map.key()), (value, map.value())]);
                both.collect()
            }
            Err(_) => Vec::new(),
        },
        _ => Vec::new(),
    }
}

fn elements(node: &Node, ty: Type) -> Vec<(&Node, Type)> {
    let nodes = node
        .as_list()
        .map(|nodes| nodes.map(|node| (node, ty.clone())));
    nodes.map(Iterator::collect).unwrap_or_default()
}

/// A type, for `wasm-wave`, with the resources that values of it may name.
#[derive(Clone)]
pub struct Ty {
    ty: Type,
    held: Rc<RefCell<Held>>,
}

impl Ty {
    /// A type whose resources are among those.
    pub fn new(ty: Type, held: &Rc<RefCell<Held>>) -> Ty {
        let held = held.clone();
        Ty { ty, held }
    }

    fn inner(&self, ty: Type) -> Ty {
        Ty::new(ty, &self.held)
    }
}

impl WasmType for Ty {
    fn kind(&self) -> WasmTypeKind {
        match &self.ty {
            Type::Bool => WasmTypeKind::Bool,
            Type::S8 => WasmTypeKind::S8,
            Type::U8 => WasmTypeKind::U8,
            Type::S16 => WasmTypeKind::S16,
            Type::U16 => WasmTypeKind::U16,
            Type::S32 => WasmTypeKind::S32,
            Type::U32 => WasmTypeKind::U32,
            Type::S64 => WasmTypeKind::S64,
            Type::U64 => WasmTypeKind::U64,
            Type::Float32 => WasmTypeKind::F32,
            Type::Float64 => WasmTypeKind::F64,
            Type::Char => WasmTypeKind::Char,
            Type::String => WasmTypeKind::String,
            // Of either kind a list is written in brackets.
            Type::List(_) | Type::FixedLengthList(_) => WasmTypeKind::List,
            Type::Map(_) => WasmTypeKind::Map,
            Type::Record(_) => WasmTypeKind::Record,
            Type::Tuple(_) => WasmTypeKind::Tuple,
            // An error context is written as if it were the only case of a variant.
            Type::Variant(_) | Type::ErrorContext => WasmTypeKind::Variant,
            Type::Enum(_) => WasmTypeKind::Enum,
            Type::Option(_) => WasmTypeKind::Option,
            Type::Result(_) => WasmTypeKind::Result,
            Type::Flags(_) => WasmTypeKind::Flags,
            // A label that names one.
            Type::Own(_) | Type::Borrow(_) => WasmTypeKind::Enum,
            _ => WasmTypeKind::Unsupported,
        }
    }

    fn list_element_type(&self) -> Option<Self> {
        match &self.ty {
            Type::List(list) => Some(self.inner(list.ty())),
            Type::FixedLengthList(list) => Some(self.inner(list.ty())),
            _ => None,
        }
    }

    fn record_fields(&self) -> Box<dyn Iterator<Item = (Cow<'_, str>, Self)> + '_> {
        match &self.ty {
            Type::Record(record) => {
                let fields = record.fields();
                Box::new(fields.map(|field| (field.name.into(), self.inner(field.ty))))
            }
            _ => Box::new(std::iter::empty()),
        }
    }

    fn tuple_element_types(&self) -> Box<dyn Iterator<Item = Self> + '_> {
        match &self.ty {
            Type::Tuple(tuple) => Box::new(tuple.types().map(|ty| self.inner(ty))),
            _ => Box::new(std::iter::empty()),
        }
    }

    fn variant_cases(&self) -> Box<dyn Iterator<Item = (Cow<'_, str>, Option<Self>)> + '_> {
        match &self.ty {
            Type::Variant(variant) => {
                let cases = variant.cases();
                Box::new(cases.map(|case| (case.name.into(), case.ty.map(|ty| self.inner(ty)))))
            }
            Type::ErrorContext => {
                let message = Some(self.inner(Type::String));
                Box::new(std::iter::once((ERROR_CONTEXT.into(), message)))
            }
            _ => Box::new(std::iter::empty()),
        }
    }

    fn enum_cases(&self) -> Box<dyn Iterator<Item = Cow<'_, str>> + '_> {
        match &self.ty {
            Type::Enum(cases) => Box::new(cases.names().map(Into::into)),
            _ => Box::new(std::iter::empty()),
        }
    }

    fn option_some_type(&self) -> Option<Self> {
        match &self.ty {
            Type::Option(option) => Some(self.inner(option.ty())),
            _ => None,
        }
    }

    fn result_types(&self) -> Option<(Option<Self>, Option<Self>)> {
        match &self.ty {
            Type::Result(result) => {
                let inner = |ty| self.inner(ty);
                Some((result.ok().map(inner), result.err().map(inner)))
            }
            _ => None,
        }
    }

    fn flags_names(&self) -> Box<dyn Iterator<Item = Cow<'_, str>> + '_> {
        match &self.ty {
            Type::Flags(flags) => Box::new(flags.names().map(Into::into)),
            _ => Box::new(std::iter::empty()),
        }
    }

    fn map_key_value_types(&self) -> Option<(Self, Self)> {
        match &self.ty {
            Type::Map(map) => Some((self.inner(map.key()), self.inner(map.value()))),
            _ => None,
        }
    }
}

/// A name that a type doesn't have, with one that may be meant.
fn unknown<'a>(
    what: &str,
    name: &str,
    known: impl Iterator<Item = Cow<'a, str>>,
) -> WasmValueError {
    let hint = near::hint(name, known);
    WasmValueError::Other(format!("unknown {what} \"{name}\"{hint}"))
}

/// A value, for `wasm-wave`.
#[derive(Clone, Debug, PartialEq)]
pub struct Value(pub Val);

type Payload = Option<Box<Val>>;

fn boxed(value: Option<Value>) -> Payload {
    value.map(|value| Box::new(value.0))
}

fn lent(value: &Payload) -> Option<Cow<'_, Value>> {
    value.as_deref().map(cow)
}

fn cow(value: &Val) -> Cow<'_, Value> {
    Cow::Owned(Value(value.clone()))
}

/// What `wasm-wave` is told of a value that it took for one of another kind; it asks for the kind first.
macro_rules! unwrap {
    ($value:expr, $variant:ident) => {
        match &$value.0 {
            Val::$variant(inner) => inner,
            other => panic!("{other:?} is no {}", stringify!($variant)),
        }
    };
}

macro_rules! scalars {
    ($($variant:ident $ty:ty: $make:ident $unwrap:ident;)*) => {
        $(
            fn $make(value: $ty) -> Self {
                Value(Val::$variant(value))
            }

            fn $unwrap(&self) -> $ty {
                *unwrap!(self, $variant)
            }
        )*
    };
}

type Made = Result<Value, WasmValueError>;

impl WasmValue for Value {
    type Type = Ty;

    fn kind(&self) -> WasmTypeKind {
        match &self.0 {
            Val::Bool(_) => WasmTypeKind::Bool,
            Val::S8(_) => WasmTypeKind::S8,
            Val::U8(_) => WasmTypeKind::U8,
            Val::S16(_) => WasmTypeKind::S16,
            Val::U16(_) => WasmTypeKind::U16,
            Val::S32(_) => WasmTypeKind::S32,
            Val::U32(_) => WasmTypeKind::U32,
            Val::S64(_) => WasmTypeKind::S64,
            Val::U64(_) => WasmTypeKind::U64,
            Val::Float32(_) => WasmTypeKind::F32,
            Val::Float64(_) => WasmTypeKind::F64,
            Val::Char(_) => WasmTypeKind::Char,
            Val::String(_) => WasmTypeKind::String,
            Val::List(_) | Val::FixedLengthList(_) => WasmTypeKind::List,
            Val::Map(_) => WasmTypeKind::Map,
            Val::Record(_) => WasmTypeKind::Record,
            Val::Tuple(_) => WasmTypeKind::Tuple,
            Val::Variant(..) | Val::ErrorContext(_) => WasmTypeKind::Variant,
            Val::Enum(_) => WasmTypeKind::Enum,
            Val::Option(_) => WasmTypeKind::Option,
            Val::Result(_) => WasmTypeKind::Result,
            Val::Flags(_) => WasmTypeKind::Flags,
            Val::Resource(_) => WasmTypeKind::Unsupported,
        }
    }

    scalars! {
        Bool bool: make_bool unwrap_bool;
        S8 i8: make_s8 unwrap_s8;
        U8 u8: make_u8 unwrap_u8;
        S16 i16: make_s16 unwrap_s16;
        U16 u16: make_u16 unwrap_u16;
        S32 i32: make_s32 unwrap_s32;
        U32 u32: make_u32 unwrap_u32;
        S64 i64: make_s64 unwrap_s64;
        U64 u64: make_u64 unwrap_u64;
        Float32 f32: make_f32 unwrap_f32;
        Float64 f64: make_f64 unwrap_f64;
        Char char: make_char unwrap_char;
    }

    fn make_string(value: Cow<str>) -> Self {
        Value(Val::String(value.into_owned()))
    }

    fn make_list(ty: &Ty, values: impl IntoIterator<Item = Self>) -> Made {
        let values = values.into_iter().map(|value| value.0);
        Ok(Value(match &ty.ty {
            Type::FixedLengthList(_) => Val::FixedLengthList(values.collect()),
            _ => Val::List(values.collect()),
        }))
    }

    fn make_record<'a>(ty: &Ty, fields: impl IntoIterator<Item = (&'a str, Self)>) -> Made {
        let mut given: Vec<(&str, Value)> = fields.into_iter().collect();
        let mut record = Vec::new();
        for (name, _) in ty.record_fields() {
            let at = given.iter().position(|(known, _)| *known == name);
            let at = at.ok_or_else(|| WasmValueError::MissingField(name.to_string()))?;
            record.push((name.into_owned(), given.swap_remove(at).1.0));
        }
        match given.first() {
            Some((name, _)) => Err(WasmValueError::UnknownField((*name).to_string())),
            None => Ok(Value(Val::Record(record))),
        }
    }

    fn make_tuple(_: &Ty, values: impl IntoIterator<Item = Self>) -> Made {
        let values = values.into_iter().map(|value| value.0);
        Ok(Value(Val::Tuple(values.collect())))
    }

    fn make_variant(ty: &Ty, case: &str, payload: Option<Self>) -> Made {
        if let (Type::ErrorContext, Some(Val::String(message))) =
            (&ty.ty, payload.as_ref().map(|value| &value.0))
        {
            let context = ErrorContext::new(message.as_str());
            return Ok(Value(Val::ErrorContext(context)));
        }
        Ok(Value(Val::Variant(case.to_string(), boxed(payload))))
    }

    fn make_enum(ty: &Ty, case: &str) -> Made {
        if let Type::Own(wanted) | Type::Borrow(wanted) = &ty.ty {
            let own = matches!(ty.ty, Type::Own(_));
            let given = ty.held.borrow_mut().give(case, own, Some(*wanted));
            let resource = given.map_err(WasmValueError::Other)?;
            return Ok(Value(Val::Resource(resource)));
        }
        if !ty.enum_cases().any(|known| known == case) {
            return Err(unknown("case", case, ty.enum_cases()));
        }
        Ok(Value(Val::Enum(case.to_string())))
    }

    fn make_option(_: &Ty, value: Option<Self>) -> Made {
        Ok(Value(Val::Option(boxed(value))))
    }

    fn make_result(_: &Ty, value: Result<Option<Self>, Option<Self>>) -> Made {
        Ok(Value(Val::Result(value.map(boxed).map_err(boxed))))
    }

    fn make_flags<'a>(ty: &Ty, names: impl IntoIterator<Item = &'a str>) -> Made {
        let names: Vec<String> = names.into_iter().map(ToString::to_string).collect();
        let strange = |name: &&String| ty.flags_names().all(|known| known != name.as_str());
        match names.iter().find(strange) {
            Some(name) => Err(unknown("flag", name, ty.flags_names())),
            None => Ok(Value(Val::Flags(names))),
        }
    }

    fn make_map(_: &Ty, entries: impl IntoIterator<Item = (Self, Self)>) -> Made {
        let entries = entries.into_iter();
        let entries = entries.map(|(key, value)| (key.0, value.0));
        Ok(Value(Val::Map(entries.collect())))
    }

    fn unwrap_string(&self) -> Cow<'_, str> {
        unwrap!(self, String).as_str().into()
    }

    fn unwrap_list(&self) -> Box<dyn Iterator<Item = Cow<'_, Self>> + '_> {
        Box::new(
            match &self.0 {
                Val::FixedLengthList(list) => list,
                _ => unwrap!(self, List),
            }
            .iter()
            .map(|item| Cow::Owned(Value(item))),
        )
    }

    fn unwrap_record(&self) -> Box<dyn Iterator<Item = (Cow<'_, str>, Cow<'_, Self>)> + '_> {
        let fields = unwrap!(self, Record).iter();
        Box::new(fields.map(|(name, value)| (name.as_str().into(), cow(value))))
    }

    fn unwrap_tuple(&self) -> Box<dyn Iterator<Item = Cow<'_, Self>> + '_> {
        Box::new(unwrap!(self, Tuple).iter().map(cow))
    }

    fn unwrap_variant(&self) -> (Cow<'_, str>, Option<Cow<'_, Self>>) {
        match &self.0 {
            Val::Variant(name, payload) => (name.as_str().into(), lent(payload)),
            Val::ErrorContext(context) => {
                let message = Val::String(context.debug_message().to_string());
                (ERROR_CONTEXT.into(), Some(Cow::Owned(Value(message))))
            }
            other => panic!("{other:?} is no Variant"),
        }
    }

    fn unwrap_enum(&self) -> Cow<'_, str> {
        unwrap!(self, Enum).as_str().into()
    }

    fn unwrap_option(&self) -> Option<Cow<'_, Self>> {
        lent(unwrap!(self, Option))
    }

    fn unwrap_result(&self) -> Result<Option<Cow<'_, Self>>, Option<Cow<'_, Self>>> {
        unwrap!(self, Result).as_ref().map(lent).map_err(lent)
    }

    fn unwrap_flags(&self) -> Box<dyn Iterator<Item = Cow<'_, str>> + '_> {
        Box::new(unwrap!(self, Flags).iter().map(|name| name.as_str().into()))
    }

    fn unwrap_map(&self) -> Box<dyn Iterator<Item = (Cow<'_, Self>, Cow<'_, Self>)> + '_> {
        let entries = unwrap!(self, Map).iter();
        Box::new(entries.map(|(key, value)| (cow(key), cow(value))))
    }
}
