//! How deep calls of the host into guests are nested: each is native recursion.
//!
//! A shared counter, because the future of an asynchronous host function borrows the whole store while
//! it is polled, and may call guests from there.

use crate::error::{Error, ErrorKind, OutOfMemory, Result};
use crate::fallible::Shared;
use core::future::Future;
use core::pin::Pin;
use core::sync::atomic::{AtomicU32, Ordering};
use core::task::{Context, Poll};

/// The counter of one store.
#[derive(Clone)]
pub(crate) struct Depth(Shared<AtomicU32>);

impl Depth {
    pub fn new() -> Result<Depth, OutOfMemory> {
        Ok(Depth(Shared::new(AtomicU32::new(0))?))
    }

    /// Whether no call is running.
    pub fn is_outermost(&self) -> bool {
        self.0.load(Ordering::Relaxed) == 0
    }

    /// Begins a call; to be followed by [`Depth::leave`].
    pub fn enter(&self, limit: u32) -> Result<()> {
        let depth = self.0.load(Ordering::Relaxed);
        if depth >= limit {
            let why = "calls from hosts into guests are nested too deeply";
            return Err(Error::of(ErrorKind::Limit, why));
        }
        // One store is used by one thread at a time, so reading and writing need not be one step.
        self.0.store(depth + 1, Ordering::Relaxed);
        Ok(())
    }

    /// Ends a call.
    pub fn leave(&self) {
        let depth = self.0.load(Ordering::Relaxed);
        self.0.store(depth.saturating_sub(1), Ordering::Relaxed);
    }

    /// A future that counts as a call while it is polled.
    pub fn within<F: Future + Unpin>(&self, future: F) -> Within<F> {
        Within {
            depth: self.clone(),
            future,
        }
    }
}

/// See [`Depth::within`].
pub(crate) struct Within<F> {
    depth: Depth,
    future: F,
}

impl<F: Future + Unpin> Future for Within<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        // The call that awaits this was counted when it ran, so its limit was checked there.
        let counted = self.depth.enter(u32::MAX).is_ok();
        let polled = Pin::new(&mut self.future).poll(context);
        if counted {
            self.depth.leave();
        }
        polled
    }
}
