//! Errors and traps.
//!
//! An [`Error`] is one word wide and says what kind of failure it is, so that a tool can tell bad
//! input from an input that asks for something not supported yet. It can carry any error of the
//! embedder's through a guest, and context that was added on the way.

mod context;
mod parts;

use crate::fallible::{self, BoxOrNothing, boxed};
use crate::image::ImageError;
use alloc::boxed::Box;
use alloc::collections::TryReserveError;
use alloc::string::String;
use alloc::vec::Vec;
use core::any::{Any, TypeId};
use core::fmt;
use parts::{Cause, Layer, Part, Words};

pub use context::{Chain, Context};

/// `Result` with this crate's error.
pub type Result<T, E = Error> = core::result::Result<T, E>;

macro_rules! traps {
    ($($trap:ident: $text:literal;)*) => {
        /// Why WebAssembly code was stopped. The texts contain the ones the official test scripts expect.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u16)]
        #[non_exhaustive]
        pub enum Trap {
            $(
                #[doc = concat!($text, ".")]
                $trap,
            )*
        }

        impl Trap {
            /// All of them, by the number that code carries.
            const ALL: &[Trap] = &[$(Trap::$trap,)*];
        }

        impl fmt::Display for Trap {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self {
                    $(Trap::$trap => $text,)*
                })
            }
        }
    };
}
traps! {
    UnreachableCodeReached: "wasm `unreachable` instruction executed";
    MemoryOutOfBounds: "out of bounds memory access";
    TableOutOfBounds: "out of bounds table access";
    UndefinedElement: "undefined element: out of bounds table access";
    IndirectCallToNull: "uninitialized element";
    BadSignature: "indirect call type mismatch";
    IntegerOverflow: "integer overflow";
    IntegerDivisionByZero: "integer divide by zero";
    BadConversionToInteger: "invalid conversion to integer";
    StackOverflow: "call stack exhausted";
    OutOfFuel: "all fuel consumed by WebAssembly";
    CannotLeaveComponent: "cannot leave component instance";
    CannotEnterComponent: "cannot enter component instance";
    StringOutOfBounds: "string content out-of-bounds";
    ListOutOfBounds: "list content out-of-bounds";
    PointerOutOfBounds: "pointer out-of-bounds";
    UnalignedPointer: "unaligned pointer";
    InvalidDiscriminant: "invalid variant discriminant";
    InvalidChar: "invalid `char` bit pattern";
    InvalidUtf8: "invalid utf-8";
    InvalidUtf16: "unpaired surrogate in utf-16";
    UncaughtException: "uncaught exception propagated out of component";
    NullException: "null exception reference";
    TooManyExceptions: "too many exceptions that something refers to";
    NullFunction: "null function reference";
    NullReference: "null reference";
    UnalignedAtomic: "unaligned atomic";
    AtomicWait: "atomic wait on non-shared memory: expected shared memory";
    OutOfMemory: "out of memory: the host has none left";
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

impl core::error::Error for Trap {}

/// The error of a call that an exception has left: no guest has caught it.
///
/// [`Store::take_pending_exception`](crate::Store::take_pending_exception) gives the exception itself. A
/// host function that returns this error lets the exception go on to its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ThrownException;

impl fmt::Display for ThrownException {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("uncaught exception")
    }
}

impl core::error::Error for ThrownException {}

/// The host has no memory for what it takes to go on.
///
/// An [`Error`] of it takes none. Where there is none for another error, this one stands in its place. A guest that
/// can't go on because of it is stopped as by a trap, [`Trap::OutOfMemory`], which becomes this error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfMemory;

impl fmt::Display for OutOfMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("out of memory: the host has none left")
    }
}

impl core::error::Error for OutOfMemory {}

impl From<OutOfMemory> for Trap {
    fn from(_: OutOfMemory) -> Trap {
        Trap::OutOfMemory
    }
}

impl From<TryReserveError> for OutOfMemory {
    fn from(_: TryReserveError) -> OutOfMemory {
        OutOfMemory
    }
}

impl From<hashbrown::TryReserveError> for OutOfMemory {
    fn from(_: hashbrown::TryReserveError) -> OutOfMemory {
        OutOfMemory
    }
}

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
    /// An image that is refused: the error carries an [`ImageError`].
    Image,
    /// An import that is missing or has another type.
    Link,
    /// A limit was reached.
    Limit,
    /// The host has no memory left: an [`OutOfMemory`].
    OutOfMemory,
    /// A trap; [`Error::trap`] says which.
    Trap,
    /// An exception that no guest has caught: a [`ThrownException`].
    Exception,
    /// Arguments or handles that don't fit.
    Type,
    /// Made by the embedder.
    Host,
}

/// One frame of a trap's backtrace, innermost first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Index of the function in its module.
    pub func: u32,
    /// Its name, where the binary has one.
    pub name: Option<String>,
}

struct Inner {
    kind: ErrorKind,
    offset: Option<u64>,
    frames: Vec<Frame>,
    /// The outermost context, or the error itself.
    part: Box<dyn Part>,
}

/// What went wrong: a kind, a message, contexts around it, and where known the offset in the binary.
///
/// `{}` prints the outermost message, `{:#}` the whole chain on one line, `{:?}` the chain and the
/// functions that were running. Any error converts to it with `?`; therefore it is no
/// [`core::error::Error`] itself, but converts to a boxed one.
///
/// ```
/// use cellule::{Context, Engine, Error, ErrorKind, Module, Result};
///
/// fn load(bytes: &[u8]) -> Result<Module> {
///     cellule::ensure!(!bytes.is_empty(), "there is nothing");
///     Module::new(&Engine::default(), bytes).context("loading the plugin")
/// }
///
/// let error = load(b"no module").unwrap_err();
/// assert_eq!(error.to_string(), "loading the plugin");
/// assert_eq!(error.kind(), ErrorKind::Malformed);
/// assert_eq!(error.chain().count(), 2);
/// // A host's own error is found again behind whatever was said about it.
/// let error = Error::from("x".parse::<u32>().unwrap_err()).context("reading a number");
/// assert!(error.downcast_ref::<std::num::ParseIntError>().is_some());
/// ```
pub struct Error(BoxOrNothing<Inner>);

/// What an error without anything on the heap consists of.
static NO_MEMORY: Cause<OutOfMemory> = Cause(OutOfMemory);

/// The message of an error of this crate's own.
#[derive(Debug)]
struct Told {
    kind: ErrorKind,
    message: String,
    offset: Option<u64>,
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let prefix = match self.kind {
            ErrorKind::Malformed => "malformed binary: ",
            ErrorKind::Invalid => "invalid: ",
            ErrorKind::Unsupported => "not supported: ",
            ErrorKind::Trap => "wasm trap: ",
            _ => "",
        };
        write!(f, "{prefix}{}", self.message)?;
        match self.offset {
            Some(offset) => write!(f, " (at offset 0x{offset:x})"),
            None => Ok(()),
        }
    }
}

impl Error {
    /// An error that carries another one, which [`Error::downcast_ref`] finds again.
    pub fn new<E>(error: E) -> Error
    where
        E: core::error::Error + Send + Sync + 'static,
    {
        let any: &dyn Any = &error;
        if any.is::<OutOfMemory>() || any.downcast_ref() == Some(&Trap::OutOfMemory) {
            return Error(BoxOrNothing::new(None));
        }
        let kind = match TypeId::of::<E>() {
            id if id == TypeId::of::<Trap>() => ErrorKind::Trap,
            id if id == TypeId::of::<ThrownException>() => ErrorKind::Exception,
            _ => ErrorKind::Host,
        };
        Error::with_part(kind, None, Cause(error))
    }

    /// An error of the embedder's own, for host functions to return.
    pub fn msg<M>(message: M) -> Error
    where
        M: fmt::Display + fmt::Debug + Send + Sync + 'static,
    {
        Error::with_part(ErrorKind::Host, None, Words(message))
    }

    /// An error of a kind.
    pub fn of(kind: ErrorKind, message: impl fmt::Display) -> Error {
        Error::told(kind, message, None)
    }

    /// An image that is refused, for what stands at an offset.
    pub(crate) fn image(error: ImageError, offset: usize) -> Error {
        Error::with_part(ErrorKind::Image, Some(offset as u64), Cause(error))
    }

    #[cfg_attr(not(feature = "compile"), allow(dead_code))]
    pub(crate) fn at(kind: ErrorKind, message: impl fmt::Display, offset: u64) -> Error {
        Error::told(kind, message, Some(offset))
    }

    fn told(kind: ErrorKind, message: impl fmt::Display, offset: Option<u64>) -> Error {
        let Ok(message) = fallible::format(format_args!("{message}")) else {
            return OutOfMemory.into();
        };
        let told = Told {
            kind,
            message,
            offset,
        };
        Error::with_part(kind, offset, Words(told))
    }

    fn with_part(kind: ErrorKind, offset: Option<u64>, part: impl Part + 'static) -> Error {
        let inner = |part| Inner {
            kind,
            offset,
            frames: Vec::new(),
            part,
        };
        let inner = boxed(part).and_then(|part| boxed(inner(part)));
        Error(BoxOrNothing::new(inner.ok()))
    }

    pub(crate) fn with_frames(mut self, frames: Vec<Frame>) -> Error {
        if let Some(inner) = self.0.as_mut() {
            inner.frames = frames;
        }
        self
    }

    fn part(&self) -> &(dyn Part + 'static) {
        match self.0.as_ref() {
            Some(inner) => &*inner.part,
            None => &NO_MEMORY,
        }
    }

    /// Wraps it in a message that says what was being done. Kind, offset and frames stay. A message for which there is
    /// no memory is left out.
    #[must_use]
    pub fn context<C>(mut self, context: C) -> Error
    where
        C: fmt::Display + Send + Sync + 'static,
    {
        if let Some(all) = self.0.as_mut()
            && let Ok(room) = fallible::room()
        {
            let inner = core::mem::replace(&mut all.part, nothing());
            let layer: Box<Layer<C>> = Box::write(room, Layer { context, inner });
            all.part = layer;
        }
        self
    }

    /// Another error that tells of this one; a lack of memory stays what it is.
    pub(crate) fn told_in(self, other: impl FnOnce(&Error) -> Error) -> Error {
        match self.kind() {
            ErrorKind::OutOfMemory => self,
            _ => other(&self),
        }
    }

    /// Whether it, or a context around it, is an `E`.
    pub fn is<E>(&self) -> bool
    where
        E: fmt::Display + fmt::Debug + Send + Sync + 'static,
    {
        self.downcast_ref::<E>().is_some()
    }

    /// The `E` that it carries, as error or as context.
    pub fn downcast_ref<E>(&self) -> Option<&E>
    where
        E: fmt::Display + fmt::Debug + Send + Sync + 'static,
    {
        let mut part = self.part();
        loop {
            if let Some(found) = part.payload().downcast_ref::<E>() {
                return Some(found);
            }
            part = part.inner()?;
        }
    }

    /// The `E` that it carries, as error or as context.
    pub fn downcast_mut<E>(&mut self) -> Option<&mut E>
    where
        E: fmt::Display + fmt::Debug + Send + Sync + 'static,
    {
        let Some(inner) = self.0.as_mut() else {
            let payload: &mut dyn Any = Box::leak(Box::new(OutOfMemory));
            return payload.downcast_mut();
        };
        let mut part = &mut *inner.part;
        loop {
            if part.payload().is::<E>() {
                return part.payload_mut().downcast_mut::<E>();
            }
            part = part.inner_mut()?;
        }
    }

    /// Takes the `E` out that it carries, as error or as context.
    ///
    /// # Errors
    /// Itself, if it carries none.
    pub fn downcast<E>(self) -> Result<E, Error>
    where
        E: fmt::Display + fmt::Debug + Send + Sync + 'static,
    {
        if !self.is::<E>() {
            return Err(self);
        }
        let (kind, offset, frames, mut part) = match self.0.into_box() {
            Some(inner) => (inner.kind, inner.offset, inner.frames, inner.part),
            None => (ErrorKind::OutOfMemory, None, Vec::new(), nothing()),
        };
        loop {
            match part.take() {
                (payload, inner) if payload.is::<E>() => {
                    if let Ok(found) = payload.downcast::<E>() {
                        return Ok(*found);
                    }
                    // `is` has just said that it is one; this only pleases the type checker.
                    part = inner.unwrap_or_else(nothing);
                }
                (_, Some(inner)) => part = inner,
                (_, None) => {
                    let rest = Error::with_part(kind, offset, Words(""));
                    return Err(rest.with_frames(frames));
                }
            }
        }
    }

    /// The messages from the outermost context to the root cause.
    pub fn chain(&self) -> Chain<'_> {
        Chain::new(self.part().error())
    }

    /// The innermost error.
    pub fn root_cause(&self) -> &(dyn core::error::Error + 'static) {
        let mut cause = self.part().error();
        while let Some(inner) = cause.source() {
            cause = inner;
        }
        cause
    }

    /// What kind of failure it is.
    pub fn kind(&self) -> ErrorKind {
        match self.0.as_ref() {
            Some(inner) => inner.kind,
            None => ErrorKind::OutOfMemory,
        }
    }

    /// Where in the binary, in bytes, if it is about a binary.
    pub fn offset(&self) -> Option<u64> {
        self.0.as_ref()?.offset
    }

    /// The trap, if it is one, through all contexts.
    pub fn trap(&self) -> Option<Trap> {
        self.downcast_ref::<Trap>().copied()
    }

    /// The functions that were running when it happened, innermost first.
    pub fn frames(&self) -> &[Frame] {
        self.0.as_ref().map_or(&[], |inner| &inner.frames)
    }
}

impl<E> From<E> for Error
where
    E: core::error::Error + Send + Sync + 'static,
{
    fn from(error: E) -> Error {
        Error::new(error)
    }
}

/// A part that takes no room: a box of nothing isn't on the heap.
fn nothing() -> Box<dyn Part> {
    Box::new(Cause(OutOfMemory))
}

/// One message of a chain; traps say that they are such.
struct Link<'a>(&'a (dyn core::error::Error + 'static));

impl fmt::Display for Link<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is::<Trap>() {
            f.write_str("wasm trap: ")?;
        }
        fmt::Display::fmt(self.0, f)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut chain = self.chain();
        if let Some(first) = chain.next() {
            write!(f, "{}", Link(first))?;
        }
        if f.alternate() {
            for cause in chain {
                write!(f, ": {}", Link(cause))?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")?;
        let causes = self.chain().skip(1);
        for (at, cause) in causes.enumerate() {
            if at == 0 {
                f.write_str("\n\nCaused by:")?;
            }
            write!(f, "\n  {at}: {}", Link(cause))?;
        }
        for (at, frame) in self.frames().iter().enumerate() {
            if at == 0 {
                f.write_str("\n\nwasm backtrace:")?;
            }
            match &frame.name {
                Some(name) => write!(f, "\n  {at}: {name} (function {})", frame.func)?,
                None => write!(f, "\n  {at}: function {}", frame.func)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
