//! What a store has executed, by instruction, and what it holds: the numbers that choices of instructions
//! are judged by, and leaks.

use super::engine::Config;
use super::store::Store;
use crate::code::{self, Info};
use crate::store::counts::Counts;
use crate::store::handles::HandleTable;
use alloc::vec::Vec;

/// A new store's counters; none if it isn't to count.
pub(crate) fn counters(config: &Config) -> Counts {
    match config.count {
        true => Counts::new(code::NUMBERS, config.count_sequences),
        false => Counts::default(),
    }
}

/// Instructions that were executed one after the other.
#[derive(Clone, Debug)]
pub struct Sequence {
    /// Two or three of them.
    pub instructions: Vec<&'static Info>,
    /// The last was reached by a jump from the one before; otherwise each stands behind the other.
    pub jumped: bool,
}

/// What a store holds: nothing of it may grow with calls that are over, however they ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// Core instances of modules and components.
    pub core_instances: usize,
    /// Component instances, of one component and of those nested in it.
    pub component_instances: usize,
    /// Bytes of all linear memories, as limits count them.
    pub memory_bytes: usize,
    /// Elements of all tables, as limits count them.
    pub table_elements: usize,
    /// Handles that component instances hold.
    pub handles: usize,
    /// Handles that the host holds: each is a `ResourceAny`.
    pub host_handles: usize,
    /// Calls under way that borrows are bound to.
    pub scopes: usize,
    /// How often handles are lent that haven't been given back.
    pub loans: usize,
}

impl<T> Store<T> {
    /// What it holds at present.
    pub fn held(&self) -> Held {
        let inner = &self.inner;
        let count = |table: &HandleTable| table.count();
        let host = inner.handles.first().map_or(0, count);
        Held {
            core_instances: inner.instances.len(),
            component_instances: inner.components.len().saturating_sub(1),
            memory_bytes: inner.memory_total,
            table_elements: inner.table_total,
            handles: inner.handles.iter().map(count).sum::<usize>() - host,
            host_handles: host,
            scopes: inner.scopes.depth(),
            loans: inner.scopes.loans(),
        }
    }

    /// The instructions that have been executed so far, in the order of their numbers, and how often
    /// each was. Nothing without [`Config::count_instructions`].
    pub fn instruction_counts(&self) -> impl Iterator<Item = (&'static Info, u64)> {
        let counted = (0..).zip(&self.inner.counts.single);
        counted
            .filter(|(_, count)| **count > 0)
            .filter_map(|(op, count)| Some((code::info(op)?, *count)))
    }

    /// The pairs and triples of instructions that have been executed so far, in no order, and how often
    /// each was. Nothing without [`Config::count_sequences`] and [`Config::count_instructions`].
    pub fn sequence_counts(&self) -> impl Iterator<Item = (Sequence, u64)> {
        let counted = self.inner.counts.sequences.iter().flatten();
        counted.map(|(sequence, count)| {
            let ops = sequence.ops.into_iter().flatten();
            let counted = Sequence {
                instructions: ops.filter_map(code::info).collect(),
                jumped: sequence.jumped,
            };
            (counted, *count)
        })
    }
}
