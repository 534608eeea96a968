//! WebAssembly's numeric semantics as pure functions.
//!
//! Results never depend on the target: NaNs that arithmetic makes are canonical, rounding and
//! square roots come from `libm`, and truncations are checked here rather than by the processor.

use crate::error::Trap;

macro_rules! float {
    ($module:ident, $f:ty, $bits:ty, $canonical:literal, $sqrt:ident, $ceil:ident, $floor:ident, $trunc:ident, $rint:ident) => {
        /// Operators of this float type.
        pub mod $module {
            /// A NaN becomes the canonical one; anything else stays. A branch, because a choice without one
            /// would make every result wait for it.
            #[inline(always)]
            pub fn canonical(x: $f) -> $f {
                if x.is_nan() {
                    core::hint::cold_path();
                    <$f>::from_bits($canonical)
                } else {
                    x
                }
            }
            #[inline(always)]
            pub fn add(a: $f, b: $f) -> $f {
                canonical(a + b)
            }
            #[inline(always)]
            pub fn sub(a: $f, b: $f) -> $f {
                canonical(a - b)
            }
            #[inline(always)]
            pub fn mul(a: $f, b: $f) -> $f {
                canonical(a * b)
            }
            #[inline(always)]
            pub fn div(a: $f, b: $f) -> $f {
                canonical(a / b)
            }
            /// The smaller one; −0 is smaller than +0, NaN wins.
            #[inline(always)]
            pub fn min(a: $f, b: $f) -> $f {
                if a < b {
                    a
                } else if b < a {
                    b
                } else if a == b {
                    <$f>::from_bits(a.to_bits() | b.to_bits())
                } else {
                    canonical(<$f>::NAN)
                }
            }
            /// The larger one; +0 is larger than −0, NaN wins.
            #[inline(always)]
            pub fn max(a: $f, b: $f) -> $f {
                if a > b {
                    a
                } else if b > a {
                    b
                } else if a == b {
                    <$f>::from_bits(a.to_bits() & b.to_bits())
                } else {
                    canonical(<$f>::NAN)
                }
            }
            const SIGN: $bits = 1 << (<$bits>::BITS - 1);
            #[inline(always)]
            pub fn copysign(a: $f, b: $f) -> $f {
                <$f>::from_bits((a.to_bits() & !SIGN) | (b.to_bits() & SIGN))
            }
            #[inline(always)]
            pub fn abs(a: $f) -> $f {
                <$f>::from_bits(a.to_bits() & !SIGN)
            }
            #[inline(always)]
            pub fn neg(a: $f) -> $f {
                <$f>::from_bits(a.to_bits() ^ SIGN)
            }
            pub fn ceil(a: $f) -> $f {
                canonical(libm::$ceil(a))
            }
            pub fn floor(a: $f) -> $f {
                canonical(libm::$floor(a))
            }
            pub fn trunc(a: $f) -> $f {
                canonical(libm::$trunc(a))
            }
            /// To the nearest integer, ties to even.
            pub fn nearest(a: $f) -> $f {
                canonical(libm::$rint(a))
            }
            pub fn sqrt(a: $f) -> $f {
                canonical(libm::$sqrt(a))
            }
        }
    };
}
float!(
    f32s,
    f32,
    u32,
    0x7fc0_0000,
    sqrtf,
    ceilf,
    floorf,
    truncf,
    rintf
);
float!(
    f64s,
    f64,
    u64,
    0x7ff8_0000_0000_0000,
    sqrt,
    ceil,
    floor,
    trunc,
    rint
);

macro_rules! integer {
    ($module:ident, $u:ty, $i:ty) => {
        /// Operators of this integer type that can trap or wrap.
        pub mod $module {
            use super::Trap;
            #[inline(always)]
            pub fn div_s(a: $u, b: $u) -> Result<$u, Trap> {
                if b == 0 {
                    return Err(Trap::IntegerDivisionByZero);
                }
                (a as $i)
                    .checked_div(b as $i)
                    .map(|x| x as $u)
                    .ok_or(Trap::IntegerOverflow)
            }
            #[inline(always)]
            pub fn div_u(a: $u, b: $u) -> Result<$u, Trap> {
                a.checked_div(b).ok_or(Trap::IntegerDivisionByZero)
            }
            #[inline(always)]
            pub fn rem_s(a: $u, b: $u) -> Result<$u, Trap> {
                if b == 0 {
                    return Err(Trap::IntegerDivisionByZero);
                }
                Ok((a as $i).wrapping_rem(b as $i) as $u)
            }
            #[inline(always)]
            pub fn rem_u(a: $u, b: $u) -> Result<$u, Trap> {
                a.checked_rem(b).ok_or(Trap::IntegerDivisionByZero)
            }
        }
    };
}
integer!(i32s, u32, i32);
integer!(i64s, u64, i64);

/// Checked truncations; the bounds are the nearest values outside the target's range.
macro_rules! truncate {
    ($name:ident, $f:ty, $target:ty, $as:ty, $low:expr, $high:expr) => {
        #[allow(missing_docs)]
        #[inline(always)]
        pub fn $name(x: $f) -> Result<$as, Trap> {
            if x.is_nan() {
                Err(Trap::BadConversionToInteger)
            } else if x > $low && x < $high {
                Ok(x as $target as $as)
            } else {
                Err(Trap::IntegerOverflow)
            }
        }
    };
}
truncate!(
    i32_trunc_f32_s,
    f32,
    i32,
    u32,
    -2147483904.0f32,
    2147483648.0f32
);
truncate!(i32_trunc_f32_u, f32, u32, u32, -1.0f32, 4294967296.0f32);
truncate!(
    i32_trunc_f64_s,
    f64,
    i32,
    u32,
    -2147483649.0f64,
    2147483648.0f64
);
truncate!(i32_trunc_f64_u, f64, u32, u32, -1.0f64, 4294967296.0f64);
truncate!(
    i64_trunc_f32_s,
    f32,
    i64,
    u64,
    -9223373136366403584.0f32,
    9223372036854775808.0f32
);
truncate!(
    i64_trunc_f32_u,
    f32,
    u64,
    u64,
    -1.0f32,
    18446744073709551616.0f32
);
truncate!(
    i64_trunc_f64_s,
    f64,
    i64,
    u64,
    -9223372036854777856.0f64,
    9223372036854775808.0f64
);
truncate!(
    i64_trunc_f64_u,
    f64,
    u64,
    u64,
    -1.0f64,
    18446744073709551616.0f64
);
