//! Errors and traps.
//!
//! An [`Error`] is one word wide and says what kind of failure it is, so that a tool can tell bad
//! input from an input that asks for something not supported yet.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

/// `Result` with this crate's error.
pub type Result<T, E = Error> = core::result::Result<T, E>;

macro_rules! traps {
    ($($trap:ident)*) => {
        /// Why WebAssembly code was stopped. The texts contain the ones the official test scripts expect.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u16)]
        #[non_exhaustive]
        #[allow(missing_docs)]
        pub enum Trap { $($trap,)* }

        impl Trap {
            /// All of them, by the number that code carries.
            const ALL: &[Trap] = &[$(Trap::$trap,)*];
        }
    };
}
traps! {
    UnreachableCodeReached MemoryOutOfBounds TableOutOfBounds UndefinedElement IndirectCallToNull
    BadSignature IntegerOverflow IntegerDivisionByZero BadConversionToInteger StackOverflow OutOfFuel
    CannotLeaveComponent CannotEnterComponent StringOutOfBounds ListOutOfBounds PointerOutOfBounds
    UnalignedPointer InvalidDiscriminant InvalidChar InvalidUtf8 InvalidUtf16
}

impl Trap {
    /// The trap with this number, as code carries it.
    pub(crate) fn from_code(code: u16) -> Trap {
        Trap::ALL
            .get(code as usize)
            .copied()
            .unwrap_or(Trap::UnreachableCodeReached)
    }
}

impl fmt::Display for Trap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Trap::UnreachableCodeReached => "wasm `unreachable` instruction executed",
            Trap::MemoryOutOfBounds => "out of bounds memory access",
            Trap::TableOutOfBounds => "out of bounds table access",
            Trap::UndefinedElement => "undefined element: out of bounds table access",
            Trap::IndirectCallToNull => "uninitialized element",
            Trap::BadSignature => "indirect call type mismatch",
            Trap::IntegerOverflow => "integer overflow",
            Trap::IntegerDivisionByZero => "integer divide by zero",
            Trap::BadConversionToInteger => "invalid conversion to integer",
            Trap::StackOverflow => "call stack exhausted",
            Trap::CannotLeaveComponent => "cannot leave component instance",
            Trap::CannotEnterComponent => "cannot enter component instance",
            Trap::StringOutOfBounds => "string content out-of-bounds",
            Trap::ListOutOfBounds => "list content out-of-bounds",
            Trap::PointerOutOfBounds => "pointer out-of-bounds",
            Trap::UnalignedPointer => "unaligned pointer",
            Trap::InvalidDiscriminant => "invalid variant discriminant",
            Trap::InvalidChar => "invalid `char` bit pattern",
            Trap::InvalidUtf8 => "invalid utf-8",
            Trap::InvalidUtf16 => "unpaired surrogate in utf-16",
            Trap::OutOfFuel => "all fuel consumed by WebAssembly",
        })
    }
}

impl core::error::Error for Trap {}

/// What kind of failure an [`Error`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Bytes that are not a well-formed binary.
    Malformed,
    /// A well-formed binary that breaks a rule of the specification.
    Invalid,
    /// Something that is valid but not supported yet; the message names it.
    Unsupported,
    /// An import that is missing or has another type.
    Link,
    /// A limit was reached.
    Limit,
    /// A trap; [`Error::trap`] says which.
    Trap,
    /// Arguments or handles that don't fit.
    Type,
    /// Made by the embedder.
    Host,
}

struct Inner {
    kind: ErrorKind,
    message: String,
    offset: Option<u64>,
    trap: Option<Trap>,
    frames: Vec<Frame>,
}

/// One frame of a trap's backtrace, innermost first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Index of the function in its module.
    pub func: u32,
    /// Its name, where the binary has one.
    pub name: Option<String>,
}

/// What went wrong: a kind, a message, and where known the offset in the binary.
pub struct Error(Box<Inner>);

impl Error {
    /// An error of the embedder's own, for host functions to return.
    pub fn msg(message: impl fmt::Display) -> Error {
        Error::new(ErrorKind::Host, message)
    }

    /// An error of a kind.
    pub fn new(kind: ErrorKind, message: impl fmt::Display) -> Error {
        Error(Box::new(Inner {
            kind,
            message: message.to_string(),
            offset: None,
            trap: None,
            frames: Vec::new(),
        }))
    }

    pub(crate) fn at(kind: ErrorKind, message: impl fmt::Display, offset: u64) -> Error {
        let mut error = Error::new(kind, message);
        error.0.offset = Some(offset);
        error
    }

    pub(crate) fn with_frames(mut self, frames: Vec<Frame>) -> Error {
        self.0.frames = frames;
        self
    }

    /// What kind of failure it is.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Where in the binary, in bytes, if it is about a binary.
    pub fn offset(&self) -> Option<u64> {
        self.0.offset
    }

    /// The trap, if it is one.
    pub fn trap(&self) -> Option<Trap> {
        self.0.trap
    }

    /// The functions that were running when it trapped, innermost first.
    pub fn frames(&self) -> &[Frame] {
        &self.0.frames
    }
}

impl From<Trap> for Error {
    fn from(trap: Trap) -> Error {
        let mut error = Error::new(ErrorKind::Trap, trap);
        error.0.trap = Some(trap);
        error
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &self.0;
        match inner.kind {
            ErrorKind::Malformed => f.write_str("malformed binary: ")?,
            ErrorKind::Invalid => f.write_str("invalid: ")?,
            ErrorKind::Unsupported => f.write_str("not supported: ")?,
            ErrorKind::Trap => f.write_str("wasm trap: ")?,
            _ => {}
        }
        f.write_str(&inner.message)?;
        if let Some(offset) = inner.offset {
            write!(f, " (at offset 0x{offset:x})")?;
        }
        for (at, frame) in inner.frames.iter().enumerate() {
            match &frame.name {
                Some(name) => write!(f, "\n  {at}: {name} (function {})", frame.func)?,
                None => write!(f, "\n  {at}: function {}", frame.func)?,
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl core::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(Error::from(Trap::OutOfFuel).trap(), Some(Trap::OutOfFuel));
    }
}
