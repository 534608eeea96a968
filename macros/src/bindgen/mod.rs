//! `bindgen!`: Rust types and traits for a world of WIT.
//!
//! `source` reads the WIT, `types` says which Rust type a WIT type is, `ownership` whether it borrows, `define` makes the types,
//! `imports` the traits of hosts, `features` what is unstable in them, `exports` the calls of guests, and `world` what holds them together.
//! The bindings are safe code that needs `core` and `alloc` only, and both by way of `cellule`.

mod define;
mod exports;
mod features;
mod imports;
mod names;
mod options;
mod ownership;
mod source;
#[cfg(test)]
mod tests;
mod tracing;
mod types;
mod world;

use self::options::Options;
use self::source::Source;
use self::types::Generator;
use proc_macro2::{Span, TokenStream};
use quote::quote;
use std::path::Path;
use syn::{Error, Result};

/// The bindings.
pub fn expand(input: TokenStream) -> Result<TokenStream> {
    let options: Options = syn::parse2(input)?;
    let root = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_else(|_| ".".into());
    let source = Source::read(&options, Path::new(&root))?;
    let bindings = Generator::new(&source, &options)?.world()?;
    options.imports.all_used()?;
    options.exports.all_used()?;
    if options.stringify {
        let text = bindings.to_string();
        return Ok(quote!(#text));
    }
    // The compiler learns that it has to build again when a file has changed.
    let mut files = Vec::new();
    for file in &source.files {
        let Some(path) = file.to_str() else {
            let why = format!("the path {} isn't UTF-8", file.display());
            return Err(Error::new(Span::call_site(), why));
        };
        files.push(quote!(
            const _: &[u8] = ::core::include_bytes!(#path);
        ));
    }
    Ok(quote!(#bindings #(#files)*))
}
