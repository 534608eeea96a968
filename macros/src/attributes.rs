//! `#[component(..)]` on types, and on fields, cases and flags.

use quote::format_ident;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::{Attribute, Error, Ident, LitStr, Path, Result, Token};

mod word {
    syn::custom_keyword!(record);
    syn::custom_keyword!(variant);
    syn::custom_keyword!(flags);
    syn::custom_keyword!(name);
    syn::custom_keyword!(cellule_crate);
}

/// Which kind of component type it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    Record,
    Variant,
    Enum,
}

impl Style {
    /// As the attribute spells it.
    pub const fn name(self) -> &'static str {
        match self {
            Style::Record => "record",
            Style::Variant => "variant",
            Style::Enum => "enum",
        }
    }
}

/// What the attributes on a type say.
pub struct OnType {
    pub style: Style,
    /// Where the runtime's crate is.
    pub cellule: Path,
}

enum Part {
    Style(Style),
    Crate(Path),
}

impl Parse for Part {
    fn parse(input: ParseStream<'_>) -> Result<Part> {
        let ahead = input.lookahead1();
        if ahead.peek(word::record) {
            input.parse::<word::record>()?;
            Ok(Part::Style(Style::Record))
        } else if ahead.peek(word::variant) {
            input.parse::<word::variant>()?;
            Ok(Part::Style(Style::Variant))
        } else if ahead.peek(Token![enum]) {
            input.parse::<Token![enum]>()?;
            Ok(Part::Style(Style::Enum))
        } else if ahead.peek(word::cellule_crate) {
            input.parse::<word::cellule_crate>()?;
            input.parse::<Token![=]>()?;
            Ok(Part::Crate(input.parse()?))
        } else if input.peek(word::flags) {
            Err(input.error("types of flags are made by `cellule::component::flags!`"))
        } else {
            Err(ahead.error())
        }
    }
}

fn ours(attributes: &[Attribute]) -> impl Iterator<Item = &Attribute> {
    attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("component"))
}

impl OnType {
    /// Reads the attributes of the type `name`.
    pub fn read(name: &Ident, attributes: &[Attribute]) -> Result<OnType> {
        let (mut style, mut cellule) = (None, None);
        for attribute in ours(attributes) {
            let twice = match attribute.parse_args()? {
                Part::Style(found) => style.replace(found).is_some(),
                Part::Crate(found) => cellule.replace(found).is_some(),
            };
            if twice {
                return Err(Error::new_spanned(
                    attribute,
                    "duplicate `component` attribute",
                ));
            }
        }
        let why = "missing `#[component(record)]`, `#[component(variant)]` or `#[component(enum)]`";
        Ok(OnType {
            style: style.ok_or_else(|| Error::new(name.span(), why))?,
            cellule: cellule.unwrap_or_else(default_crate),
        })
    }
}

/// What `#[component(cellule_crate = ..)]` says on flags, or else `::cellule`.
pub fn runtime_crate(attributes: &[Attribute]) -> Result<Path> {
    let mut cellule = None;
    for attribute in ours(attributes) {
        let found = attribute.parse_args_with(|input: ParseStream<'_>| {
            input.parse::<word::cellule_crate>()?;
            input.parse::<Token![=]>()?;
            input.parse::<Path>()
        })?;
        if cellule.replace(found).is_some() {
            return Err(Error::new_spanned(
                attribute,
                "duplicate `component` attribute",
            ));
        }
    }
    Ok(cellule.unwrap_or_else(default_crate))
}

/// `::cellule`.
pub fn default_crate() -> Path {
    Path {
        leading_colon: Some(<Token![::]>::default()),
        segments: [syn::PathSegment::from(format_ident!("cellule"))]
            .into_iter()
            .collect(),
    }
}

/// The component's name for a field, case or flag: what `#[component(name = "..")]` says, or else
/// the Rust name.
pub fn component_name(ident: &Ident, attributes: &[Attribute]) -> Result<LitStr> {
    let mut name = None;
    for attribute in ours(attributes) {
        let found = attribute.parse_args_with(|input: ParseStream<'_>| {
            input.parse::<word::name>()?;
            input.parse::<Token![=]>()?;
            input.parse::<LitStr>()
        })?;
        if name.replace(found).is_some() {
            return Err(Error::new_spanned(
                attribute,
                "duplicate `component` attribute",
            ));
        }
    }
    Ok(name.unwrap_or_else(|| LitStr::new(&ident.unraw().to_string(), ident.span())))
}

/// An error if two of the names are the same.
pub fn distinct<'a>(names: impl Iterator<Item = &'a LitStr>) -> Result<()> {
    let mut seen = std::collections::HashSet::new();
    for name in names {
        if !seen.insert(name.value()) {
            let why = format!("`{}` is there already", name.value());
            return Err(Error::new(name.span(), why));
        }
    }
    Ok(())
}
