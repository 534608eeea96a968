//! The flags `tracing` and `verbose_tracing`: calls are told to the crate `tracing`, which the crate that
//! uses the bindings depends on.

use super::names;
use super::options::Flags;
use super::types::{Generator, Scope};
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use wit_parser::{Function, Type};

/// Statements around a call that is traced; empty if it isn't.
#[derive(Default)]
pub struct Traced {
    /// Makes `span`.
    pub span: TokenStream,
    /// Enters it until the end of the block: for what doesn't wait.
    pub enter: TokenStream,
    /// Tells the arguments, `arg0` and so on.
    pub call: TokenStream,
    /// Tells the result, `r`.
    pub returned: TokenStream,
    /// The call is traced.
    pub is_on: bool,
}

impl Traced {
    /// A future, within the span if there is one.
    pub fn future(&self, future: TokenStream) -> TokenStream {
        match self.is_on {
            true => quote!(::tracing::Instrument::instrument(#future, span)),
            false => future,
        }
    }
}

impl Generator<'_> {
    /// How a call is traced; `kind` is what the span is called.
    pub fn traced(&self, scope: Scope<'_>, func: &Function, flags: Flags, kind: &str) -> Traced {
        if !flags.tracing {
            return Traced::default();
        }
        let module = match scope.interface {
            Some((_, id)) => self.resolve.interfaces[id].name.as_deref(),
            None => Some(self.resolve.worlds[self.world].name.as_str()),
        };
        let (module, name) = (module.unwrap_or("<no module>"), &func.name);
        let is_told = |ty: &Type| flags.verbose || !self.has_list(ty);
        let args = func.params.iter().enumerate().map(|(at, param)| {
            let (name, arg) = (names::snake(&param.name), format_ident!("arg{at}"));
            match is_told(&param.ty) {
                true => quote!(#name = ::tracing::field::debug(&#arg)),
                false => quote!(#name = ::tracing::field::debug("...")),
            }
        });
        let result = match func.result.as_ref().is_none_or(is_told) {
            true => quote!(result = ::tracing::field::debug(&r)),
            false => quote!(result = ::tracing::field::debug("...")),
        };
        Traced {
            span: quote! {
                let span = ::tracing::span!(
                    ::tracing::Level::TRACE, #kind, module = #module, function = #name,
                );
            },
            enter: quote!(let _enter = span.enter();),
            call: quote!(::tracing::event!(::tracing::Level::TRACE, #(#args,)* "call");),
            returned: quote!(::tracing::event!(::tracing::Level::TRACE, #result, "return");),
            is_on: true,
        }
    }
}
