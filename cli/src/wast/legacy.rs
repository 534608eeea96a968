//! Rewrites index references of the component text format's older grammar.
//!
//! Before WebAssembly/component-model#655, `(realloc (func $f))` and `(memory $i "mem")` stood for
//! what is now `(realloc (core func $f))` and `(memory (core memory $i "mem"))`. The `wast` parser
//! takes the old form only if an environment variable was set before its first use, which a library
//! can't do soundly once threads run. So the old form is rewritten where the parser complains; lines
//! stay what they are.

/// Rewrites the one place that `error` complains about; `None` if it is about something else.
pub fn rewrite(text: &str, error: &wast::Error) -> Option<String> {
    let message = error.message();
    let at = error.span().offset();
    let kind = message.split("`(").nth(1)?.split(' ').next()?;
    if message.starts_with("the `core` keyword is required") {
        let keyword = text
            .get(..at)?
            .rfind(kind)
            .filter(|_| !text[at..].starts_with(kind));
        let at = keyword.unwrap_or(at);
        return Some(format!("{}core {}", &text[..at], &text[at..]));
    }
    if message.starts_with("an export name must be written inside a nested reference") {
        let string_end = at + string_length(text.get(at..)?)?;
        let before = text[..at].trim_end();
        let index = before.rfind(|c: char| c.is_whitespace() || c == '(')? + 1;
        return Some(format!(
            "{}(core {kind} {}){}",
            &text[..index],
            &text[index..string_end],
            &text[string_end..]
        ));
    }
    None
}

/// The length in bytes of the string literal that `text` begins with.
fn string_length(text: &str) -> Option<usize> {
    let mut escaped = false;
    let mut chars = text.char_indices();
    chars.next().filter(|(_, c)| *c == '"')?;
    for (at, c) in chars {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Some(at + 1),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use crate::wast::script;

    #[test]
    fn both_legacy_forms_are_rewritten_and_parse() {
        let old = r#"(component
            (core module $m (memory (export "mem") 1) (func (export "f")) (func (export "realloc") (param i32 i32 i32 i32) (result i32) unreachable))
            (core instance $i (instantiate $m))
            (alias core export $i "realloc" (core func $r))
            (func (canon lift (core func $i "f") (memory $i "mem") (realloc (func $r)))))"#;
        let text = script::modernise(old.to_string()).unwrap();
        assert!(
            text.contains(r#"(memory (core memory $i "mem"))"#),
            "{text}"
        );
        assert!(text.contains("(realloc (core func $r))"), "{text}");
        assert_eq!(text.lines().count(), old.lines().count());
    }
}
