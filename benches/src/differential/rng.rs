//! Random numbers by seed (splitmix64), so that a case is its number and nothing else.

use rand_xoshiro::SplitMix64;
use rand_xoshiro::rand_core::{Rng as _, SeedableRng};

/// A stream of random numbers.
pub struct Rng(SplitMix64);

impl Rng {
    /// The stream of a seed.
    pub fn new(seed: u64) -> Rng {
        // Far from each other, since cases have numbers in a row.
        let seed = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x0123_4567_89ab_cdef;
        Rng(SplitMix64::seed_from_u64(seed))
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number below `n`, which isn't 0.
    pub fn below(&mut self, n: usize) -> usize {
        (self.bits() % n as u64) as usize
    }

    /// Whether something happens that does in so many of a hundred times.
    pub fn percent(&mut self, percent: u64) -> bool {
        self.bits() % 100 < percent
    }

    /// One of several.
    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }

    /// A number that is small, at an edge, or any.
    pub fn edgy(&mut self) -> u64 {
        match self.below(6) {
            0 | 1 => self.below(4) as u64,
            2 => u64::MAX - self.below(2) as u64,
            3 => 1 << self.below(64),
            4 => (1 << self.below(64)) - 1,
            _ => self.bits(),
        }
    }
}
