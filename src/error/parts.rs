//! What an error consists of: a chain of parts, each a context around the next, with the cause last.

use alloc::boxed::Box;
use core::any::Any;
use core::error::Error;
use core::fmt;

/// A payload of any type, and the parts within.
pub(super) trait Part: Send + Sync {
    /// The value that was handed over.
    fn payload(&self) -> &dyn Any;
    /// The same, to be changed.
    fn payload_mut(&mut self) -> &mut dyn Any;
    /// The part that this one is around.
    fn inner(&self) -> Option<&dyn Part>;
    /// The same, to be changed.
    fn inner_mut(&mut self) -> Option<&mut (dyn Part + 'static)>;
    /// Both, owned.
    fn take(self: Box<Self>) -> (Box<dyn Any>, Option<Box<dyn Part>>);
    /// As an error whose sources are the parts within.
    fn error(&self) -> &(dyn Error + 'static);
}

/// An error of some other type.
pub(super) struct Cause<E>(pub E);

/// A message without an error behind it.
pub(super) struct Words<M>(pub M);

/// A message around another part.
pub(super) struct Layer<C> {
    pub context: C,
    pub inner: Box<dyn Part>,
}

impl<E: Error + Send + Sync + 'static> Part for Cause<E> {
    fn payload(&self) -> &dyn Any {
        &self.0
    }
    fn payload_mut(&mut self) -> &mut dyn Any {
        &mut self.0
    }
    fn inner(&self) -> Option<&dyn Part> {
        None
    }
    fn inner_mut(&mut self) -> Option<&mut (dyn Part + 'static)> {
        None
    }
    fn take(self: Box<Self>) -> (Box<dyn Any>, Option<Box<dyn Part>>) {
        (Box::new(self.0), None)
    }
    fn error(&self) -> &(dyn Error + 'static) {
        &self.0
    }
}

impl<M: fmt::Display + fmt::Debug + Send + Sync + 'static> Part for Words<M> {
    fn payload(&self) -> &dyn Any {
        &self.0
    }
    fn payload_mut(&mut self) -> &mut dyn Any {
        &mut self.0
    }
    fn inner(&self) -> Option<&dyn Part> {
        None
    }
    fn inner_mut(&mut self) -> Option<&mut (dyn Part + 'static)> {
        None
    }
    fn take(self: Box<Self>) -> (Box<dyn Any>, Option<Box<dyn Part>>) {
        (Box::new(self.0), None)
    }
    fn error(&self) -> &(dyn Error + 'static) {
        self
    }
}

impl<C: fmt::Display + Send + Sync + 'static> Part for Layer<C> {
    fn payload(&self) -> &dyn Any {
        &self.context
    }
    fn payload_mut(&mut self) -> &mut dyn Any {
        &mut self.context
    }
    fn inner(&self) -> Option<&dyn Part> {
        Some(&*self.inner)
    }
    fn inner_mut(&mut self) -> Option<&mut (dyn Part + 'static)> {
        Some(&mut *self.inner)
    }
    fn take(self: Box<Self>) -> (Box<dyn Any>, Option<Box<dyn Part>>) {
        (Box::new(self.context), Some(self.inner))
    }
    fn error(&self) -> &(dyn Error + 'static) {
        self
    }
}

impl<M: fmt::Display> fmt::Display for Words<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<M: fmt::Debug> fmt::Debug for Words<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<M: fmt::Display + fmt::Debug> Error for Words<M> {}

impl<C: fmt::Display> fmt::Display for Layer<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.context.fmt(f)
    }
}

impl<C: fmt::Display> fmt::Debug for Layer<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.context.fmt(f)
    }
}

impl<C: fmt::Display> Error for Layer<C> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self.inner.error())
    }
}
