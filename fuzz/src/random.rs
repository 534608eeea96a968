//! The numbers that a case is made of: the same for a seed on every machine and in every version.

/// SplitMix64.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// Numbers that depend on a seed and on what they are for.
    pub fn new(seed: u64, purpose: u64) -> Random {
        let mut random = Random(seed ^ purpose.wrapping_mul(0xd6e8_feb8_6659_fd93));
        Random(random.word())
    }

    /// The next number.
    pub fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ x >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ x >> 31
    }

    /// A number below `end`, which isn't zero.
    pub fn below(&mut self, end: u64) -> u64 {
        self.word() % end
    }

    /// True once in `times`.
    pub fn one_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    /// One of these.
    pub fn pick<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize]
    }

    /// So many bytes.
    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        let words = (0..count.div_ceil(8)).flat_map(|_| self.word().to_le_bytes());
        words.take(count).collect()
    }

    /// Bits of which many values are near an edge of some type.
    pub fn edgy(&mut self) -> u64 {
        let any = self.word();
        match self.below(8) {
            0 => any % 16,
            1 => (any % 16).wrapping_neg(),
            2 => any % 65_600,
            3 => (1 << (any % 64)) - (any >> 6 & 1),
            4 => self.pick(&[0x7fff_ffff, 0x8000_0000, 1 << 63, (1 << 63) - 1]),
            5 => self.pick(&FLOATS),
            _ => any,
        }
    }
}

/// Bits of floats of both widths: ones, zeros, infinities, NaNs, limits of the conversions.
const FLOATS: [u64; 14] = [
    0x3f80_0000,
    0x8000_0000,
    0x7f80_0000,
    0xff80_0000,
    0x7fc0_0000,
    0x7fa0_0001,
    0x4f00_0000,
    0xcf00_0000,
    0x3ff0_0000_0000_0000,
    0x7ff0_0000_0000_0000,
    0x7ff8_0000_0000_0000,
    0xfff4_0000_0000_0001,
    0x41e0_0000_0000_0000,
    0xc3e0_0000_0000_0000,
];

/// A hash of bytes, eight at a time.
pub fn hash(bytes: &[u8]) -> u64 {
    let mut state = 0x9e37_79b9_7f4a_7c15 ^ bytes.len() as u64;
    let mut take = |word: u64| {
        state = (state ^ word).wrapping_mul(0xff51_afd7_ed55_8ccd);
        state ^= state >> 32;
    };
    let (words, rest) = bytes.as_chunks::<8>();
    words
        .iter()
        .for_each(|word| take(u64::from_le_bytes(*word)));
    rest.iter().for_each(|byte| take((*byte).into()));
    state
}
