//! WebAssembly's semantics of vectors as pure functions, one for each instruction, named as it is.
//!
//! A vector is its 16 bytes, the lowest first, whatever the target. Functions take the lanes out, compute on
//! arrays and put the lanes back; at the optimisation levels that the dispatchers are built with, the compiler
//! makes vector instructions of that where the target has them. Results never depend on the target: floats
//! follow `numeric`, whose NaNs are canonical, and the relaxed instructions do what the specification's
//! deterministic profile prescribes.
#![forbid(unsafe_code)]
#![allow(non_snake_case)]

mod convert;
mod float;
mod integer;
mod lanes;

pub(crate) use convert::*;
pub(crate) use float::*;
pub(crate) use integer::*;
pub(crate) use lanes::*;

/// A vector.
pub(crate) type V = [u8; 16];

/// Lanes of a type: how they come out of a vector and go back.
trait Lane: Copy + Default {
    type All: AsRef<[Self]> + AsMut<[Self]> + Copy;
    fn split(v: V) -> Self::All;
    fn join(lanes: Self::All) -> V;
}

macro_rules! lane {
    ($($ty:ty: $bytes:literal $count:literal;)*) => {
        $(impl Lane for $ty {
            type All = [$ty; $count];
            #[inline(always)]
            fn split(v: V) -> [$ty; $count] {
                let mut lanes = [<$ty>::default(); $count];
                for (lane, bytes) in lanes.iter_mut().zip(v.as_chunks::<$bytes>().0) {
                    *lane = <$ty>::from_le_bytes(*bytes);
                }
                lanes
            }
            #[inline(always)]
            fn join(lanes: [$ty; $count]) -> V {
                let mut v = [0; 16];
                for (bytes, lane) in v.as_chunks_mut::<$bytes>().0.iter_mut().zip(lanes) {
                    *bytes = lane.to_le_bytes();
                }
                v
            }
        })*
    };
}
lane! {
    u8: 1 16;
    i8: 1 16;
    u16: 2 8;
    i16: 2 8;
    u32: 4 4;
    i32: 4 4;
    u64: 8 2;
    i64: 8 2;
    f32: 4 4;
    f64: 8 2;
}

/// Each lane through `f`.
#[inline(always)]
fn map<A: Lane>(x: V, f: impl Fn(A) -> A) -> V {
    let mut lanes = A::split(x);
    for lane in lanes.as_mut() {
        *lane = f(*lane);
    }
    A::join(lanes)
}

/// Lane by lane of both through `f`; the result's lanes are as wide.
#[inline(always)]
fn zip<A: Lane, Z: Lane>(x: V, y: V, f: impl Fn(A, A) -> Z) -> V {
    let (x, y) = (A::split(x), A::split(y));
    let mut z = Z::split([0; 16]);
    for ((z, x), y) in z.as_mut().iter_mut().zip(x.as_ref()).zip(y.as_ref()) {
        *z = f(*x, *y);
    }
    Z::join(z)
}

/// Instructions of the form that the first word names: on lanes of a type, as a function of the lanes.
macro_rules! lanewise {
    (unary $ty:ty: $($name:ident |$a:ident| $e:expr;)*) => {
        $(#[inline(always)]
        pub(crate) fn $name(x: V) -> V {
            $crate::simd::map::<$ty>(x, |$a| $e)
        })*
    };
    (binary $ty:ty: $($name:ident |$a:ident, $b:ident| $e:expr;)*) => {
        $(#[inline(always)]
        pub(crate) fn $name(x: V, y: V) -> V {
            $crate::simd::zip::<$ty, $ty>(x, y, |$a, $b| $e)
        })*
    };
    // All bits of a lane, or none.
    (compare $ty:ty => $mask:ty: $($name:ident |$a:ident, $b:ident| $e:expr;)*) => {
        $(#[inline(always)]
        pub(crate) fn $name(x: V, y: V) -> V {
            $crate::simd::zip::<$ty, $mask>(x, y, |$a, $b| -<$mask>::from($e))
        })*
    };
    // By the low bits of the count.
    (shift $ty:ty: $($name:ident $by:ident;)*) => {
        $(#[inline(always)]
        pub(crate) fn $name(x: V, count: u32) -> V {
            $crate::simd::map::<$ty>(x, |a| a.$by(count))
        })*
    };
    (test $ty:ty: $all:ident $mask:ident) => {
        #[inline(always)]
        pub(crate) fn $all(x: V) -> u32 {
            let lanes = <$ty as $crate::simd::Lane>::split(x);
            let zeros = lanes.iter().fold(0, |zeros, lane| zeros | u32::from(*lane == 0));
            u32::from(zeros == 0)
        }
        /// The lanes' highest bits.
        #[inline(always)]
        pub(crate) fn $mask(x: V) -> u32 {
            let lanes = <$ty as $crate::simd::Lane>::split(x);
            let lanes = lanes.iter().enumerate();
            lanes.fold(0, |mask, (at, lane)| mask | u32::from(*lane < 0) << at)
        }
    };
}
pub(crate) use lanewise;

#[cfg(test)]
mod definition;
#[cfg(test)]
mod tests;
