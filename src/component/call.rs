//! A call of the host's into a component, from its core arguments to its end.
//!
//! The call is an object, so that it can stop when fuel runs out and go on later: synchronous calls
//! drive it in a loop, asynchronous ones yield in between. Whatever ends it in the middle locks the
//! tree that it ran in: a trap, an error of a host function, or that its future is dropped.

use super::run;
use crate::error::{Error, ErrorKind, Result, Trap};
use crate::machine::Thread;
use crate::store::StoreInner;
use crate::store::components::{BoundOptions, NONE};
use crate::wasm::Store;
use crate::wasm::exec::{self, Progress};
use alloc::boxed::Box;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

/// A call that is under way.
pub(crate) struct Call {
    thread: Box<Thread>,
    entered: Entered,
    /// Where a function of the host's puts its result, if that is in memory.
    out: Option<usize>,
}

/// Where the scopes stood when a call began, and which tree it enters.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entered {
    tree: u32,
    /// Whether a scope of borrows was entered.
    lends: bool,
    scopes: usize,
    /// How much of the tree's relay was taken when it began.
    relay: u32,
}

/// Checks that a tree may be entered, and begins a scope if something is lent. To be ended by
/// [`Call::close`] or [`Entered::cancel`].
pub(crate) fn enter<T: 'static>(store: &mut Store<T>, tree: u32, lends: bool) -> Result<Entered> {
    let inner = &mut store.inner;
    if store.depth.is_outermost() {
        // Nothing runs, so what lends is left of a call that was abandoned.
        inner.end_abandoned_calls();
    }
    let entered = &mut inner.trees[tree as usize];
    if store.depth.is_outermost() && entered.active > 0 {
        entered.locked = true;
    }
    if entered.locked {
        return Err(Trap::CannotEnterComponent.into());
    }
    let scopes = inner.scopes.depth();
    if !entered.awake {
        inner.make_memories(tree)?;
    }
    if lends {
        inner.scopes.enter()?;
    }
    let entered = &mut inner.trees[tree as usize];
    entered.active += 1;
    Ok(Entered {
        tree,
        lends,
        scopes,
        relay: entered.relay.used,
    })
}

impl Entered {
    /// The call doesn't begin: `error` says why. The tree is locked by a trap, of a `realloc`, and if
    /// resources were `given` to it already, which nobody there knows of.
    pub fn cancel(self, inner: &mut StoreInner, error: Error, given: bool) -> Error {
        self.leave(inner);
        if given || error.kind() == ErrorKind::Trap {
            inner.trees[self.tree as usize].locked = true;
        }
        error
    }

    /// The call is over, and with it what was lent in it: of a trap's also by adapters it went through.
    fn leave(self, inner: &mut StoreInner) {
        inner.scopes.exit_to(self.scopes, &mut inner.handles);
        inner.relay_back(self.tree, self.relay);
        let tree = &mut inner.trees[self.tree as usize];
        tree.active = tree.active.saturating_sub(1);
    }
}

impl Call {
    /// Begins a call of a core function; `entered` is none where it is not part of a call that has
    /// entered the tree already.
    pub fn start<T: 'static>(
        store: &mut Store<T>,
        tree: u32,
        entity: u32,
        args: &[u64],
        entered: Option<Entered>,
    ) -> Result<Call> {
        let entered = match entered {
            Some(entered) => entered,
            None => enter(store, tree, false)?,
        };
        let mut thread = match store.take_thread() {
            Ok(thread) => thread,
            Err(none) => return Err(entered.cancel(&mut store.inner, none.into(), true)),
        };
        if let Err(error) = thread.start(&mut store.inner, entity, args) {
            store.give_back(thread);
            return Err(entered.cancel(&mut store.inner, error.into(), true));
        }
        Ok(Call {
            thread,
            entered,
            out: None,
        })
    }

    /// Runs until it is done or out of fuel. After an error the tree is locked.
    pub fn advance<T: 'static>(&mut self, store: &mut Store<T>) -> Result<Progress> {
        let limit = store.inner.limits.host_recursion;
        store
            .depth
            .enter(limit)
            .map_err(|error| self.fail(store, error))?;
        let progress = exec::drive(store, &mut self.thread);
        store.depth.leave();
        progress.map_err(|error| self.fail(store, error))
    }

    /// Takes fuel from the store's reserve for a call that is out of it.
    fn refuel<T: 'static>(&mut self, store: &mut Store<T>) -> Result<()> {
        if store.refuel() {
            return Ok(());
        }
        let error = exec::trapped(store, &self.thread, Trap::OutOfFuel.into());
        Err(self.fail(store, error))
    }

    /// Runs to the end. Asynchronous host functions have to be done at once.
    pub fn complete<T: 'static>(&mut self, store: &mut Store<T>) -> Result<()> {
        loop {
            match self.advance(store)? {
                Progress::Done => return Ok(()),
                Progress::OutOfFuel => self.refuel(store)?,
                Progress::Host => run::call_host_now(store, &mut self.thread)
                    .map_err(|error| self.fail(store, error))?,
            }
        }
    }

    /// Runs to the end; yields to the executor wherever fuel runs out, and awaits host functions.
    pub async fn complete_async<T: 'static>(&mut self, store: &mut Store<T>) -> Result<()> {
        loop {
            match self.advance(store)? {
                Progress::Done => return Ok(()),
                Progress::OutOfFuel => {
                    self.refuel(store)?;
                    Yield(false).await;
                }
                Progress::Host => run::await_host(store, &mut self.thread)
                    .await
                    .map_err(|error| self.fail(store, error))?,
            }
        }
    }

    /// The call is of a function of the host's, which puts its result there.
    pub fn returns_at(&mut self, out: Option<usize>) {
        self.out = out;
    }

    /// The first result slot of the call that is done.
    pub fn result(&self) -> u64 {
        if let Some(out) = self.out {
            return out as u64;
        }
        self.thread.stack.first().copied().unwrap_or(0)
    }

    /// After the result is lifted: sees that the guest has dropped what was lent to it, and begins
    /// `post-return`, if there is one; whether there is.
    pub fn post_return<T: 'static>(
        &mut self,
        store: &mut Store<T>,
        options: BoundOptions,
        has_result: bool,
    ) -> Result<bool> {
        if self.entered.lends {
            let inner = &mut store.inner;
            if options.instance == inner.trees[self.entered.tree as usize].relay.instance {
                // What was lent to the host's function ends with it.
                let handles = &mut inner.handles[options.instance as usize];
                inner.scopes.drop_borrows(handles);
            }
            let checked = inner.scopes.check_return();
            checked.map_err(|error| self.fail(store, error.into()))?;
        }
        if options.post_return == NONE {
            return Ok(false);
        }
        store.inner.components[options.instance as usize].may_leave = false;
        let args = [self.result()];
        let args = &args[..usize::from(has_result)];
        match self
            .thread
            .start(&mut store.inner, options.post_return, args)
        {
            Ok(()) => Ok(true),
            Err(trap) => Err(self.fail(store, trap.into())),
        }
    }

    /// Ends a call that is done, and its `post-return` if it has run.
    pub fn close<T: 'static>(self, store: &mut Store<T>, options: BoundOptions) {
        store.inner.components[options.instance as usize].may_leave = true;
        self.entered.leave(&mut store.inner);
        store.give_back(self.thread);
    }

    /// As [`Call::close`], for a call without options.
    pub fn close_plain<T: 'static>(self, store: &mut Store<T>) {
        self.entered.leave(&mut store.inner);
        store.give_back(self.thread);
    }

    /// Locks the tree because of an error. The thread goes with the call: what is in it is of no use.
    pub fn fail<T: 'static>(&mut self, store: &mut Store<T>, error: Error) -> Error {
        store.inner.trees[self.entered.tree as usize].locked = true;
        self.entered.leave(&mut store.inner);
        error
    }
}

/// Pending once.
pub(crate) struct Yield(pub bool);

impl Future for Yield {
    type Output = ();
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if core::mem::replace(&mut self.0, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }
}
