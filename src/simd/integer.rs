//! Lanes of integers: arithmetic that wraps or saturates, comparisons, shifts, tests and bits.

use super::{Lane, V, lanewise};

#[inline(always)]
pub(crate) fn V128Not(x: V) -> V {
    x.map(|byte| !byte)
}
#[inline(always)]
pub(crate) fn V128AnyTrue(x: V) -> u32 {
    u32::from(u128::from_le_bytes(x) != 0)
}
/// Bits of the first where the mask has ones, of the second where it has zeros.
#[inline(always)]
pub(crate) fn V128Bitselect(x: V, y: V, mask: V) -> V {
    V128Xor(y, V128And(V128Xor(x, y), mask))
}

lanewise! { binary u64:
    V128And |a, b| a & b;
    V128AndNot |a, b| a & !b;
    V128Or |a, b| a | b;
    V128Xor |a, b| a ^ b;
}

/// The instructions that every width of lanes has.
macro_rules! integers {
    ($i:ty, $u:ty: $add:ident $sub:ident $neg:ident $abs:ident $eq:ident $ne:ident $lt_s:ident $ge_s:ident
     $shl:ident $shr_s:ident $shr_u:ident $all_true:ident $bitmask:ident) => {
        lanewise! { binary $i:
            $add |a, b| a.wrapping_add(b);
            $sub |a, b| a.wrapping_sub(b);
        }
        lanewise! { unary $i:
            $neg |a| a.wrapping_neg();
            $abs |a| a.wrapping_abs();
        }
        lanewise! { compare $i => $i:
            $eq |a, b| a == b;
            $ne |a, b| a != b;
            $lt_s |a, b| a < b;
            $ge_s |a, b| a >= b;
        }
        lanewise! { shift $i: $shl wrapping_shl; $shr_s wrapping_shr; }
        lanewise! { shift $u: $shr_u wrapping_shr; }
        lanewise! { test $i: $all_true $bitmask }
    };
}
integers! { i8, u8: I8x16Add I8x16Sub I8x16Neg I8x16Abs I8x16Eq I8x16Ne I8x16LtS I8x16GeS
I8x16Shl I8x16ShrS I8x16ShrU I8x16AllTrue I8x16Bitmask }
integers! { i16, u16: I16x8Add I16x8Sub I16x8Neg I16x8Abs I16x8Eq I16x8Ne I16x8LtS I16x8GeS
I16x8Shl I16x8ShrS I16x8ShrU I16x8AllTrue I16x8Bitmask }
integers! { i32, u32: I32x4Add I32x4Sub I32x4Neg I32x4Abs I32x4Eq I32x4Ne I32x4LtS I32x4GeS
I32x4Shl I32x4ShrS I32x4ShrU I32x4AllTrue I32x4Bitmask }
integers! { i64, u64: I64x2Add I64x2Sub I64x2Neg I64x2Abs I64x2Eq I64x2Ne I64x2LtS I64x2GeS
I64x2Shl I64x2ShrS I64x2ShrU I64x2AllTrue I64x2Bitmask }

/// Those that lanes of 64 bits don't have.
macro_rules! narrow_integers {
    ($i:ty, $u:ty: $lt_u:ident $ge_u:ident $min_s:ident $max_s:ident $min_u:ident $max_u:ident) => {
        lanewise! { compare $u => $i:
            $lt_u |a, b| a < b;
            $ge_u |a, b| a >= b;
        }
        lanewise! { binary $i:
            $min_s |a, b| a.min(b);
            $max_s |a, b| a.max(b);
        }
        lanewise! { binary $u:
            $min_u |a, b| a.min(b);
            $max_u |a, b| a.max(b);
        }
    };
}
narrow_integers! { i8, u8: I8x16LtU I8x16GeU I8x16MinS I8x16MaxS I8x16MinU I8x16MaxU }
narrow_integers! { i16, u16: I16x8LtU I16x8GeU I16x8MinS I16x8MaxS I16x8MinU I16x8MaxU }
narrow_integers! { i32, u32: I32x4LtU I32x4GeU I32x4MinS I32x4MaxS I32x4MinU I32x4MaxU }

/// Saturating arithmetic, and the mean, rounded up, computed in a wider type.
macro_rules! saturating {
    ($i:ty, $u:ty, $wide:ty: $add_s:ident $sub_s:ident $add_u:ident $sub_u:ident $avgr_u:ident) => {
        lanewise! { binary $i:
            $add_s |a, b| a.saturating_add(b);
            $sub_s |a, b| a.saturating_sub(b);
        }
        lanewise! { binary $u:
            $add_u |a, b| a.saturating_add(b);
            $sub_u |a, b| a.saturating_sub(b);
            $avgr_u |a, b| ((<$wide>::from(a) + <$wide>::from(b) + 1) >> 1) as $u;
        }
    };
}
saturating! { i8, u8, u16: I8x16AddSatS I8x16SubSatS I8x16AddSatU I8x16SubSatU I8x16AvgrU }
saturating! { i16, u16, u32: I16x8AddSatS I16x8SubSatS I16x8AddSatU I16x8SubSatU I16x8AvgrU }

lanewise! { unary u8:
    I8x16Popcnt |a| a.count_ones() as u8;
}
lanewise! { binary i16:
    I16x8Mul |a, b| a.wrapping_mul(b);
    // The rounded product of fractions of 15 bits; only −1 times −1 is too large.
    I16x8Q15MulrSatS |a, b| ((i32::from(a) * i32::from(b) + 0x4000) >> 15).min(0x7fff) as i16;
}
lanewise! { binary i32:
    I32x4Mul |a, b| a.wrapping_mul(b);
}
lanewise! { binary i64:
    I64x2Mul |a, b| a.wrapping_mul(b);
}

/// Sums of neighbouring products.
#[inline(always)]
pub(crate) fn I32x4DotI16x8S(x: V, y: V) -> V {
    let (x, y) = (i16::split(x), i16::split(y));
    let mut z = [0; 4];
    for (at, z) in z.iter_mut().enumerate() {
        let product = |at: usize| i32::from(x[at]) * i32::from(y[at]);
        *z = product(2 * at).wrapping_add(product(2 * at + 1));
    }
    i32::join(z)
}

/// Saturated sums of neighbouring products, both factors with their signs.
#[inline(always)]
pub(crate) fn I16x8RelaxedDotI8x16I7x16S(x: V, y: V) -> V {
    let (x, y) = (i8::split(x), i8::split(y));
    let mut z = [0; 8];
    for (at, z) in z.iter_mut().enumerate() {
        let product = |at: usize| i16::from(x[at]) * i16::from(y[at]);
        *z = product(2 * at).saturating_add(product(2 * at + 1));
    }
    i16::join(z)
}
/// Sums of two neighbours of those, added to the third operand.
#[inline(always)]
pub(crate) fn I32x4RelaxedDotI8x16I7x16AddS(x: V, y: V, to: V) -> V {
    let dots = I16x8RelaxedDotI8x16I7x16S(x, y);
    I32x4Add(super::I32x4ExtAddPairwiseI16x8S(dots), to)
}
