//! Who is called where a call leaves the machine.

/// Whose function was called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Callee {
    /// The embedder's closure with this number.
    Host(u32),
    /// A trampoline of a tree.
    Native { tree: u32, index: u32 },
}

/// A [`Callee`] as a word, which is compared and passed on in a register: a trampoline's tree above its index, or
/// [`HOST`](Self::HOST) above a closure's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CalleeWord(u64);

impl CalleeWord {
    /// No tree's number.
    const HOST: u32 = u32::MAX;

    /// Whose function it is.
    #[inline]
    pub fn get(self) -> Callee {
        match ((self.0 >> 32) as u32, self.0 as u32) {
            (Self::HOST, number) => Callee::Host(number),
            (tree, index) => Callee::Native { tree, index },
        }
    }
}

impl From<Callee> for CalleeWord {
    #[inline]
    fn from(callee: Callee) -> CalleeWord {
        let (above, number) = match callee {
            Callee::Host(number) => (Self::HOST, number),
            Callee::Native { tree, index } => (tree, index),
        };
        CalleeWord(u64::from(above) << 32 | u64::from(number))
    }
}
