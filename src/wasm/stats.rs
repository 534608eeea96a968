//! What a store has executed, by instruction: the numbers that choices of instructions are judged by.

use super::engine::Config;
use super::store::Store;
use crate::code::{self, Info};
use alloc::vec::Vec;

/// A new store's counters; none if it isn't to count.
pub(crate) fn counters(config: &Config) -> Vec<u64> {
    match config.count {
        true => alloc::vec![0; code::COUNT],
        false => Vec::new(),
    }
}

impl<T> Store<T> {
    /// The instructions that have been executed so far, in the order of their numbers, and how often
    /// each was. Nothing without [`Config::count_instructions`].
    pub fn instruction_counts(&self) -> impl Iterator<Item = (&'static Info, u64)> {
        let counted = (0..).zip(&self.inner.counts);
        counted
            .filter(|(_, count)| **count > 0)
            .filter_map(|(op, count)| Some((code::info(op)?, *count)))
    }
}
