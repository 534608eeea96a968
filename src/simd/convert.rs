//! Lanes of one width into lanes of another, and between integers and floats.

use super::{Lane, V};
use crate::numeric::{f32s, f64s};

/// For each lane of the result, its place among the result's lanes as a function of the operand's lanes.
macro_rules! unary {
    ($from:ty => $to:ty: $($name:ident |$x:ident, $at:ident| $e:expr;)*) => {
        $(#[inline(always)]
        pub(crate) fn $name(x: V) -> V {
            let $x = <$from>::split(x);
            let mut z = <$to>::split([0; 16]);
            for ($at, z) in z.iter_mut().enumerate() {
                *z = $e;
            }
            <$to>::join(z)
        })*
    };
}

/// The same with two operands.
macro_rules! binary {
    ($from:ty => $to:ty: $($name:ident |$x:ident, $y:ident, $at:ident| $e:expr;)*) => {
        $(#[inline(always)]
        pub(crate) fn $name(x: V, y: V) -> V {
            let ($x, $y) = (<$from>::split(x), <$from>::split(y));
            let mut z = <$to>::split([0; 16]);
            for ($at, z) in z.iter_mut().enumerate() {
                *z = $e;
            }
            <$to>::join(z)
        })*
    };
}

/// Lanes twice as wide: of either half, of products of either half, sums of neighbours.
macro_rules! widen {
    ($from:ty => $to:ty, $half:literal: $low:ident $high:ident $mul_low:ident $mul_high:ident $($pairs:ident)?) => {
        unary! { $from => $to:
            $low |x, at| <$to>::from(x[at]);
            $high |x, at| <$to>::from(x[at + $half]);
            $($pairs |x, at| <$to>::from(x[2 * at]) + <$to>::from(x[2 * at + 1]);)?
        }
        binary! { $from => $to:
            $mul_low |x, y, at| <$to>::from(x[at]) * <$to>::from(y[at]);
            $mul_high |x, y, at| <$to>::from(x[at + $half]) * <$to>::from(y[at + $half]);
        }
    };
}
widen! { i8 => i16, 8: I16x8ExtendLowI8x16S I16x8ExtendHighI8x16S
I16x8ExtMulLowI8x16S I16x8ExtMulHighI8x16S I16x8ExtAddPairwiseI8x16S }
widen! { u8 => u16, 8: I16x8ExtendLowI8x16U I16x8ExtendHighI8x16U
I16x8ExtMulLowI8x16U I16x8ExtMulHighI8x16U I16x8ExtAddPairwiseI8x16U }
widen! { i16 => i32, 4: I32x4ExtendLowI16x8S I32x4ExtendHighI16x8S
I32x4ExtMulLowI16x8S I32x4ExtMulHighI16x8S I32x4ExtAddPairwiseI16x8S }
widen! { u16 => u32, 4: I32x4ExtendLowI16x8U I32x4ExtendHighI16x8U
I32x4ExtMulLowI16x8U I32x4ExtMulHighI16x8U I32x4ExtAddPairwiseI16x8U }
widen! { i32 => i64, 2: I64x2ExtendLowI32x4S I64x2ExtendHighI32x4S
I64x2ExtMulLowI32x4S I64x2ExtMulHighI32x4S }
widen! { u32 => u64, 2: I64x2ExtendLowI32x4U I64x2ExtendHighI32x4U
I64x2ExtMulLowI32x4U I64x2ExtMulHighI32x4U }

/// Lanes half as wide, saturated; the first operand's are the lower ones. The operands' lanes have signs.
macro_rules! narrow {
    ($from:ty => $to:ty, $half:literal: $name:ident) => {
        #[inline(always)]
        pub(crate) fn $name(x: V, y: V) -> V {
            let (x, y) = (<$from>::split(x), <$from>::split(y));
            let fit = |lane: $from| lane.clamp(<$to>::MIN.into(), <$to>::MAX.into()) as $to;
            let mut z = <$to>::split([0; 16]);
            let (low, high) = z.split_at_mut($half);
            for (z, x) in low.iter_mut().zip(x) {
                *z = fit(x);
            }
            for (z, y) in high.iter_mut().zip(y) {
                *z = fit(y);
            }
            <$to>::join(z)
        }
    };
}
narrow! { i16 => i8, 8: I8x16NarrowI16x8S }
narrow! { i16 => u8, 8: I8x16NarrowI16x8U }
narrow! { i32 => i16, 4: I16x8NarrowI32x4S }
narrow! { i32 => u16, 4: I16x8NarrowI32x4U }

// A cast saturates, and makes zero of NaN.
unary! { f32 => i32: I32x4TruncSatF32x4S |x, at| x[at] as i32; }
unary! { f32 => u32: I32x4TruncSatF32x4U |x, at| x[at] as u32; }
unary! { i32 => f32: F32x4ConvertI32x4S |x, at| x[at] as f32; }
unary! { u32 => f32: F32x4ConvertI32x4U |x, at| x[at] as f32; }
unary! { i32 => f64: F64x2ConvertLowI32x4S |x, at| x[at].into(); }
unary! { u32 => f64: F64x2ConvertLowI32x4U |x, at| x[at].into(); }
unary! { f32 => f64: F64x2PromoteLowF32x4 |x, at| f64s::canonical(x[at].into()); }

/// Two lanes, and zeros above them.
macro_rules! zero {
    ($($name:ident $to:ty, |$x:ident| $e:expr;)*) => {
        $(#[inline(always)]
        pub(crate) fn $name(x: V) -> V {
            let [low, high] = f64::split(x).map(|$x| $e);
            <$to>::join([low, high, Default::default(), Default::default()])
        })*
    };
}
zero! {
    I32x4TruncSatF64x2SZero i32, |x| x as i32;
    I32x4TruncSatF64x2UZero u32, |x| x as u32;
    F32x4DemoteF64x2Zero f32, |x| f32s::canonical(x as f32);
}
