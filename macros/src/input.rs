//! What is derived on: fields or cases, checked.

use crate::attributes::{OnType, Style, component_name, distinct};
use syn::spanned::Spanned;
use syn::{Data, DeriveInput, Error, Field, Fields, Generics, Ident, LitStr, Path, Result, Type};
use syn::{DataEnum, Variant};

/// More cases have no discriminant of two bytes; no one has that many.
const MAX_CASES: usize = 1 << 16;

/// A type to derive on.
pub struct Input<'a> {
    pub ident: &'a Ident,
    pub generics: &'a Generics,
    pub cellule: Path,
    pub body: Body<'a>,
}

/// What it consists of.
pub enum Body<'a> {
    Record(Vec<FieldOf<'a>>),
    Variant(Vec<Case<'a>>),
    /// Cases, none with a payload.
    Enum(Vec<Case<'a>>),
}

/// A field of a record.
pub struct FieldOf<'a> {
    pub ident: &'a Ident,
    pub name: LitStr,
    pub ty: &'a Type,
}

/// A case of a variant or enum.
pub struct Case<'a> {
    pub ident: &'a Ident,
    pub name: LitStr,
    pub payload: Option<&'a Type>,
}

impl<'a> Input<'a> {
    /// Reads and checks it.
    pub fn new(input: &'a DeriveInput) -> Result<Input<'a>> {
        if let Data::Union(data) = &input.data {
            let why = "component types can't be derived for a `union`";
            return Err(Error::new(data.union_token.span(), why));
        }
        let OnType { style, cellule } = OnType::read(&input.ident, &input.attrs)?;
        let body = match (style, &input.data) {
            (Style::Record, Data::Struct(data)) => {
                Body::Record(fields(&input.ident, &data.fields)?)
            }
            (Style::Variant, Data::Enum(data)) => Body::Variant(cases(&input.ident, style, data)?),
            (Style::Enum, Data::Enum(data)) => Body::Enum(cases(&input.ident, style, data)?),
            _ => {
                let rust = if style == Style::Record {
                    "a `struct`"
                } else {
                    "an `enum`"
                };
                let why = format!("`#[component({})]` needs {rust}", style.name());
                return Err(Error::new(input.ident.span(), why));
            }
        };
        Ok(Input {
            ident: &input.ident,
            generics: &input.generics,
            cellule,
            body,
        })
    }
}

fn fields<'a>(ident: &Ident, fields: &'a Fields) -> Result<Vec<FieldOf<'a>>> {
    let named = match fields {
        Fields::Named(fields) => &fields.named,
        Fields::Unnamed(fields) => {
            let why = "`#[component(record)]` needs fields with names; a tuple of the component \
                       model is a Rust tuple";
            return Err(Error::new_spanned(fields, why));
        }
        Fields::Unit => {
            let why = "a record has at least one field";
            return Err(Error::new(ident.span(), why));
        }
    };
    if named.is_empty() {
        let why = "a record has at least one field";
        return Err(Error::new(ident.span(), why));
    }
    let field = |field: &'a Field| {
        let none = || Error::new_spanned(field, "a field without a name");
        let ident = field.ident.as_ref().ok_or_else(none)?;
        let name = component_name(ident, &field.attrs)?;
        let ty = &field.ty;
        Ok(FieldOf { ident, name, ty })
    };
    let fields: Vec<FieldOf<'a>> = named.iter().map(field).collect::<Result<_>>()?;
    distinct(fields.iter().map(|field| &field.name))?;
    Ok(fields)
}

fn cases<'a>(ident: &Ident, style: Style, data: &'a DataEnum) -> Result<Vec<Case<'a>>> {
    let count = data.variants.len();
    if count == 0 || count > MAX_CASES {
        let why = match count {
            0 => format!("`#[component({})]` needs at least one case", style.name()),
            _ => format!("at most {MAX_CASES} cases are supported"),
        };
        return Err(Error::new(ident.span(), why));
    }
    let cases = data.variants.iter().map(|variant| case(style, variant));
    let cases: Vec<Case<'a>> = cases.collect::<Result<_>>()?;
    distinct(cases.iter().map(|case| &case.name))?;
    Ok(cases)
}

fn case(style: Style, variant: &Variant) -> Result<Case<'_>> {
    if let Some((_, number)) = &variant.discriminant {
        let why = "cases are numbered by their order: a number of one's own isn't allowed";
        return Err(Error::new_spanned(number, why));
    }
    let payload = match (style, &variant.fields) {
        (_, Fields::Unit) => None,
        (Style::Enum, fields) => {
            let why = "a case of `#[component(enum)]` has no fields; `#[component(variant)]` may";
            return Err(Error::new_spanned(fields, why));
        }
        (_, Fields::Unnamed(fields)) if fields.unnamed.len() == 1 => Some(&fields.unnamed[0].ty),
        (_, Fields::Named(fields)) => {
            let why = "a case of a variant has at most one unnamed field: put these into a record";
            return Err(Error::new_spanned(fields, why));
        }
        (_, Fields::Unnamed(fields)) => {
            let why = "a case of a variant has at most one unnamed field: put these into a tuple";
            return Err(Error::new_spanned(fields, why));
        }
    };
    Ok(Case {
        ident: &variant.ident,
        name: component_name(&variant.ident, &variant.attrs)?,
        payload,
    })
}
