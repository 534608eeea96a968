//! What the specification's scripts leave open: the choices of the relaxed instructions, rounding next to
//! where every number is whole, and NaNs.

use super::*;

fn f32s(lanes: [f32; 4]) -> V {
    f32::join(lanes)
}

#[test]
fn relaxed_instructions_choose_as_the_deterministic_profile_does() {
    // Rounded twice: the product of these is 1 + 2⁻¹¹ + 2⁻²⁴, whose last bit a fused sum would keep.
    let x = f32s([1.0 + f32::EPSILON * 2048.0; 4]);
    let product = f32::split(F32x4Mul(x, x))[0];
    let sum = f32::split(F32x4RelaxedMadd(x, x, f32s([-1.0; 4])))[0];
    assert_eq!(sum, product - 1.0);
    assert_ne!(
        f64::from(sum),
        (1.0 + 1.0 / 4096.0) * (1.0 + 1.0 / 4096.0) - 1.0
    );
    let negated = f32::split(F32x4RelaxedNmadd(x, x, f32s([1.0; 4])))[0];
    assert_eq!(negated, 1.0 - product);
    // Both factors have signs, and the sum of two products saturates.
    let lowest = i8::join([i8::MIN; 16]);
    assert_eq!(
        i16::split(I16x8RelaxedDotI8x16I7x16S(lowest, lowest)),
        [i16::MAX; 8]
    );
    let dots = I32x4RelaxedDotI8x16I7x16AddS(lowest, lowest, i32::join([1; 4]));
    assert_eq!(i32::split(dots), [2 * i32::from(i16::MAX) + 1; 4]);
}

#[test]
fn rounding_agrees_with_scalars_at_every_edge() {
    use crate::numeric::{f32s as scalar, f64s as scalar64};
    let mut edges = std::vec![
        0.0f32,
        0.5,
        1.0,
        1.5,
        2.5,
        0.49999997,
        8388607.5,
        8388608.0,
        8388609.0,
        4194303.5,
        4194304.5,
        2147483648.0,
        1e30,
        f32::MIN_POSITIVE,
        f32::INFINITY,
        f32::NAN,
        f32::from_bits(1),
        f32::from_bits(0x7f80_0001)
    ];
    edges.extend(edges.clone().iter().map(|x| -x));
    for x in edges {
        for (lanes, one) in [
            (F32x4Ceil(f32s([x; 4])), scalar::ceil(x)),
            (F32x4Floor(f32s([x; 4])), scalar::floor(x)),
            (F32x4Trunc(f32s([x; 4])), scalar::trunc(x)),
            (F32x4Nearest(f32s([x; 4])), scalar::nearest(x)),
        ] {
            assert_eq!(u32::split(lanes), [one.to_bits(); 4], "{x:?}");
        }
        // The same around the number from which doubles are whole.
        for x in [
            f64::from(x),
            f64::from(x) * 536_870_912.0,
            f64::from(x) + 0.25,
        ] {
            let v = f64::join([x; 2]);
            for (lanes, one) in [
                (F64x2Ceil(v), scalar64::ceil(x)),
                (F64x2Floor(v), scalar64::floor(x)),
                (F64x2Trunc(v), scalar64::trunc(x)),
                (F64x2Nearest(v), scalar64::nearest(x)),
            ] {
                assert_eq!(u64::split(lanes), [one.to_bits(); 2], "{x:?}");
            }
        }
    }
}

#[test]
fn arithmetic_makes_canonical_nans_and_choices_keep_theirs() {
    let signalling = u32::join([0xff80_0001; 4]);
    let one = f32s([1.0; 4]);
    let canonical = [0x7fc0_0000; 4];
    for made in [
        F32x4Add(signalling, one),
        F32x4Min(one, signalling),
        F32x4Max(signalling, one),
        F32x4Sqrt(signalling),
        F32x4DemoteF64x2Zero(u64::join([u64::MAX; 2])),
    ] {
        assert_eq!(u32::split(made)[..2], canonical[..2]);
    }
    assert_eq!(F32x4PMin(signalling, one), signalling);
    assert_eq!(F32x4PMax(one, signalling), one);
    assert_eq!(u32::split(F32x4Neg(signalling)), [0x7f80_0001; 4]);
    assert_eq!(u32::split(F32x4Abs(signalling)), [0x7f80_0001; 4]);
}

#[test]
fn numbers_of_lanes_never_lead_out_of_a_vector() {
    let bytes: V = core::array::from_fn(|at| at as u8);
    for lane in 0..=255 {
        let at = u64::from(lane & 15);
        assert_eq!(I8x16ExtractLaneU(bytes, lane), at);
        assert_eq!(I8x16ReplaceLane(bytes, lane, at), bytes);
        let expected = if lane < 16 { lane } else { 0 };
        assert_eq!(I8x16Swizzle(bytes, [lane; 16]), [expected; 16]);
        assert_eq!(I8x16Shuffle(bytes, bytes, [lane; 16]), [lane & 15; 16]);
    }
}
