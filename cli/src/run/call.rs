//! A call as the user writes it: `NAME(ARGUMENTS)`, the arguments in WAVE.

use anyhow::{Result, anyhow};
use std::error::Error as _;
use wasm_wave::ast::Node;
use wasm_wave::parser::{ParserError, ParserErrorKind};
use wasm_wave::untyped::UntypedValue;

/// A call, its arguments read but not yet given types.
pub struct Call<'t> {
    /// All of it.
    pub text: &'t str,
    /// The function's name as written.
    pub name: &'t str,
    arguments: Option<UntypedValue<'t>>,
}

impl<'t> Call<'t> {
    /// Takes a call apart.
    ///
    /// # Errors
    /// What isn't as expected, and where.
    pub fn parse(text: &'t str) -> Result<Call<'t>> {
        let open = text
            .find('(')
            .ok_or_else(|| anyhow!("`{text}` is no call: write NAME(ARGUMENTS)"))?;
        let (name, rest) = text.split_at(open);
        let empty = rest.strip_prefix('(').map(str::trim) == Some(")");
        let arguments = if empty {
            None
        } else {
            let list = UntypedValue::parse(rest);
            Some(list.map_err(|error| anyhow!("in `{text}`: {}", describe(&error, rest)))?)
        };
        Ok(Call {
            text,
            name: name.trim(),
            arguments,
        })
    }

    /// The arguments in order.
    pub fn arguments(&self) -> Vec<&Node> {
        let list = self.arguments.as_ref();
        let list = list.and_then(|list| list.node().as_tuple().ok());
        list.map(Iterator::collect).unwrap_or_default()
    }

    /// What the arguments' places refer to.
    pub fn source(&self) -> &str {
        self.arguments.as_ref().map_or("", |list| list.source())
    }

    /// The text of an argument.
    pub fn written(&self, argument: &Node) -> &str {
        self.source().get(argument.span()).unwrap_or_default()
    }
}

/// An error of `wasm-wave`, with the text that it is about in place of offsets.
pub fn describe(error: &ParserError, source: &str) -> String {
    let place = match source.get(error.span()).map(str::trim) {
        None | Some("") => " at the end".to_string(),
        Some(text) => format!(" at `{text}`"),
    };
    let what = match (error.kind(), error.source(), error.detail()) {
        (ParserErrorKind::InvalidType, _, None) => "wrong type".to_string(),
        (ParserErrorKind::InvalidValue, ..) => "invalid value".to_string(),
        (_, Some(cause), _) => cause.to_string(),
        (kind, _, Some(detail)) => format!("{kind}: {detail}"),
        (kind, ..) => kind.to_string(),
    };
    format!("{what}{place}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_a_name_and_arguments() {
        let call = Call::parse("a:b/c@0.1.0#f( circle(2), \"(,)\" )").unwrap();
        assert_eq!(call.name, "a:b/c@0.1.0#f");
        let written = call.arguments();
        let written: Vec<&str> = written.iter().map(|node| call.written(node)).collect();
        assert_eq!(written, ["circle(2)", "\"(,)\""]);
        assert!(Call::parse("f( )").unwrap().arguments().is_empty());
        assert_eq!(Call::parse("f((1, 2))").unwrap().arguments().len(), 1);
    }

    #[test]
    fn what_is_no_call_is_told_with_its_place() {
        for (text, expected) in [
            ("run", "write NAME(ARGUMENTS)"),
            ("run(1", "unexpected end of input at the end"),
            ("run(1) 2", "trailing characters after value at `2`"),
            ("run(\"a)", "invalid token"),
            ("run(,)", "unexpected token: Comma at `,`"),
        ] {
            let error = Call::parse(text).err().map(|error| error.to_string());
            let error = error.unwrap_or_default();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
