//! Errors as C reads them: kind, message, the chain of causes, the trap and its backtrace.
//!
//! Texts are made when the error is, so that reading them can't fail and what is lent lives as long as the error.

use crate::boundary::{name, quiet};
use cellule::{Error, ErrorKind, Trap};
use std::any::Any;
use std::ffi::{CString, c_char};
use std::mem::MaybeUninit;
use std::ptr::null;

/// What kind of failure an error is.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// A kind that this header doesn't know.
    Other = 0,
    /// Bytes that are not a well-formed binary.
    Malformed,
    /// A well-formed binary that breaks a rule of the specification.
    Invalid,
    /// Something that isn't supported; the message names it.
    Unsupported,
    /// An import that is missing or has another type.
    Link,
    /// A limit was reached.
    Limit,
    /// A trap: `cellule_error_trap` says which.
    Trap,
    /// An exception that no guest has caught.
    Exception,
    /// Arguments or handles that don't fit, or a store that is in use.
    Type,
    /// Made by the host: by `cellule_error_new`.
    Host,
    /// An image that is damaged, or made for another version or configuration.
    Image,
    /// A pointer that must not be `NULL` is; the message names the parameter.
    Null,
    /// A bug in cellule. A store that was in use can't be used any more, only deleted.
    Panic,
    /// The host has no memory left. What was being made is undone; the rest goes on.
    OutOfMemory,
}

macro_rules! trap_codes {
    ($($(#[$doc:meta])* $trap:ident,)*) => {
        /// The trap's number.
        fn code(trap: Trap) -> TrapCode {
            match trap {
                $(Trap::$trap => TrapCode::$trap,)*
                _ => TrapCode::Other,
            }
        }

        #[cfg(test)]
        const KNOWN: &[Trap] = &[$(Trap::$trap,)*];
    };
}

trap_codes! {
    UnreachableCodeReached, MemoryOutOfBounds, TableOutOfBounds, UndefinedElement, IndirectCallToNull,
    BadSignature, IntegerOverflow, IntegerDivisionByZero, BadConversionToInteger, StackOverflow, OutOfFuel,
    CannotLeaveComponent, CannotEnterComponent, StringOutOfBounds, ListOutOfBounds, PointerOutOfBounds,
    UnalignedPointer, InvalidDiscriminant, InvalidChar, InvalidUtf8, InvalidUtf16, UncaughtException,
    NullException, TooManyExceptions, NullFunction, NullReference, UnalignedAtomic, AtomicWait,
    OutOfMemory,
}

/// Why a guest was stopped. The error's message says it in words.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrapCode {
    /// The error is no trap.
    None = 0,
    /// A trap that this header doesn't know.
    Other,
    /// `unreachable` was executed: how most languages' panics end.
    UnreachableCodeReached,
    /// An access outside of a memory.
    MemoryOutOfBounds,
    /// An access outside of a table.
    TableOutOfBounds,
    /// An indirect call outside of a table.
    UndefinedElement,
    /// An indirect call to nothing.
    IndirectCallToNull,
    /// An indirect call of another type.
    BadSignature,
    /// An integer's overflow.
    IntegerOverflow,
    /// A division by zero.
    IntegerDivisionByZero,
    /// A conversion of a float that no integer holds.
    BadConversionToInteger,
    /// Too deep a recursion.
    StackOverflow,
    /// All fuel is used up.
    OutOfFuel,
    /// A call out of an instance that may not leave.
    CannotLeaveComponent,
    /// A call into an instance that can't be entered: it is running, or has trapped before.
    CannotEnterComponent,
    /// A string outside of the memory.
    StringOutOfBounds,
    /// A list outside of the memory.
    ListOutOfBounds,
    /// A pointer outside of the memory.
    PointerOutOfBounds,
    /// A pointer that isn't aligned.
    UnalignedPointer,
    /// A case that the type doesn't have.
    InvalidDiscriminant,
    /// A `char` that is none.
    InvalidChar,
    /// A string that isn't UTF-8.
    InvalidUtf8,
    /// A string that isn't UTF-16.
    InvalidUtf16,
    /// An exception that nobody caught.
    UncaughtException,
    /// A null exception.
    NullException,
    /// Too many exceptions.
    TooManyExceptions,
    /// A null function.
    NullFunction,
    /// A null reference.
    NullReference,
    /// An atomic access that isn't aligned.
    UnalignedAtomic,
    /// A wait on a memory that isn't shared.
    AtomicWait,
    /// The host had no memory left for what the guest asked for.
    OutOfMemory,
}

/// What went wrong. Opaque; yours to delete.
pub struct Failure {
    kind: FailureKind,
    error: Error,
    message: CString,
    chain: Vec<CString>,
    frames: Vec<(u32, Option<CString>)>,
}

/// Text without the zeroes that would end it early.
fn c_text(text: impl ToString) -> CString {
    CString::new(text.to_string().replace('\0', "\u{fffd}")).unwrap_or_default()
}

impl From<Error> for Box<Failure> {
    fn from(error: Error) -> Box<Failure> {
        let kind = match error.kind() {
            ErrorKind::Malformed => FailureKind::Malformed,
            ErrorKind::Invalid => FailureKind::Invalid,
            ErrorKind::Unsupported => FailureKind::Unsupported,
            ErrorKind::Link => FailureKind::Link,
            ErrorKind::Limit => FailureKind::Limit,
            ErrorKind::Trap => FailureKind::Trap,
            ErrorKind::Exception => FailureKind::Exception,
            ErrorKind::Type => FailureKind::Type,
            ErrorKind::Host => FailureKind::Host,
            ErrorKind::Image => FailureKind::Image,
            ErrorKind::OutOfMemory => FailureKind::OutOfMemory,
            _ => FailureKind::Other,
        };
        Failure::of(kind, error)
    }
}

impl Failure {
    fn of(kind: FailureKind, error: Error) -> Box<Failure> {
        let frame = |frame: &cellule::Frame| (frame.func, frame.name.as_ref().map(c_text));
        Box::new(Failure {
            kind,
            message: c_text(format_args!("{error:#}")),
            chain: error.chain().map(c_text).collect(),
            frames: error.frames().iter().map(frame).collect(),
            error,
        })
    }

    /// An error of the boundary's own.
    pub fn new(kind: FailureKind, message: String) -> Box<Failure> {
        Failure::of(kind, Error::of(ErrorKind::Type, message))
    }

    /// The error of a panic.
    pub fn panicked(panic: &(dyn Any + Send)) -> Box<Failure> {
        let text = panic
            .downcast_ref::<&str>()
            .copied()
            .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
        let text = text.unwrap_or("no message");
        Failure::new(FailureKind::Panic, format!("cellule panicked: {text}"))
    }

    /// The library's error, for a guest's call to end with.
    pub fn into_error(self) -> Error {
        self.error
    }
}

/// An error of the host's, for a callback to return; yours until you do. Text that isn't UTF-8, or `NULL`,
/// becomes "error of the host".
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cellule_error_new(message: *const c_char) -> Option<Box<Failure>> {
    quiet(None, || {
        // SAFETY: the caller gives text that ends, or null.
        let message = unsafe { name(message) }.unwrap_or("error of the host");
        Some(Error::msg(message.to_owned()).into())
    })
}

/// Deletes an error. `NULL` is fine.
#[unsafe(no_mangle)]
pub extern "C" fn cellule_error_delete(error: Option<Box<Failure>>) {
    quiet((), || drop(error));
}

/// What kind of failure it is; of `NULL`, `CELLULE_ERROR_KIND_NULL`.
#[unsafe(no_mangle)]
pub extern "C" fn cellule_error_kind(error: Option<&Failure>) -> FailureKind {
    error.map_or(FailureKind::Null, |error| error.kind)
}

/// The whole message, causes included, on one line; lent by the error. `NULL` only of `NULL`.
#[unsafe(no_mangle)]
pub extern "C" fn cellule_error_message(error: Option<&Failure>) -> *const c_char {
    error.map_or(null(), |error| error.message.as_ptr())
}

/// How many messages the chain has: one, and one for each cause.
#[unsafe(no_mangle)]
pub extern "C" fn cellule_error_chain_len(error: Option<&Failure>) -> usize {
    error.map_or(0, |error| error.chain.len())
}

/// A message of the chain, the outermost first; lent by the error. `NULL` beyond the last.
#[unsafe(no_mangle)]
pub extern "C" fn cellule_error_chain(error: Option<&Failure>, index: usize) -> *const c_char {
    let message = error.and_then(|error| error.chain.get(index));
    message.map_or(null(), |message| message.as_ptr())
}

/// Which trap it is.
#[unsafe(no_mangle)]
pub extern "C" fn cellule_error_trap(error: Option<&Failure>) -> TrapCode {
    let trap = error.and_then(|error| error.error.trap());
    trap.map_or(TrapCode::None, code)
}

/// Where in the binary, in bytes, if the error is about a binary; whether it is.
#[unsafe(no_mangle)]
pub extern "C" fn cellule_error_offset(
    error: Option<&Failure>,
    out: Option<&mut MaybeUninit<u64>>,
) -> bool {
    match (error.and_then(|error| error.error.offset()), out) {
        (Some(offset), Some(out)) => {
            out.write(offset);
            true
        }
        _ => false,
    }
}

/// How many functions were running when it happened.
#[unsafe(no_mangle)]
pub extern "C" fn cellule_error_frame_count(error: Option<&Failure>) -> usize {
    error.map_or(0, |error| error.frames.len())
}

/// A function that was running, the innermost first: its index in its module. `UINT32_MAX` beyond the last.
#[unsafe(no_mangle)]
pub extern "C" fn cellule_error_frame_func(error: Option<&Failure>, index: usize) -> u32 {
    let frame = error.and_then(|error| error.frames.get(index));
    frame.map_or(u32::MAX, |(func, _)| *func)
}

/// The name of a function that was running; lent by the error. `NULL` where the binary has none.
#[unsafe(no_mangle)]
pub extern "C" fn cellule_error_frame_name(error: Option<&Failure>, index: usize) -> *const c_char {
    let frame = error.and_then(|error| error.frames.get(index));
    let name = frame.and_then(|(_, name)| name.as_ref());
    name.map_or(null(), |name| name.as_ptr())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The numbers of the header follow those of the library, and none is missing.
    #[test]
    fn every_trap_of_the_library_has_a_number() {
        for (at, trap) in KNOWN.iter().enumerate() {
            assert_eq!(*trap as usize, at, "{trap:?}");
            assert_eq!(code(*trap) as usize, at + 2, "{trap:?}");
        }
        // The library doesn't tell how many there are; its source does.
        let source = include_str!("../../src/error.rs");
        let list = source
            .split("\ntraps! {\n")
            .nth(1)
            .expect("the list of traps");
        let list = list.split("\n}").next().expect("its end");
        assert_eq!(list.lines().count(), KNOWN.len());
    }

    #[test]
    fn a_message_with_zeroes_is_told_to_its_end() {
        let failure: Box<Failure> = Error::msg("a\0b").context("c").into();
        assert_eq!(failure.message.to_str(), Ok("c: a\u{fffd}b"));
        assert_eq!(failure.chain.len(), 2);
    }

    #[test]
    fn a_panic_is_an_error_with_its_text() {
        let failure = crate::boundary::guarded(|| panic!("so {}", 1)).expect("an error");
        assert_eq!(failure.kind, FailureKind::Panic);
        assert_eq!(failure.message.to_str(), Ok("cellule panicked: so 1"));
    }
}
