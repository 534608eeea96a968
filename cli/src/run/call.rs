//! A call as the user writes it: `NAME(ARGUMENTS)`, the arguments in WAVE, and before it perhaps
//! `RESOURCE =`, a name for the resource that it returns.

use super::held::is_name;
use anyhow::{Result, anyhow, bail};
use std::error::Error as _;
use std::ops::Range;
use wasm_wave::ast::Node;
use wasm_wave::parser::{ParserError, ParserErrorKind};
use wasm_wave::untyped::UntypedValue;

/// A call, its arguments read but not yet given types.
pub struct Call<'t> {
    /// All of it.
    pub text: &'t str,
    /// What the resource that it returns is to be called.
    pub result: Option<&'t str>,
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
        let open = text.find('(').ok_or_else(|| {
            anyhow!("`{text}` is no call: write NAME(ARGUMENTS), here perhaps `{text}()`")
        })?;
        let (before, rest) = text.split_at(open);
        let (result, name) = match before.split_once('=') {
            Some((result, name)) => (Some(result.trim()), name),
            None => (None, before),
        };
        let empty = rest.strip_prefix('(').map(str::trim) == Some(")");
        let arguments = if empty {
            None
        } else {
            let list = UntypedValue::parse(rest);
            let list = list.map_err(|error| {
                anyhow!(
                    "{}{}",
                    describe(&error, rest),
                    pointed(text, open, error.span())
                )
            });
            Some(list?)
        };
        Ok(Call {
            text,
            result,
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

    /// The function's name in a core module, where a name may have an `=` in it.
    pub fn whole_name(&self) -> &str {
        self.text.split('(').next().unwrap_or_default().trim()
    }

    /// An error if what the call returns can't be called so.
    pub fn check_result_name(&self) -> Result<()> {
        match self.result {
            Some(name) if !is_name(name) => {
                let text = self.text;
                bail!("in `{text}`: `{name}` can't name a resource: write it like `my-store`")
            }
            _ => Ok(()),
        }
    }

    /// The call with marks under a place in its arguments.
    pub fn pointed(&self, place: Range<usize>) -> String {
        pointed(self.text, self.text.len() - self.source().len(), place)
    }

    /// How many arguments there are, in words.
    pub fn count(&self) -> String {
        match self.arguments().len() {
            1 => "1 argument".to_string(),
            count => format!("{count} arguments"),
        }
    }

    /// The text of an argument.
    pub fn written(&self, argument: &Node) -> &str {
        self.source().get(argument.span()).unwrap_or_default()
    }
}

/// A call on a line of its own, with marks under a place in its arguments, which begin at `start`. Of a
/// call of several lines it shows the one in question.
fn pointed(text: &str, start: usize, place: Range<usize>) -> String {
    let from = (start + place.start).min(text.len());
    let to = (start + place.end).clamp(from, text.len());
    let (Some(before), Some(marked)) = (text.get(..from), text.get(from..to)) else {
        return format!("\n  {text}");
    };
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let line = text[line_start..].lines().next().unwrap_or_default();
    let marked = marked.lines().next().unwrap_or_default();
    let (indent, width) = (
        before[line_start..].chars().count(),
        marked.chars().count().max(1),
    );
    format!("\n  {line}\n  {}{}", " ".repeat(indent), "^".repeat(width))
}

/// An error of `wasm-wave`, with the text that it is about in place of offsets.
pub fn describe(error: &ParserError, source: &str) -> String {
    let what = match (error.kind(), error.source(), error.detail()) {
        (ParserErrorKind::InvalidType, _, None) => "wrong type".to_string(),
        (ParserErrorKind::InvalidValue, ..) => "invalid value".to_string(),
        (_, Some(cause), _) => cause.to_string(),
        (kind, _, Some(detail)) => format!("{kind}: {detail}"),
        (kind, ..) => kind.to_string(),
    };
    match source.get(error.span()).map(str::trim) {
        None | Some("") => format!("{what} at the end"),
        // What names it need not be told where it is.
        Some(text) if what.contains(&format!("`{text}`")) => what,
        Some(text) => format!("{what} at `{text}`"),
    }
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
