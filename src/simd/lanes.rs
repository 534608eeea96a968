//! Single lanes, and bytes from place to place: extracting, replacing, splats, shuffles, and what loads make
//! of their bytes. A lane's number is taken modulo the number of lanes.

use super::{Lane, V};

macro_rules! lanes {
    ($ty:ty, $unsigned:ty: $splat:ident $replace:ident $($extract:ident as $as:ty, $via:ty;)*) => {
        #[inline(always)]
        pub(crate) fn $splat(bits: u64) -> V {
            let mut lanes = <$ty>::split([0; 16]);
            lanes.fill(bits as $ty);
            <$ty>::join(lanes)
        }
        #[inline(always)]
        pub(crate) fn $replace(v: V, lane: u8, bits: u64) -> V {
            const BYTES: usize = size_of::<$ty>();
            with_lane::<BYTES>(v, lane, (bits as $ty).to_le_bytes())
        }
        $(#[inline(always)]
        pub(crate) fn $extract(v: V, lane: u8) -> u64 {
            const BYTES: usize = size_of::<$ty>();
            u64::from(<$as>::from_le_bytes(lane_of::<BYTES>(v, lane)) as $via as $unsigned)
        })*
    };
}
lanes! { u8, u32: I8x16Splat I8x16ReplaceLane I8x16ExtractLaneS as i8, i32; I8x16ExtractLaneU as u8, u32; }
lanes! { u16, u32: I16x8Splat I16x8ReplaceLane I16x8ExtractLaneS as i16, i32; I16x8ExtractLaneU as u16, u32; }
lanes! { u32, u32: I32x4Splat I32x4ReplaceLane I32x4ExtractLane as u32, u32; }
lanes! { u64, u64: I64x2Splat I64x2ReplaceLane I64x2ExtractLane as u64, u64; }

/// A lane of `N` bytes.
#[inline(always)]
pub(crate) fn lane_of<const N: usize>(v: V, lane: u8) -> [u8; N] {
    v.as_chunks::<N>().0[usize::from(lane) & (16 / N - 1)]
}

/// Replaces a lane of `N` bytes.
#[inline(always)]
pub(crate) fn with_lane<const N: usize>(v: V, lane: u8, bytes: [u8; N]) -> V {
    let mut made = v;
    let at = usize::from(lane) & (16 / N - 1);
    for (number, place) in made.as_chunks_mut::<N>().0.iter_mut().enumerate() {
        if number == at {
            *place = bytes;
        }
    }
    made
}

/// Bytes of the first by the second's numbers; zero for a number that there isn't.
// Loops: a closure that may not be inlined would be given references, which handlers mustn't have.
#[inline(always)]
pub(crate) fn I8x16Swizzle(x: V, numbers: V) -> V {
    let mut v = [0; 16];
    for (byte, number) in v.iter_mut().zip(numbers) {
        let there = x[usize::from(number & 15)];
        *byte = if number < 16 { there } else { 0 };
    }
    v
}

/// Bytes of the first and, by numbers from 16 on, of the second.
#[inline(always)]
pub(crate) fn I8x16Shuffle(x: V, y: V, numbers: V) -> V {
    let mut v = [0; 16];
    for (byte, number) in v.iter_mut().zip(numbers) {
        let at = usize::from(number & 15);
        let (first, second) = (x[at], y[at]);
        *byte = if number & 16 == 0 { first } else { second };
    }
    v
}

#[inline(always)]
pub(crate) fn V128Load(bytes: [u8; 16]) -> V {
    bytes
}

/// Lanes twice as wide as those that are loaded.
macro_rules! extending {
    ($($name:ident $extend:ident;)*) => {
        $(#[inline(always)]
        pub(crate) fn $name(bytes: [u8; 8]) -> V {
            super::$extend(V128Load64Zero(bytes))
        })*
    };
}
extending! {
    V128Load8x8S I16x8ExtendLowI8x16S;
    V128Load8x8U I16x8ExtendLowI8x16U;
    V128Load16x4S I32x4ExtendLowI16x8S;
    V128Load16x4U I32x4ExtendLowI16x8U;
    V128Load32x2S I64x2ExtendLowI32x4S;
    V128Load32x2U I64x2ExtendLowI32x4U;
}

macro_rules! splats_and_zeros {
    ($($splat:ident $n:literal;)* $(; $zero:ident $m:literal;)*) => {
        $(#[inline(always)]
        pub(crate) fn $splat(bytes: [u8; $n]) -> V {
            let mut v = [0; 16];
            v.as_chunks_mut::<$n>().0.fill(bytes);
            v
        })*
        $(#[inline(always)]
        pub(crate) fn $zero(bytes: [u8; $m]) -> V {
            let mut v = [0; 16];
            v.as_chunks_mut::<$m>().0[0] = bytes;
            v
        })*
    };
}
splats_and_zeros! {
    V128Load8Splat 1;
    V128Load16Splat 2;
    V128Load32Splat 4;
    V128Load64Splat 8;
    ; V128Load32Zero 4;
    ; V128Load64Zero 8;
}
