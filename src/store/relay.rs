//! Where values lie that the host passes to a function of its own.
//!
//! Run time. A component may export what it imports. The host's closures take their arguments from a
//! guest's memory and handles, so that no function has to be told two ways to be called: here the
//! "guest" is a component instance of the runtime's without code, and its memory one that no guest
//! sees. Calls, which end in the reverse order of their beginnings, fill it up from the start and
//! give back what they took. Its bytes count for the limit of all memories.

use super::components::NONE;
use super::{MemoryEntity, StoreInner};
use crate::code::module::MemoryType;
use crate::error::{Error, ErrorKind, OutOfMemory, Result};
use crate::fallible::Grow;
use crate::fallible::Zeroed;

/// Bytes that are kept while no call runs.
const KEPT: usize = 1024;

/// What one tree has of this.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Relay {
    /// The component instance that stands for the host, or [`NONE`].
    pub instance: u32,
    /// The memory's entity, or [`NONE`].
    pub memory: u32,
    /// How many bytes of it the calls that are running have taken.
    pub used: u32,
}

impl Relay {
    /// Of a tree that exports no import.
    pub const NONE: Relay = Relay {
        instance: NONE,
        memory: NONE,
        used: 0,
    };
}

impl StoreInner {
    /// For a new tree; `instance` is the component instance that stands for the host in it.
    pub fn new_relay(&mut self, instance: u32) -> Result<Relay> {
        self.memories
            .try_push(MemoryEntity::empty(MemoryType::new(0, None)))?;
        Ok(Relay {
            instance,
            memory: self.memories.len() as u32 - 1,
            used: 0,
        })
    }

    /// Room of a tree's relay, which has one; an error where a limit or the host's memory doesn't allow
    /// it.
    pub fn relay_room(&mut self, tree: u32, align: u32, size: u32) -> Result<u32> {
        let full = || Error::of(ErrorKind::Limit, "a value passed to the host is too large");
        let relay = &mut self.trees[tree as usize].relay;
        let memory = &mut self.memories[relay.memory as usize];
        let start = relay.used.checked_next_multiple_of(align.max(1));
        let start = start.ok_or_else(full)?;
        let end = start.checked_add(size).ok_or_else(full)?;
        let (len, wanted) = (memory.bytes.len(), end as usize);
        if wanted > len {
            let allowed = self.limits.total_memory_bytes;
            let most = allowed.saturating_sub(self.memory_total - len);
            let grown = wanted.max(len.saturating_mul(2)).max(KEPT).min(most);
            if wanted > most {
                return Err(full());
            }
            if !memory.bytes.grow(grown) {
                return Err(OutOfMemory.into());
            }
            self.memory_total += grown - len;
        }
        relay.used = end;
        Ok(start)
    }

    /// A call has ended: gives back what it took, and the host's memory if it was the last one.
    pub fn relay_back(&mut self, tree: u32, used: u32) {
        let relay = &mut self.trees[tree as usize].relay;
        if relay.memory == NONE {
            return;
        }
        relay.used = used;
        let bytes = &mut self.memories[relay.memory as usize].bytes;
        if used == 0 && bytes.len() > KEPT {
            self.memory_total = self.memory_total.saturating_sub(bytes.len());
            *bytes = Zeroed::default();
        }
    }
}
