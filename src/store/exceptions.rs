//! Exceptions that something refers to: their storage, and how it is taken back.
//!
//! An exception is stored only where a reference to it is made: by `catch_ref` and `catch_all_ref`, for
//! the embedder, or because nothing caught it. What is thrown and caught by tag never comes here. A
//! reference is a number that is checked where it is used; [`Limits::exception_bytes`] bounds the
//! storage.
//!
//! What nothing refers to any more is found by marking when there are many, or when the limit is
//! reached. Roots are the globals, tables and segments that hold exceptions, by their types, and every
//! slot of the stacks, since slots have none: one that only looks like a reference keeps an exception.
//! So that few do, references are large odd numbers. Stacks that can't be looked at are accounted for
//! before: a call of the host keeps all exceptions that are there when it begins, until it ends, and a
//! suspended thread holds those that are on its stack.

use super::StoreInner;
use crate::error::{OutOfMemory, Trap};
use crate::fallible::{Grow, Shared, copied};
use crate::limits::Limits;
use alloc::vec::Vec;

/// The first reference. Numbers like it are rare among those that programs compute with.
const FIRST: u32 = 0xe5c0_0000;
/// References that there can be at once.
const MOST: usize = 1 << 22;
/// Exceptions that are there before it is worth looking which are needed.
const MANY: usize = 64;

#[derive(Debug)]
struct Exception {
    tag: u32,
    arena: u32,
    /// The how manieth it is.
    born: u64,
    carried: Vec<u64>,
    marked: bool,
}

/// What is thrown: its tag, its isolation domain, and the reference to it if there is one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Thrown {
    pub tag: u32,
    pub arena: u32,
    pub reference: Option<u32>,
}

/// All exceptions of a store that something refers to.
#[derive(Debug, Default)]
pub(crate) struct Exceptions {
    /// By reference; `None` is free.
    entries: Vec<Option<Exception>>,
    free: Vec<u32>,
    /// Marked and still to be looked into.
    work: Vec<u32>,
    count: usize,
    bytes: usize,
    /// Marking is worth its time when there are so many.
    enough: usize,
    born: u64,
    /// Older ones are kept: a call of the host is under way.
    kept_before: u64,
    /// What suspended threads have on their stacks; one that is nowhere else is gone.
    held: Vec<Shared<Vec<u32>>>,
    /// What the exception carries that is being thrown.
    pub flight: Vec<u64>,
    /// The one that no guest has caught.
    pub uncaught: Option<u32>,
}

impl Exceptions {
    fn position(reference: u32) -> Option<usize> {
        let at = reference.wrapping_sub(FIRST) as usize;
        (at < MOST).then_some(at)
    }

    fn get(&self, reference: u32) -> Option<&Exception> {
        self.entries.get(Self::position(reference)?)?.as_ref()
    }

    /// Tag and payload of the exception that a reference of this domain names, and when it was made.
    pub fn deref(&self, arena: u32, reference: u32) -> Option<(u32, &[u64], u64)> {
        let found = self.get(reference)?;
        (found.arena == arena).then_some((found.tag, &found.carried, found.born))
    }

    /// As `deref`, for the embedder, who may see all domains.
    pub fn any(&self, reference: u32) -> Option<(u32, &[u64], u64)> {
        let found = self.get(reference)?;
        Some((found.tag, &found.carried, found.born))
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Begins to throw the exception that a slot refers to; `None` if it refers to none.
    pub fn throw_ref(&mut self, arena: u32, slot: u64) -> Result<Option<Thrown>, OutOfMemory> {
        let reference = slot as u32;
        let mut flight = core::mem::take(&mut self.flight);
        flight.clear();
        let found = self.deref(arena, reference);
        let carried = found.map_or(&[][..], |(_, carried, _)| carried);
        let room = flight.try_extend(carried.iter().copied());
        let thrown = found.map(|(tag, ..)| Thrown {
            tag,
            arena,
            reference: Some(reference),
        });
        self.flight = flight;
        room.map(|()| thrown)
    }

    /// What a call of the host is to give back to [`Exceptions::leave_host`].
    pub fn enter_host(&mut self) -> u64 {
        core::mem::replace(&mut self.kept_before, self.born)
    }

    /// Ends a call of the host.
    pub fn leave_host(&mut self, kept_before: u64) {
        self.kept_before = kept_before;
    }

    /// Keeps what `stack` may refer to for as long as the result lives.
    pub fn hold(&mut self, stack: &[u64]) -> Result<Option<Shared<Vec<u32>>>, OutOfMemory> {
        if self.is_empty() {
            return Ok(None);
        }
        self.held.try_reserve(1)?;
        for slot in stack {
            self.mark(*slot as u32);
        }
        for reference in &self.work {
            if let Some(found) = Self::position(*reference).and_then(|at| self.entries[at].as_mut())
            {
                found.marked = false;
            }
        }
        let found = copied(&self.work);
        self.work.clear();
        let held = Shared::new(found?)?;
        self.held.push(held.clone());
        Ok(Some(held))
    }

    /// Marks what a number refers to, if it does.
    fn mark(&mut self, reference: u32) {
        let Some(at) = Self::position(reference) else {
            return;
        };
        if let Some(Some(found)) = self.entries.get_mut(at)
            && !found.marked
        {
            found.marked = true;
            // `store` has made room for every entry.
            self.work.push(reference);
        }
    }

    /// Marks what the marked ones carry.
    fn trace(&mut self) {
        while let Some(reference) = self.work.pop() {
            let Some(at) = Self::position(reference) else {
                continue;
            };
            let Some(found) = &mut self.entries[at] else {
                continue;
            };
            let carried = core::mem::take(&mut found.carried);
            carried.iter().for_each(|slot| self.mark(*slot as u32));
            if let Some(found) = &mut self.entries[at] {
                found.carried = carried;
            }
        }
    }

    /// Frees what isn't marked.
    fn sweep(&mut self) {
        for at in 0..self.entries.len() {
            match &mut self.entries[at] {
                Some(found) if found.marked => found.marked = false,
                Some(found) => {
                    self.bytes -= size(found.carried.len());
                    self.count -= 1;
                    self.entries[at] = None;
                    // `store` has made room for it.
                    self.free.push(at as u32);
                }
                None => {}
            }
        }
    }

    /// Stores what is in flight.
    fn store(&mut self, thrown: Thrown, limits: &Limits) -> Result<u32, Trap> {
        let bytes = size(self.flight.len());
        if self.bytes + bytes > limits.exception_bytes {
            return Err(Trap::TooManyExceptions);
        }
        let carried = copied(&self.flight)?;
        let at = match self.free.pop() {
            Some(at) => at as usize,
            None if self.entries.len() >= MOST => return Err(Trap::TooManyExceptions),
            None => {
                // So that marking and freeing them takes no more.
                let all = self.entries.len() + 1;
                self.work.try_reserve(all).map_err(OutOfMemory::from)?;
                self.free.try_reserve(all).map_err(OutOfMemory::from)?;
                self.entries.try_push(None)?;
                self.entries.len() - 1
            }
        };
        self.entries[at] = Some(Exception {
            tag: thrown.tag,
            arena: thrown.arena,
            born: self.born,
            carried,
            marked: false,
        });
        self.born += 1;
        self.count += 1;
        self.bytes += bytes;
        Ok(FIRST + at as u32)
    }
}

/// What an exception takes.
fn size(carried: usize) -> usize {
    size_of::<Option<Exception>>() + carried * 8
}

impl StoreInner {
    /// A reference to what is being thrown, made if there is none. `stack` is that of the thread that
    /// runs. A trap where the limit is reached.
    pub fn exception_ref(&mut self, thrown: Thrown, stack: &[u64]) -> Result<u32, Trap> {
        if let Some(reference) = thrown.reference {
            return Ok(reference);
        }
        let bytes = self.exceptions.bytes + size(self.exceptions.flight.len());
        let full = bytes > self.limits.exception_bytes;
        if full || self.exceptions.count >= self.exceptions.enough.max(MANY) {
            self.collect_exceptions(stack);
            let limit = self.limits.exception_bytes;
            // Where hardly anything could be freed, marking again and again would cost too much.
            if full && self.exceptions.bytes > limit - limit / 8 {
                return Err(Trap::TooManyExceptions);
            }
        }
        self.exceptions.store(thrown, &self.limits)
    }

    /// Frees the exceptions that nothing refers to.
    fn collect_exceptions(&mut self, stack: &[u64]) {
        let mut all = core::mem::take(&mut self.exceptions);
        let mut seen = 0;
        let mut root = |slot: u32| {
            seen += 1;
            all.mark(slot);
        };
        stack.iter().for_each(|slot| root(*slot as u32));
        for (ty, slot) in self.global_types.iter().zip(&self.globals) {
            if ty.content.is_exception() {
                root(*slot as u32);
            }
        }
        for table in &self.tables {
            if table.ty.element.is_exception() {
                table.elements.iter().for_each(|element| root(*element));
            }
        }
        for instance in &self.instances {
            let segments = instance.module.elements.iter().zip(&instance.elements);
            for (_, items) in segments.filter(|(segment, _)| segment.element.is_exception()) {
                items.iter().for_each(|item| root(*item));
            }
        }
        all.held.retain(|held| Shared::owners(held) > 1);
        for at in 0..all.held.len() {
            let held = all.held[at].clone();
            held.iter().for_each(|reference| all.mark(*reference));
        }
        let flight = core::mem::take(&mut all.flight);
        flight.iter().for_each(|slot| all.mark(*slot as u32));
        all.flight = flight;
        if let Some(uncaught) = all.uncaught {
            all.mark(uncaught);
        }
        for at in 0..all.entries.len() {
            if let Some(found) = &all.entries[at]
                && found.born < all.kept_before
            {
                all.mark(FIRST + at as u32);
            }
        }
        all.trace();
        all.sweep();
        // So each exception pays for looking at a few slots, however large the stack is.
        all.enough = (all.count * 2).max(seen / 16);
        self.exceptions = all;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn thrown(store: &mut StoreInner, carried: &[u64]) -> Thrown {
        store.exceptions.flight.clear();
        store.exceptions.flight.extend_from_slice(carried);
        Thrown {
            tag: 0,
            arena: 0,
            reference: None,
        }
    }

    fn made(store: &mut StoreInner, carried: &[u64], stack: &[u64]) -> Result<u32, Trap> {
        let thrown = thrown(store, carried);
        let made = store.exception_ref(thrown, stack);
        store.exceptions.flight.clear();
        made
    }

    fn carried(store: &StoreInner, reference: u32) -> Option<&[u64]> {
        Some(store.exceptions.deref(0, reference)?.1)
    }

    #[test]
    fn what_the_stack_refers_to_stays_and_the_rest_is_freed() {
        let mut store = StoreInner::default();
        let kept = made(&mut store, &[1, 2], &[]).unwrap();
        // The upper half of a slot may be anything.
        let stack = [7, u64::from(kept) | 0xdead << 32];
        for number in 0..10_000 {
            made(&mut store, &[number], &stack).unwrap();
        }
        assert_eq!(carried(&store, kept), Some([1, 2].as_slice()));
        assert!(store.exceptions.count <= 2 * MANY);
    }

    #[test]
    fn what_an_exception_carries_stays_with_it() {
        let mut store = StoreInner::default();
        let inner = made(&mut store, &[42], &[]).unwrap();
        let outer = made(&mut store, &[inner.into()], &[inner.into()]).unwrap();
        store.collect_exceptions(&[outer.into()]);
        assert_eq!(carried(&store, inner), Some([42].as_slice()));
        store.collect_exceptions(&[inner.into()]);
        assert_eq!(carried(&store, outer), None);
        store.collect_exceptions(&[]);
        assert!(store.exceptions.is_empty());
        assert_eq!(store.exceptions.bytes, 0);
    }

    #[test]
    fn the_limit_stops_what_is_all_needed_and_nothing_else() {
        let mut store = StoreInner::default();
        store.limits.exception_bytes = 4096;
        for _ in 0..10_000 {
            made(&mut store, &[0; 8], &[]).unwrap();
        }
        let mut stack = Vec::new();
        let refused = (0..1000).find_map(|_| {
            let made = made(&mut store, &[0; 8], &stack);
            made.map(|reference| stack.push(reference.into())).err()
        });
        assert_eq!(refused, Some(Trap::TooManyExceptions));
        assert!(store.exceptions.bytes <= 4096);
    }

    #[test]
    fn what_outer_calls_and_suspended_threads_may_refer_to_stays() {
        let mut store = StoreInner::default();
        let outer = made(&mut store, &[1], &[]).unwrap();
        let suspended = made(&mut store, &[2], &[outer.into()]).unwrap();
        let held = store.exceptions.hold(&[suspended.into()]).unwrap();
        let floor = store.exceptions.enter_host();
        store.collect_exceptions(&[]);
        assert!(carried(&store, outer).is_some());
        store.exceptions.leave_host(floor);
        store.collect_exceptions(&[]);
        assert!(carried(&store, outer).is_none());
        assert!(carried(&store, suspended).is_some());
        drop(held);
        store.collect_exceptions(&[]);
        assert!(store.exceptions.is_empty());
    }

    #[test]
    fn a_reference_is_worth_nothing_in_another_domain() {
        let mut store = StoreInner::default();
        let reference = made(&mut store, &[1], &[]).unwrap();
        let mut thrown = |arena, slot| store.exceptions.throw_ref(arena, slot).unwrap();
        assert!(thrown(1, reference.into()).is_none());
        assert!(thrown(0, 0).is_none());
        assert!(thrown(0, reference.into()).is_some());
    }
}
