//! Whether dynamic values are of a function's types, before anything is lowered.
//!
//! Run time, at each dynamic call. It goes over the rows of the tables beside the values: a [`Type`]
//! is made only to say what was expected. What recurses is never inlined: a frame holds what its own kind of value
//! needs, so that values as deep as types may be are checked on a small native stack.

use super::{List, Val};
use crate::component::types::{Scope, Type};
use crate::error::{Error, ErrorKind, Result};
use crate::tables::{TypeId, TypeKind, TypeRow};

/// How deep values nest at most: types are not deeper.
const MAX_DEPTH: u32 = 200;

/// An error that says where a value isn't of a type.
pub(crate) fn check(scope: &Scope, value: &Val, ty: TypeId) -> Result<()> {
    Check { scope }.at(value, ty, 0)
}

struct Check<'a> {
    scope: &'a Scope,
}

impl Check<'_> {
    fn at(&self, value: &Val, ty: TypeId, depth: u32) -> Result<()> {
        if depth > MAX_DEPTH {
            return Err(Error::of(ErrorKind::Limit, "a value is nested too deeply"));
        }
        let depth = depth + 1;
        let tables = &self.scope.tables;
        let row = tables.ty(ty);
        match (value, row.kind) {
            (Val::Bool(_), TypeKind::Bool)
            | (Val::S8(_), TypeKind::S8)
            | (Val::U8(_), TypeKind::U8)
            | (Val::S16(_), TypeKind::S16)
            | (Val::U16(_), TypeKind::U16)
            | (Val::S32(_), TypeKind::S32)
            | (Val::U32(_), TypeKind::U32)
            | (Val::S64(_), TypeKind::S64)
            | (Val::U64(_), TypeKind::U64)
            | (Val::Float32(_), TypeKind::F32)
            | (Val::Float64(_), TypeKind::F64)
            | (Val::Char(_), TypeKind::Char)
            | (Val::String(_), TypeKind::String)
            | (Val::ErrorContext(_), TypeKind::ErrorContext) => Ok(()),
            (Val::List(list), TypeKind::List) => self.list(list, row.element(), depth),
            (Val::FixedLengthList(list), TypeKind::FixedList) => {
                same_count(list.len(), row.b as usize, "elements")?;
                self.list(list, row.element(), depth)
            }
            (Val::Map(entries), TypeKind::Map) => {
                let pair = tables.fields(tables.ty(row.element()).span());
                entries.iter().try_for_each(|(key, value)| {
                    self.at(key, pair[0].ty, depth)?;
                    self.at(value, pair[1].ty, depth)
                })
            }
            (Val::Record(values), TypeKind::Record) => self.record(values, row, depth),
            (Val::Tuple(values), TypeKind::Tuple) => {
                let fields = tables.fields(row.span());
                same_count(values.len(), fields.len(), "values in a tuple")?;
                let mut both = values.iter().zip(fields);
                both.try_for_each(|(value, field)| self.at(value, field.ty, depth))
            }
            (Val::Variant(name, payload), TypeKind::Variant) => {
                self.case(row, name, payload.as_deref(), depth)
            }
            (Val::Enum(name), TypeKind::Enum) => self.case(row, name, None, depth),
            (Val::Option(None), TypeKind::Option) => Ok(()),
            (Val::Option(payload), TypeKind::Option) => {
                let some = tables.cases(row.span())[1];
                self.payload(payload.as_deref(), some.ty, "some", depth)
            }
            (Val::Result(value), TypeKind::Result) => {
                let cases = tables.cases(row.span());
                match value {
                    Ok(value) => self.payload(value.as_deref(), cases[0].ty, "ok", depth),
                    Err(value) => self.payload(value.as_deref(), cases[1].ty, "err", depth),
                }
            }
            (Val::Flags(names), TypeKind::Flags) => {
                let known = tables.cases(row.span());
                let strange = names
                    .iter()
                    .find(|name| known.iter().all(|known| tables.name(known.name) != **name));
                strange.map_or(Ok(()), |name| Err(unknown("flag", name)))
            }
            (Val::Resource(_), TypeKind::Own | TypeKind::Borrow) => self.resource(value, ty),
            _ => Err(self.other(value, ty)),
        }
    }

    #[inline(never)]
    fn other(&self, value: &Val, ty: TypeId) -> Error {
        let ty = Type::new(self.scope, ty);
        let why = format_args!("{} given, {ty} expected", value.desc());
        Error::of(ErrorKind::Type, why)
    }

    #[inline(never)]
    fn list(&self, list: &List, element: TypeId, depth: u32) -> Result<()> {
        match list {
            List::Vals(list) => {
                let mut items = list.iter();
                items.try_for_each(|item| self.at(item, element, depth))
            }
            // All of one kind.
            list => match list.get(0) {
                Some(first) => self.at(&first, element, depth),
                None => Ok(()),
            },
        }
    }

    #[inline(never)]
    fn record(
        &self,
        values: &[(alloc::string::String, Val)],
        row: TypeRow,
        depth: u32,
    ) -> Result<()> {
        let tables = &self.scope.tables;
        let fields = tables.fields(row.span());
        same_count(values.len(), fields.len(), "fields")?;
        for ((name, value), field) in values.iter().zip(fields) {
            let expected = tables.name(field.name);
            if name != expected {
                let why = format_args!("field `{name}` given, `{expected}` expected");
                return Err(Error::of(ErrorKind::Type, why));
            }
            self.at(value, field.ty, depth)?;
        }
        Ok(())
    }

    #[inline(never)]
    fn case(&self, row: TypeRow, name: &str, payload: Option<&Val>, depth: u32) -> Result<()> {
        let tables = &self.scope.tables;
        let mut cases = tables.cases(row.span()).iter();
        let case = cases.find(|case| tables.name(case.name) == name);
        let case = case.ok_or_else(|| unknown("case", name))?;
        self.payload(payload, case.ty, name, depth)
    }

    #[inline(never)]
    fn payload(&self, value: Option<&Val>, ty: TypeId, case: &str, depth: u32) -> Result<()> {
        let why = match (value, ty.some()) {
            (Some(value), Some(ty)) => return self.at(value, ty, depth),
            (None, None) => return Ok(()),
            (Some(_), None) => {
                let why = format_args!("the case `{case}` carries no value");
                Error::of(ErrorKind::Type, why)
            }
            (None, Some(ty)) => {
                let ty = Type::new(self.scope, ty);
                let why = format_args!("the case `{case}` carries a value of type {ty}");
                Error::of(ErrorKind::Type, why)
            }
        };
        Err(why)
    }

    #[inline(never)]
    fn resource(&self, value: &Val, ty: TypeId) -> Result<()> {
        let (Val::Resource(resource), Type::Own(expected) | Type::Borrow(expected)) =
            (value, Type::new(self.scope, ty))
        else {
            return Err(self.other(value, ty));
        };
        let owned = self.scope.tables.ty(ty).kind == TypeKind::Own;
        let why = match resource.ty() == expected {
            _ if owned && !resource.owned() => {
                "a borrowed resource can't be passed where an owned one is expected"
            }
            false => "mismatched resource types",
            true => return Ok(()),
        };
        Err(Error::of(ErrorKind::Type, why))
    }
}

pub(super) fn unknown(what: &str, name: &str) -> Error {
    Error::of(
        ErrorKind::Type,
        format_args!("the type has no {what} `{name}`"),
    )
}

fn same_count(given: usize, expected: usize, what: &str) -> Result<()> {
    if given == expected {
        return Ok(());
    }
    let why = format_args!("{given} {what} given, {expected} expected");
    Err(Error::of(ErrorKind::Type, why))
}
