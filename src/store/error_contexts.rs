//! What guests' handles of error contexts stand for: a message each, shared by all handles of it.
//!
//! Run time. Nothing in an error context can change, so it lives as long as some handle names it.
//! Its message counts for the limit of all memories.

use crate::error::OutOfMemory;
use crate::fallible::Grow;
use alloc::string::String;
use alloc::vec::Vec;

/// What a slot takes beside its message's bytes.
const SLOT_BYTES: usize = size_of::<Slot>();

#[derive(Debug)]
struct Slot {
    message: String,
    /// Handles that name it; none if the slot is free.
    handles: u32,
}

/// Error contexts by number.
#[derive(Debug, Default)]
pub(crate) struct ErrorContexts {
    slots: Vec<Slot>,
    free: Vec<u32>,
}

impl ErrorContexts {
    /// What a message would count as.
    pub fn cost(message: &str) -> usize {
        SLOT_BYTES.saturating_add(message.len())
    }

    /// A new one, which one handle names.
    pub fn add(&mut self, message: String) -> Result<u32, OutOfMemory> {
        let slot = Slot {
            message,
            handles: 1,
        };
        if let Some(free) = self.free.pop() {
            self.slots[free as usize] = slot;
            return Ok(free);
        }
        // So that none that ends lacks room to be noted as free.
        let room = self.slots.len() + 1 - self.free.len();
        self.free.try_reserve(room)?;
        self.slots.try_push(slot)?;
        Ok(self.slots.len() as u32 - 1)
    }

    /// Its message.
    pub fn message(&self, id: u32) -> &str {
        self.slots
            .get(id as usize)
            .map_or("", |slot| &*slot.message)
    }

    /// Another handle names it; `None` if there are too many of them.
    pub fn share(&mut self, id: u32) -> Option<()> {
        let slot = self.slots.get_mut(id as usize)?;
        slot.handles = slot.handles.checked_add(1)?;
        Some(())
    }

    /// A handle of it is gone; what it counted as, if it was the last one.
    pub fn release(&mut self, id: u32) -> Option<usize> {
        let slot = self.slots.get_mut(id as usize)?;
        slot.handles = slot.handles.checked_sub(1)?;
        if slot.handles > 0 {
            return None;
        }
        let message = core::mem::take(&mut slot.message);
        self.free.push(id);
        Some(ErrorContexts::cost(&message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_lives_as_long_as_a_handle_of_it() {
        let mut contexts = ErrorContexts::default();
        let a = contexts.add("a".into()).unwrap();
        let b = contexts.add("bb".into()).unwrap();
        assert_eq!((contexts.message(a), contexts.message(b)), ("a", "bb"));
        contexts.share(a).unwrap();
        assert_eq!(contexts.release(a), None);
        assert_eq!(contexts.message(a), "a");
        assert_eq!(contexts.release(a), Some(ErrorContexts::cost("a")));
        assert_eq!(contexts.message(a), "");
        // One that is gone is not gone twice, and its number is used again.
        assert_eq!(contexts.release(a), None);
        assert_eq!(contexts.add("c".into()), Ok(a));
        assert_eq!(contexts.message(b), "bb");
    }
}
