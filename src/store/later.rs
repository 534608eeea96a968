//! Memories that are made when they are first needed.
//!
//! Run time, with an operating system. An instance's memories are counted, limited and given their
//! segments when it is made, but their bytes come when something first enters the tree that owns
//! them: pages of memory cost more than all the rest of an instantiation, and an instance that is
//! never called needs none. Without an operating system an allocation may well fail, which is for
//! the instantiation to say, so there they are made at once.
//!
//! Whatever reads a tree's memories runs inside it, so [`StoreInner::make_memories`] at its entrance
//! is all that this takes. Memories of core instances, which embedders look into, never wait.

use super::StoreInner;
use crate::code::module::MemoryType;
use crate::error::{OutOfMemory, Result, Trap};
use crate::fallible::Grow;
use alloc::vec::Vec;

/// Whether memories of components wait until they are needed.
pub(crate) const LATER: bool = cfg!(feature = "std");

/// What a memory is to begin with that has not been made.
#[derive(Debug, Default)]
pub(crate) struct Unmade {
    /// Its size; zero once it is made.
    bytes: usize,
    segments: Vec<Segment>,
}

/// An active segment that waits: of this instance's module, with this number, to this address.
#[derive(Clone, Copy, Debug)]
struct Segment {
    instance: u32,
    data: u32,
    at: u64,
}

impl StoreInner {
    /// As [`StoreInner::new_memory`], without its bytes.
    pub fn new_memory_later(&mut self, ty: MemoryType) -> Result<Option<u32>, OutOfMemory> {
        let Some(id) = self.new_memory(MemoryType { minimum: 0, ..ty })? else {
            return Ok(None);
        };
        let memory = &mut self.memories[id as usize];
        memory.ty = ty;
        match memory.growth(ty.minimum, &self.limits, self.memory_total) {
            Some((bytes, total)) => {
                memory.unmade.bytes = bytes;
                self.memory_total = total;
                Ok(Some(id))
            }
            None => {
                self.memories.pop();
                Ok(None)
            }
        }
    }

    /// Notes an active segment for a memory that isn't made; whether that is so.
    ///
    /// # Errors
    /// If the segment doesn't fit.
    pub fn note_segment(
        &mut self,
        instance: u32,
        memory: u32,
        data: usize,
        (at, len): (u64, u32),
    ) -> Result<bool, Trap> {
        let unmade = &mut self.memories[memory as usize].unmade;
        if unmade.bytes == 0 {
            return Ok(false);
        }
        let end = at.checked_add(len.into());
        if end.is_none_or(|end| end > unmade.bytes as u64) {
            return Err(Trap::MemoryOutOfBounds);
        }
        unmade.segments.try_push(Segment {
            instance,
            data: data as u32,
            at,
        })?;
        Ok(true)
    }

    /// Makes the memories of a tree that wait.
    ///
    /// # Errors
    /// If the host has no memory for them; it can be tried again.
    #[cold]
    pub fn make_memories(&mut self, tree: u32) -> Result<()> {
        for at in 0..self.trees[tree as usize].core.len() {
            let instance = self.trees[tree as usize].core[at];
            for at in 0..self.instances[instance as usize].memories.len() {
                let memory = self.instances[instance as usize].memories[at];
                self.make_memory(memory)?;
            }
        }
        self.trees[tree as usize].awake = true;
        Ok(())
    }

    /// Gives back the memories from this number on.
    pub fn forget_memories(&mut self, from: usize) {
        for memory in self.memories.drain(from..) {
            let bytes = memory.bytes.len().max(memory.unmade.bytes);
            self.memory_total = self.memory_total.saturating_sub(bytes);
        }
    }

    fn make_memory(&mut self, id: u32) -> Result<()> {
        let memory = &mut self.memories[id as usize];
        let bytes = memory.unmade.bytes;
        if !memory.bytes.grow(bytes) {
            return Err(OutOfMemory.into());
        }
        let unmade = core::mem::take(&mut memory.unmade);
        for segment in unmade.segments {
            let module = &self.instances[segment.instance as usize].module;
            let source = &module.bytes[module.data[segment.data as usize].bytes.clone()];
            let at = segment.at as usize;
            // That it fits was checked when it was noted.
            memory.bytes[at..at + source.len()].copy_from_slice(source);
        }
        Ok(())
    }
}
