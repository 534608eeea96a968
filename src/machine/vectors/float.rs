//! Floating point from the definition: exact integers, rounded once.
//!
//! A finite number is ±m·2^e with an integer m; sums, products, quotients and roots are made exactly, or
//! exactly up to a bit that says that something is left over, and rounded to nearest, ties to even. No
//! instruction of the processor's floating point and no library of it is used.

use core::cmp::Ordering;

/// A binary format of IEEE 754, by its bits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Format {
    /// Stored bits of the significand.
    pub fraction: u32,
    pub exponent: u32,
}

pub(super) const F32: Format = Format {
    fraction: 23,
    exponent: 8,
};
pub(super) const F64: Format = Format {
    fraction: 52,
    exponent: 11,
};

/// A finite number is (−1)^negative · m · 2^e.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Number {
    Nan,
    Infinite { negative: bool },
    Finite { negative: bool, m: u128, e: i32 },
}
use Number::{Finite, Infinite, Nan};

impl Format {
    fn bias(self) -> i32 {
        (1 << (self.exponent - 1)) - 1
    }
    pub fn sign(self) -> u64 {
        1 << (self.fraction + self.exponent)
    }
    fn most(self) -> u64 {
        (1 << self.exponent) - 1
    }
    /// All bits that a value has.
    pub fn mask(self) -> u64 {
        self.sign() | (self.sign() - 1)
    }
    /// The NaN of the deterministic profile.
    pub fn nan(self) -> u64 {
        self.infinity() | 1 << (self.fraction - 1)
    }
    pub fn infinity(self) -> u64 {
        self.most() << self.fraction
    }

    pub fn decode(self, bits: u64) -> Number {
        let negative = bits & self.sign() != 0;
        let fraction = bits & ((1 << self.fraction) - 1);
        let lowest = 1 - self.bias() - self.fraction as i32;
        match bits >> self.fraction & self.most() {
            0 => Finite {
                negative,
                m: fraction.into(),
                e: lowest,
            },
            most if most == self.most() => match fraction {
                0 => Infinite { negative },
                _ => Nan,
            },
            exponent => Finite {
                negative,
                m: (fraction | 1 << self.fraction).into(),
                e: lowest + exponent as i32 - 1,
            },
        }
    }

    /// The nearest value, ties to even. The lowest bit of `m` may stand for anything that is left over, if
    /// there are more bits than the format has, and two to spare.
    pub fn encode(self, number: Number) -> u64 {
        let (negative, mut m, mut e) = match number {
            Nan => return self.nan(),
            Infinite { negative } => return self.infinity() | self.signed(negative),
            Finite { negative, m, e } => (negative, m, e),
        };
        if m == 0 {
            return self.signed(negative);
        }
        // As many bits as there is room for, but no lower than the lowest that the format has.
        let bits = 128 - m.leading_zeros() as i32;
        let lowest = 1 - self.bias() - self.fraction as i32;
        let drop = (bits - (self.fraction as i32 + 1)).max(lowest - e);
        if drop > 0 {
            m = round(m, drop as u32);
            e += drop;
        } else {
            m <<= (-drop) as u32;
            e += drop;
        }
        // One more bit by rounding up only moves a zero out.
        if m >> (self.fraction + 1) != 0 {
            m >>= 1;
            e += 1;
        }
        let exponent = if m >> self.fraction == 0 {
            0
        } else {
            (e - lowest + 1) as u64
        };
        if exponent >= self.most() {
            return self.infinity() | self.signed(negative);
        }
        let fraction = m as u64 & ((1 << self.fraction) - 1);
        self.signed(negative) | exponent << self.fraction | fraction
    }

    fn signed(self, negative: bool) -> u64 {
        if negative { self.sign() } else { 0 }
    }
}

/// m · 2^−drop, to nearest, ties to even.
fn round(m: u128, drop: u32) -> u128 {
    if drop > 127 {
        return 0;
    }
    let (kept, rest, half) = (m >> drop, m & ((1 << drop) - 1), 1u128 << (drop - 1));
    match rest.cmp(&half) {
        Ordering::Less => kept,
        Ordering::Greater => kept + 1,
        Ordering::Equal => kept + (kept & 1),
    }
}

fn negated(number: Number) -> Number {
    match number {
        Nan => Nan,
        Infinite { negative } => Infinite {
            negative: !negative,
        },
        Finite { negative, m, e } => Finite {
            negative: !negative,
            m,
            e,
        },
    }
}

pub(super) fn sub(a: Number, b: Number) -> Number {
    add(a, negated(b))
}

pub(super) fn add(a: Number, b: Number) -> Number {
    let (x, y) = match (a, b) {
        (Nan, _) | (_, Nan) => return Nan,
        (Infinite { negative: x }, Infinite { negative: y }) if x != y => return Nan,
        (Infinite { .. }, _) => return a,
        (_, Infinite { .. }) => return b,
        (
            Finite { negative, m, e },
            Finite {
                negative: n,
                m: k,
                e: f,
            },
        ) => ((negative, m, e), (n, k, f)),
    };
    if x.1 == 0 && y.1 == 0 {
        // Negative zero only if both are.
        return Finite {
            negative: x.0 && y.0,
            m: 0,
            e: 0,
        };
    }
    if y.1 == 0 {
        return a;
    }
    if x.1 == 0 {
        return b;
    }
    // The one with the greater exponent is moved up by as much as there is room for; of the other only a
    // bit that something is left may remain.
    let (hi, lo) = if x.2 >= y.2 { (x, y) } else { (y, x) };
    let apart = (hi.2 - lo.2) as u32;
    let up = apart.min(70);
    let e = hi.2 - up as i32;
    let (big, down) = ((hi.1 << up) as i128, apart - up);
    let small = match down {
        0 => lo.1,
        1..=127 => lo.1 >> down | u128::from(lo.1 & ((1 << down) - 1) != 0),
        _ => 1,
    } as i128;
    let signed = |negative: bool, m: i128| if negative { -m } else { m };
    let sum = signed(hi.0, big) + signed(lo.0, small);
    Finite {
        negative: sum < 0,
        m: sum.unsigned_abs(),
        e,
    }
}

pub(super) fn mul(a: Number, b: Number) -> Number {
    let negative = is_negative(a) != is_negative(b);
    match (a, b) {
        (Nan, _) | (_, Nan) => Nan,
        (Infinite { .. }, Finite { m: 0, .. }) | (Finite { m: 0, .. }, Infinite { .. }) => Nan,
        (Infinite { .. }, _) | (_, Infinite { .. }) => Infinite { negative },
        (Finite { m, e, .. }, Finite { m: k, e: f, .. }) => Finite {
            negative,
            m: m * k,
            e: e + f,
        },
    }
}

pub(super) fn div(a: Number, b: Number) -> Number {
    let negative = is_negative(a) != is_negative(b);
    match (a, b) {
        (Nan, _) | (_, Nan) | (Infinite { .. }, Infinite { .. }) => Nan,
        (Finite { m: 0, .. }, Finite { m: 0, .. }) => Nan,
        (Infinite { .. }, _) | (_, Finite { m: 0, .. }) => Infinite { negative },
        (_, Infinite { .. }) => Finite {
            negative,
            m: 0,
            e: 0,
        },
        (Finite { m, e, .. }, Finite { m: k, e: f, .. }) => {
            // The dividend fills the word, so that the quotient has bits to spare.
            let up = m.leading_zeros().min(127);
            let (m, e) = if m == 0 {
                (0, e)
            } else {
                (m << up, e - up as i32)
            };
            // A divisor of few bits makes more bits of quotient than are needed, which is as well.
            Finite {
                negative,
                m: (m / k) | u128::from(m % k != 0),
                e: e - f,
            }
        }
    }
}

pub(super) fn sqrt(a: Number) -> Number {
    match a {
        Finite { m: 0, .. } | Nan | Infinite { negative: false } => a,
        Finite { negative: true, .. } | Infinite { .. } => Nan,
        Finite { mut m, mut e, .. } => {
            let up = (m.leading_zeros() - 2) & !1;
            m <<= up;
            e -= up as i32;
            if e & 1 != 0 {
                m <<= 1;
                e -= 1;
            }
            let root = root(m);
            Finite {
                negative: false,
                m: root | u128::from(root * root != m),
                e: e / 2,
            }
        }
    }
}

/// The greatest integer whose square is not greater, bit by bit.
fn root(m: u128) -> u128 {
    let mut root = 0u128;
    for bit in (0..64).rev() {
        let tried = root | 1 << bit;
        if tried.checked_mul(tried).is_some_and(|square| square <= m) {
            root = tried;
        }
    }
    root
}

pub(super) fn is_negative(a: Number) -> bool {
    matches!(
        a,
        Finite { negative: true, .. } | Infinite { negative: true }
    )
}

/// How two values of one format compare; none if one is no number.
pub(super) fn compare(format: Format, a: u64, b: u64) -> Option<Ordering> {
    if format.decode(a) == Nan || format.decode(b) == Nan {
        return None;
    }
    // Bits of the same sign are in the order of the values; both zeros are the same.
    let ordered = |bits: u64| {
        let size = (bits & (format.sign() - 1)) as i64;
        if bits & format.sign() != 0 {
            -size
        } else {
            size
        }
    };
    Some(ordered(a).cmp(&ordered(b)))
}

/// How a number is made integral.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rounding {
    Ceil,
    Floor,
    Trunc,
    Nearest,
}

pub(super) fn integral(a: Number, rounding: Rounding) -> Number {
    let Finite { negative, m, e } = a else {
        return a;
    };
    if e >= 0 {
        return a;
    }
    let down = (-e) as u32;
    // Below a half whatever it is, if it is that far down.
    let (whole, rest, half) = match down {
        0..=126 => (m >> down, m & ((1 << down) - 1), 1u128 << (down - 1)),
        _ => (0, u128::from(m != 0), 2),
    };
    let up = match rounding {
        Rounding::Trunc => false,
        Rounding::Ceil => !negative && rest != 0,
        Rounding::Floor => negative && rest != 0,
        Rounding::Nearest => rest > half || rest == half && whole & 1 != 0,
    };
    Finite {
        negative,
        m: whole + u128::from(up),
        e: 0,
    }
}

/// The integer towards zero, if it has less than 127 bits; the greatest of its sign otherwise.
pub(super) fn towards_zero(a: Number) -> Option<i128> {
    let (negative, size) = match a {
        Nan => return None,
        Infinite { negative } => (negative, i128::MAX),
        Finite { negative, m, e } => {
            let size = match e {
                i32::MIN..=-127 => 0,
                -126..=-1 => m >> -e,
                0..=60 => m << e,
                _ if m == 0 => 0,
                _ => i128::MAX as u128,
            };
            (negative, size.min(i128::MAX as u128) as i128)
        }
    };
    Some(if negative { -size } else { size })
}

pub(super) fn integer(value: i128) -> Number {
    Finite {
        negative: value < 0,
        m: value.unsigned_abs(),
        e: 0,
    }
}
