//! Adding context to errors, walking it, and making errors in a line.

use super::Error;
use alloc::boxed::Box;
use core::fmt;

/// The messages of an error, outermost first: see [`Error::chain`].
#[derive(Clone)]
pub struct Chain<'a> {
    next: Option<&'a (dyn core::error::Error + 'static)>,
}

impl<'a> Chain<'a> {
    pub(super) fn new(first: &'a (dyn core::error::Error + 'static)) -> Chain<'a> {
        Chain { next: Some(first) }
    }
}

impl<'a> Iterator for Chain<'a> {
    type Item = &'a (dyn core::error::Error + 'static);

    fn next(&mut self) -> Option<Self::Item> {
        let this = self.next?;
        self.next = this.source();
        Some(this)
    }
}

mod sealed {
    /// Keeps [`super::Context`] to the types that have it.
    pub trait Sealed {}
    impl<T, E> Sealed for Result<T, E> {}
    impl<T> Sealed for Option<T> {}
}

/// Context for what a `Result` or an `Option` lacks.
///
/// ```
/// use cellule::{Context, Result};
///
/// fn second(list: &[u32]) -> Result<u32> {
///     list.get(1).copied().with_context(|| format!("only {} numbers", list.len()))
/// }
///
/// assert_eq!(second(&[1, 2]).unwrap(), 2);
/// assert_eq!(second(&[1]).unwrap_err().to_string(), "only 1 numbers");
/// ```
pub trait Context<T>: sealed::Sealed {
    /// Wraps the error, or makes one of nothing.
    ///
    /// # Errors
    /// The wrapped error, if there was one.
    fn context<C>(self, context: C) -> Result<T, Error>
    where
        C: fmt::Display + fmt::Debug + Send + Sync + 'static;

    /// The same with a message that is only made when it is needed.
    ///
    /// # Errors
    /// The wrapped error, if there was one.
    fn with_context<C>(self, context: impl FnOnce() -> C) -> Result<T, Error>
    where
        C: fmt::Display + fmt::Debug + Send + Sync + 'static;
}

impl<T, E: Into<Error>> Context<T> for Result<T, E> {
    fn context<C>(self, context: C) -> Result<T, Error>
    where
        C: fmt::Display + fmt::Debug + Send + Sync + 'static,
    {
        self.map_err(|error| error.into().context(context))
    }

    fn with_context<C>(self, context: impl FnOnce() -> C) -> Result<T, Error>
    where
        C: fmt::Display + fmt::Debug + Send + Sync + 'static,
    {
        self.map_err(|error| error.into().context(context()))
    }
}

impl<T> Context<T> for Option<T> {
    fn context<C>(self, context: C) -> Result<T, Error>
    where
        C: fmt::Display + fmt::Debug + Send + Sync + 'static,
    {
        self.ok_or_else(|| Error::msg(context))
    }

    fn with_context<C>(self, context: impl FnOnce() -> C) -> Result<T, Error>
    where
        C: fmt::Display + fmt::Debug + Send + Sync + 'static,
    {
        self.ok_or_else(|| Error::msg(context()))
    }
}

/// [`Error`] as a boxed error, for code that wants one.
struct Boxed(Error);

impl fmt::Display for Boxed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Boxed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl core::error::Error for Boxed {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        self.0.chain().nth(1)
    }
}

impl From<Error> for Box<dyn core::error::Error + Send + Sync> {
    fn from(error: Error) -> Self {
        Box::new(Boxed(error))
    }
}

impl From<Error> for Box<dyn core::error::Error> {
    fn from(error: Error) -> Self {
        Box::new(Boxed(error))
    }
}

#[cfg(feature = "anyhow")]
impl From<Error> for anyhow::Error {
    fn from(error: Error) -> Self {
        anyhow::Error::from_boxed(error.into())
    }
}

/// An [`Error`](crate::Error) from a format string, or from a value that can be displayed.
#[macro_export]
macro_rules! format_err {
    ($text:literal $(, $($args:tt)*)?) => {
        $crate::Error::msg($crate::__private::format!($text $(, $($args)*)?))
    };
    ($value:expr $(,)?) => {
        $crate::Error::msg($value)
    };
}

/// Returns early with an error: see [`format_err!`](crate::format_err).
#[macro_export]
macro_rules! bail {
    ($($args:tt)*) => {
        return ::core::result::Result::Err($crate::format_err!($($args)*))
    };
}

/// Returns early with an error unless a condition holds.
#[macro_export]
macro_rules! ensure {
    ($condition:expr $(,)?) => {
        $crate::ensure!(
            $condition,
            "condition failed: `{}`",
            ::core::stringify!($condition)
        )
    };
    ($condition:expr, $($args:tt)*) => {
        if !$condition {
            $crate::bail!($($args)*);
        }
    };
}
