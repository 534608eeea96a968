//! Tests of errors: what they carry, find again and print.

use super::*;
use alloc::format;
use alloc::string::ToString;

#[derive(Debug, PartialEq)]
struct Full(u32);

impl fmt::Display for Full {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "disk {} is full", self.0)
    }
}

impl core::error::Error for Full {}

#[test]
fn an_error_is_one_word_wide() {
    assert_eq!(size_of::<Error>(), size_of::<usize>());
    assert_eq!(size_of::<Result<(), Error>>(), size_of::<usize>());
}

#[test]
fn trap_codes_round_trip() {
    for code in 0..Trap::ALL.len() as u16 {
        assert_eq!(Trap::from_code(code) as u16, code);
    }
}

#[test]
fn a_trap_is_seen_through_contexts() {
    let error = Error::from(Trap::OutOfFuel)
        .context("inner")
        .context("outer");
    assert_eq!(error.kind(), ErrorKind::Trap);
    assert_eq!(error.trap(), Some(Trap::OutOfFuel));
    assert_eq!(error.downcast_ref::<Trap>(), Some(&Trap::OutOfFuel));
    let root = error.root_cause().downcast_ref::<Trap>();
    assert_eq!(root, Some(&Trap::OutOfFuel));
}

#[test]
fn errors_and_contexts_of_any_type_are_found_again() {
    fn fails() -> Result<()> {
        Err(Full(7))?;
        Ok(())
    }
    let mut error = fails().context(Full(8)).unwrap_err().context("writing");
    assert!(error.is::<Full>() && !error.is::<String>());
    assert_eq!(error.downcast_ref::<Full>(), Some(&Full(8)));
    if let Some(full) = error.downcast_mut::<Full>() {
        full.0 = 9;
    }
    let error = error.downcast::<String>().unwrap_err();
    assert_eq!(error.downcast::<Full>().unwrap(), Full(9));
}

#[test]
fn printing_tells_the_outermost_message_the_chain_or_everything() {
    let frames = alloc::vec![
        Frame {
            func: 3,
            name: Some("f".to_string())
        },
        Frame {
            func: 4,
            name: None
        },
    ];
    let error = Error::from(Trap::BadSignature).with_frames(frames);
    let error = error.context("calling").context("running");
    assert_eq!(error.to_string(), "running");
    assert_eq!(
        format!("{error:#}"),
        "running: calling: wasm trap: indirect call type mismatch"
    );
    assert_eq!(
        format!("{error:?}"),
        "running\n\nCaused by:\n  0: calling\n  1: wasm trap: indirect call type mismatch\n\n\
         wasm backtrace:\n  0: f (function 3)\n  1: function 4"
    );
    let bad = Error::at(ErrorKind::Invalid, "no such type", 16);
    assert_eq!(bad.to_string(), "invalid: no such type (at offset 0x10)");
}

#[test]
fn nothing_becomes_an_error_with_context() {
    assert_eq!(Some(1).context("none").ok(), Some(1));
    let none: Option<()> = None;
    let error = none.with_context(|| format!("no {}", 1)).unwrap_err();
    assert_eq!(error.to_string(), "no 1");
    assert_eq!(error.kind(), ErrorKind::Host);
}

#[test]
fn macros_make_and_return_errors() {
    fn checked(value: u32) -> Result<u32> {
        crate::ensure!(value != 1);
        crate::ensure!(value < 10, "{value} is too large");
        if value == 5 {
            crate::bail!(Full(5));
        }
        Ok(value)
    }
    let text = |value: u32| checked(value).unwrap_err().to_string();
    assert_eq!(checked(2).unwrap(), 2);
    assert_eq!(text(1), "condition failed: `value != 1`");
    assert_eq!(text(12), "12 is too large");
    assert!(checked(5).unwrap_err().is::<Full>());
}

#[test]
fn a_boxed_error_has_the_chain_as_its_sources() {
    let error = Error::new(Full(1)).context("writing");
    let boxed: Box<dyn core::error::Error + Send + Sync> = error.into();
    assert_eq!(boxed.to_string(), "writing");
    let source = boxed.source().and_then(|source| source.downcast_ref());
    assert_eq!(source, Some(&Full(1)));
}
