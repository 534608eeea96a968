//! What stands in `bindgen!`: which WIT, and how bindings of it are to be.
//!
//! The options are wasmtime's. One that isn't supported is an error by its name: ignoring it would
//! make other bindings than were asked for.

use super::ownership::Ownership;
use std::cell::Cell;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Error, Ident, LitBool, LitStr, Path, Result, Token, braced, bracketed, token};

/// Options that wasmtime has and this crate hasn't, with what to do instead.
const UNSUPPORTED: [(&str, &str); 6] = [
    ("named_imports", "define these imports on the `Linker`"),
    ("anyhow", "functions return `cellule::Result`"),
    ("debug", "use `stringify`"),
    ("include_generated_code_from_file", "use `stringify`"),
    (
        "include_component_type",
        "keep the WIT beside the component",
    ),
    ("wasmtime_crate", "use `cellule_crate`"),
];

/// How a function is bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// An `async fn`, called or awaited.
    pub is_async: bool,
    /// The host's function may fail, which ends the guest.
    pub trappable: bool,
    /// The host's function has access to the store.
    pub store: bool,
    /// Calls are told to the crate `tracing`.
    pub tracing: bool,
    /// With lists and text in them.
    pub verbose: bool,
}

/// The flags of the functions that have a name.
pub struct Rule {
    /// The name of a function, or of what it is in.
    pub name: LitStr,
    flags: Flags,
    /// Only the function of that very name is meant.
    exact: bool,
    used: Cell<bool>,
}

/// The flags of imported or exported functions.
#[derive(Default)]
pub struct Rules {
    rules: Vec<Rule>,
    /// What no rule names has these.
    pub default: Flags,
}

impl Rules {
    /// The flags of the function with these keys, the most specific first; the first
    /// `own` of them name the function itself.
    pub fn flags<'k>(&self, keys: impl Iterator<Item = (&'k str, bool)>) -> Flags {
        for (key, own) in keys {
            let mut rules = self.rules.iter();
            let rule = rules.find(|rule| rule.name.value() == key && (own || !rule.exact));
            if let Some(rule) = rule {
                rule.used.set(true);
                return rule.flags;
            }
        }
        self.default
    }

    /// An error if a rule is of no function.
    pub fn all_used(&self) -> Result<()> {
        match self.rules.iter().find(|rule| !rule.used.get()) {
            None => Ok(()),
            Some(rule) => {
                let why = format!("no function of the world is named `{}`", rule.name.value());
                Err(Error::new(rule.name.span(), why))
            }
        }
    }
}

/// `"name": path` or `"name" => path`.
pub struct Replacement {
    /// What is replaced.
    pub name: LitStr,
    /// By what.
    pub path: Path,
}

/// Everything that the macro was told.
#[derive(Default)]
pub struct Options {
    /// Files and folders, relative to the crate.
    pub paths: Vec<LitStr>,
    /// WIT in the source itself.
    pub inline: Option<LitStr>,
    /// The world's name.
    pub world: Option<LitStr>,
    /// Instead of a world: what it would consist of. There is no struct for it then.
    pub interfaces: Option<LitStr>,
    /// Interfaces and resources that have Rust types already.
    pub with: Vec<Replacement>,
    /// Errors of WIT, and the Rust types that hosts return instead.
    pub trappable_errors: Vec<Replacement>,
    /// Derives on every type.
    pub additional_derives: Vec<Path>,
    /// The imported functions.
    pub imports: Rules,
    /// The exported functions.
    pub exports: Rules,
    /// The text of the bindings instead of themselves.
    pub stringify: bool,
    /// A reference to a host is none.
    pub skip_mut_forwarding_impls: bool,
    /// Whether types that are passed to guests borrow.
    pub ownership: Ownership,
    /// The store's data is `Send`.
    pub require_store_data_send: bool,
    /// Where the runtime's crate is.
    pub cellule: Option<Path>,
}

impl Parse for Options {
    fn parse(input: ParseStream<'_>) -> Result<Options> {
        let mut options = Options::default();
        if !input.peek(token::Brace) {
            options.world = input.parse()?;
            if input.parse::<Option<Token![in]>>()?.is_some() {
                options.paths.push(input.parse()?);
            }
            return Ok(options);
        }
        let content;
        braced!(content in input);
        let mut seen: Vec<Ident> = Vec::new();
        while !content.is_empty() {
            let name: Ident = content.call(syn::ext::IdentExt::parse_any)?;
            if seen.contains(&name) {
                return Err(Error::new(name.span(), format!("`{name}` is there twice")));
            }
            content.parse::<Token![:]>()?;
            options.read(&name, &content)?;
            seen.push(name);
            if content.is_empty() {
                break;
            }
            content.parse::<Token![,]>()?;
        }
        if let (Some(interfaces), true) = (
            &options.interfaces,
            options.inline.is_some() || options.world.is_some(),
        ) {
            let why = "`interfaces` stands for a world: there is no `inline` or `world` beside it";
            return Err(Error::new(interfaces.span(), why));
        }
        Ok(options)
    }
}

impl Options {
    fn read(&mut self, name: &Ident, input: ParseStream<'_>) -> Result<()> {
        match name.to_string().as_str() {
            "path" => self.paths = paths(input)?,
            "inline" => self.inline = Some(input.parse()?),
            "world" => self.world = Some(input.parse()?),
            "interfaces" => self.interfaces = Some(input.parse()?),
            "with" => self.with = replacements::<Token![:]>(input)?,
            "trappable_error_type" => self.trappable_errors = replacements::<Token![=>]>(input)?,
            "additional_derives" => {
                let content;
                bracketed!(content in input);
                let derives = Punctuated::<Path, Token![,]>::parse_terminated(&content)?;
                self.additional_derives = derives.into_iter().collect();
            }
            "imports" => self.imports = rules(input, true)?,
            "exports" => self.exports = rules(input, false)?,
            "stringify" => self.stringify = yes(input)?,
            "skip_mut_forwarding_impls" => self.skip_mut_forwarding_impls = yes(input)?,
            "require_store_data_send" => self.require_store_data_send = yes(input)?,
            "cellule_crate" => self.cellule = Some(input.parse()?),
            "ownership" => self.ownership = ownership(input)?,
            other => {
                let unsupported = UNSUPPORTED.iter().find(|(name, _)| *name == other);
                let why = match unsupported {
                    Some((name, instead)) => {
                        format!("the option `{name}` isn't supported: {instead}")
                    }
                    None => format!("there is no option `{other}`"),
                };
                return Err(Error::new(name.span(), why));
            }
        }
        Ok(())
    }
}

fn yes(input: ParseStream<'_>) -> Result<bool> {
    Ok(input.parse::<LitBool>()?.value)
}

fn paths(input: ParseStream<'_>) -> Result<Vec<LitStr>> {
    if input.peek(LitStr) {
        return Ok(vec![input.parse()?]);
    }
    let content;
    bracketed!(content in input);
    let paths = Punctuated::<LitStr, Token![,]>::parse_terminated(&content)?;
    Ok(paths.into_iter().collect())
}

fn ownership(input: ParseStream<'_>) -> Result<Ownership> {
    let how: Ident = input.parse()?;
    if how == "Owning" {
        return Ok(Ownership::Owning);
    }
    if how != "Borrowing" {
        let why = format!("there is no ownership `{how}`: it is `Owning` or `Borrowing {{ … }}`");
        return Err(Error::new(how.span(), why));
    }
    let content;
    braced!(content in input);
    let name: Ident = content.parse()?;
    if name != "duplicate_if_necessary" {
        let why = format!("`Borrowing` takes `duplicate_if_necessary`, not `{name}`");
        return Err(Error::new(name.span(), why));
    }
    content.parse::<Token![:]>()?;
    let duplicate = yes(&content)?;
    content.parse::<Option<Token![,]>>()?;
    if !content.is_empty() {
        return Err(content.error("`Borrowing` takes `duplicate_if_necessary` only"));
    }
    Ok(Ownership::Borrowing { duplicate })
}

fn replacements<Between: Parse>(input: ParseStream<'_>) -> Result<Vec<Replacement>> {
    let content;
    braced!(content in input);
    let one = |input: ParseStream<'_>| {
        let name = input.parse()?;
        input.parse::<Between>()?;
        let path = input.parse()?;
        Ok(Replacement { name, path })
    };
    let all = content.parse_terminated(one, Token![,])?;
    Ok(all.into_iter().collect())
}

fn rules(input: ParseStream<'_>, imports: bool) -> Result<Rules> {
    let content;
    braced!(content in input);
    let mut rules = Rules::default();
    while !content.is_empty() {
        let name: Option<LitStr> = content.parse()?;
        if name.is_none() {
            content.parse::<Token![default]>()?;
        }
        content.parse::<Token![:]>()?;
        let (flags, exact) = flags(&content, imports)?;
        match name {
            None => rules.default = flags,
            Some(name) => rules.rules.push(Rule {
                name,
                flags,
                exact,
                used: Cell::new(false),
            }),
        }
        if content.is_empty() {
            break;
        }
        content.parse::<Token![,]>()?;
    }
    Ok(rules)
}

fn flags(input: ParseStream<'_>, imports: bool) -> Result<(Flags, bool)> {
    let (mut flags, mut exact) = (Flags::default(), false);
    loop {
        let name: Ident = input.call(syn::ext::IdentExt::parse_any)?;
        match name.to_string().as_str() {
            "async" => flags.is_async = true,
            "trappable" if imports => flags.trappable = true,
            "trappable" => {
                let why = "`trappable` is for imports: calls of exports can fail in any case";
                return Err(Error::new(name.span(), why));
            }
            "store" if imports => flags.store = true,
            "store" => {
                let why = "`store` is for imports: calls of exports are given the store";
                return Err(Error::new(name.span(), why));
            }
            "exact" => exact = true,
            "tracing" => flags.tracing = true,
            "verbose_tracing" => flags.verbose = true,
            "task_exit" | "ignore_wit" => {
                let why =
                    format!("the flag `{name}` isn't supported, as `async func` in WIT isn't");
                return Err(Error::new(name.span(), why));
            }
            other => {
                return Err(Error::new(
                    name.span(),
                    format!("there is no flag `{other}`"),
                ));
            }
        }
        if input.parse::<Option<Token![|]>>()?.is_none() {
            return Ok((flags, exact));
        }
    }
}
