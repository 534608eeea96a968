//! Executions of instructions and of sequences of them (feature `stats`): what decides which
//! instructions are worth fusing. Plain counters; the loop dispatcher feeds them.

use crate::code::Op;
use alloc::vec::Vec;
use hashbrown::HashMap;

/// Instructions that were executed one after the other: as many as there are, the newest last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Sequence {
    pub ops: [Option<Op>; 3],
    /// The last was reached by a jump, and not because it stands behind the one before.
    pub jumped: bool,
}

/// What a store has executed.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    /// By opcode; empty where nothing is counted.
    pub single: Vec<u64>,
    /// Pairs and triples, where those are counted as well.
    pub sequences: Option<HashMap<Sequence, u64>>,
    /// The newest two, and where the instruction behind the newest stands.
    before: [Option<Op>; 2],
    next: usize,
}

impl Counts {
    /// Counters for `ops` opcodes.
    pub(crate) fn new(ops: usize, sequences: bool) -> Counts {
        Counts {
            single: alloc::vec![0; ops],
            sequences: sequences.then(HashMap::new),
            ..Counts::default()
        }
    }

    /// Notes an execution of the instruction `op` at `at`, which ends at `end`.
    #[inline]
    pub(crate) fn note(&mut self, op: Op, at: usize, end: usize) {
        if let Some(count) = self.single.get_mut(usize::from(op)) {
            *count += 1;
        }
        let Some(sequences) = &mut self.sequences else {
            return;
        };
        let jumped = core::mem::replace(&mut self.next, end) != at;
        let [second, first] = self.before;
        if first.is_some() {
            let mut add = |ops| *sequences.entry(Sequence { ops, jumped }).or_insert(0) += 1;
            add([first, Some(op), None]);
            if second.is_some() && !jumped {
                add([second, first, Some(op)]);
            }
        }
        // What stands before a jump can't be fused with what follows the one behind it.
        self.before = [first.filter(|_| !jumped), Some(op)];
    }
}
