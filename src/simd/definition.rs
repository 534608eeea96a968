//! Instructions on lanes of integers against their definitions: over numbers without bounds, found by the
//! instruction's mnemonic, which shares nothing with the functions that are tested.

use super::V;
use crate::code::simd::for_each_simd;
use std::format;
use std::vec::Vec;

macro_rules! lists {
    (
        unary { $($unary:ident $um:literal $un:literal;)* }
        binary { $($binary:ident $bm:literal $bn:literal;)* }
        ternary { $($ternary:ident $tm:literal $tn:literal;)* }
        shift { $($shift:ident $sm:literal $sn:literal;)* }
        splat { $($splat:ident $pm:literal $pn:literal;)* }
        test { $($test:ident $em:literal $en:literal;)* }
        $($rest:tt)*
    ) => {
        const UNARY: &[(&str, fn(V) -> V)] = &[$(($um, super::$unary)),*];
        const BINARY: &[(&str, fn(V, V) -> V)] = &[$(($bm, super::$binary)),*];
        const SHIFT: &[(&str, fn(V, u32) -> V)] = &[$(($sm, super::$shift)),*];
        const TEST: &[(&str, fn(V) -> u32)] = &[$(($em, super::$test)),*];
    };
}
for_each_simd!(lists);

/// The lanes of so many bits, with signs or without.
fn lanes(v: V, bits: u32, signed: bool) -> Vec<i128> {
    let all = u128::from_le_bytes(v);
    let lane = |at: u32| {
        let lane = (all >> (at * bits)) as i128 & ((1 << bits) - 1);
        let negative = signed && lane >> (bits - 1) != 0;
        if negative { lane - (1 << bits) } else { lane }
    };
    (0..128 / bits).map(lane).collect()
}

/// The vector of the numbers' low bits.
fn vector(lanes: &[i128], bits: u32) -> V {
    let mask = (1 << bits) - 1;
    let places = lanes.iter().zip(0u32..);
    let all = places.fold(0, |all, (lane, at)| all | (lane & mask) << (at * bits));
    (all as u128).to_le_bytes()
}

/// Bits of the lanes that a mnemonic begins with, if they are integers; the rest of it.
fn shape(name: &str) -> Option<(u32, &str)> {
    let (shape, rest) = name.strip_prefix('i')?.split_once('.')?;
    Some((shape.split_once('x')?.0.parse().ok()?, rest))
}

/// What is between `prefix` and the shape of the operands in a name like `extend_low_i8x16_s`: their bits,
/// and whether they have signs.
fn widening(rest: &str, prefix: &str) -> Option<(u32, bool)> {
    let (shape, sign) = rest
        .strip_prefix(prefix)?
        .strip_prefix("_i")?
        .split_once('_')?;
    Some((shape.split_once('x')?.0.parse().ok()?, sign == "s"))
}

/// The range of so many bits.
fn bounds(bits: u32, signed: bool) -> (i128, i128) {
    match signed {
        true => (-(1 << (bits - 1)), (1 << (bits - 1)) - 1),
        false => (0, (1 << bits) - 1),
    }
}

fn half(lanes: &[i128], high: bool) -> &[i128] {
    let (low, above) = lanes.split_at(lanes.len() / 2);
    if high { above } else { low }
}

fn binary(name: &str, x: V, y: V) -> Option<V> {
    let (bits, rest) = shape(name)?;
    for (prefix, high) in [("extmul_low", false), ("extmul_high", true)] {
        if let Some((from, signed)) = widening(rest, prefix) {
            let [x, y] = [x, y].map(|v| lanes(v, from, signed));
            let pairs = half(&x, high).iter().zip(half(&y, high));
            return Some(vector(&pairs.map(|(a, b)| a * b).collect::<Vec<_>>(), bits));
        }
    }
    if let Some((from, signed)) = widening(rest, "narrow") {
        let (low, high) = bounds(bits, signed);
        let all = [lanes(x, from, true), lanes(y, from, true)].concat();
        let all: Vec<_> = all.iter().map(|lane| *lane.clamp(&low, &high)).collect();
        return Some(vector(&all, bits));
    }
    if let Some((from, _)) = widening(rest, "dot") {
        let [x, y] = [x, y].map(|v| lanes(v, from, true));
        let products: Vec<_> = x.iter().zip(&y).map(|(a, b)| a * b).collect();
        let sums: Vec<_> = products.chunks(2).map(|pair| pair.iter().sum()).collect();
        return Some(vector(&sums, bits));
    }
    let signed = !rest.ends_with("_u");
    let (low, high) = bounds(bits, signed);
    let of_lanes: fn(i128, i128, i128, i128) -> i128 =
        match rest.trim_end_matches("_s").trim_end_matches("_u") {
            "add" => |a, b, _, _| a + b,
            "sub" => |a, b, _, _| a - b,
            "mul" => |a, b, _, _| a * b,
            "eq" => |a, b, _, _| -i128::from(a == b),
            "ne" => |a, b, _, _| -i128::from(a != b),
            "lt" => |a, b, _, _| -i128::from(a < b),
            "ge" => |a, b, _, _| -i128::from(a >= b),
            "min" => |a, b, _, _| a.min(b),
            "max" => |a, b, _, _| a.max(b),
            "add_sat" => |a, b, low, high| (a + b).clamp(low, high),
            "sub_sat" => |a, b, low, high| (a - b).clamp(low, high),
            "avgr" => |a, b, _, _| (a + b + 1).div_euclid(2),
            "q15mulr_sat" => |a, b, low, high| (a * b + 0x4000).div_euclid(0x8000).clamp(low, high),
            _ => return None,
        };
    let pairs = lanes(x, bits, signed)
        .into_iter()
        .zip(lanes(y, bits, signed));
    let made: Vec<_> = pairs.map(|(a, b)| of_lanes(a, b, low, high)).collect();
    Some(vector(&made, bits))
}

fn unary(name: &str, x: V) -> Option<V> {
    let (bits, rest) = shape(name)?;
    for (prefix, high) in [("extend_low", false), ("extend_high", true)] {
        if let Some((from, signed)) = widening(rest, prefix) {
            return Some(vector(half(&lanes(x, from, signed), high), bits));
        }
    }
    if let Some((from, signed)) = widening(rest, "extadd_pairwise") {
        let x = lanes(x, from, signed);
        let sums: Vec<_> = x.chunks(2).map(|pair| pair.iter().sum()).collect();
        return Some(vector(&sums, bits));
    }
    let of_lane: fn(i128) -> i128 = match rest {
        "abs" => |a| a.abs(),
        "neg" => |a| -a,
        "popcnt" => |a| i128::from((a & 0xff).count_ones()),
        _ => return None,
    };
    let made: Vec<_> = lanes(x, bits, true).into_iter().map(of_lane).collect();
    Some(vector(&made, bits))
}

fn shift(name: &str, x: V, count: u32) -> Option<V> {
    let (bits, rest) = shape(name)?;
    let by = 1i128 << (count % bits);
    let made = lanes(x, bits, rest != "shr_u").into_iter();
    let made: Vec<_> = match rest {
        "shl" => made.map(|a| a * by).collect(),
        _ => made.map(|a| a.div_euclid(by)).collect(),
    };
    Some(vector(&made, bits))
}

/// A hundred vectors: numbers at the edges of every width, and others.
fn operands() -> Vec<V> {
    let mut state = 7u64;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        state >> 33
    };
    let mut lane = || match next() % 6 {
        0 => 0x8000_8000_8080_8080,
        1 => 0x7fff_ffff_7fff_7f7f,
        2 => u64::MAX,
        3 => 0x8000_0000_0000_0001,
        4 => 0,
        _ => next() << 33 ^ next() << 11 ^ next(),
    };
    let vectors = (0..100).map(|_| u128::from(lane()) << 64 | u128::from(lane()));
    vectors.map(u128::to_le_bytes).collect()
}

#[test]
fn lanes_of_integers_compute_what_the_definition_says() {
    let operands = operands();
    let mut tried = 0;
    for (at, &x) in operands.iter().enumerate() {
        let y = operands[(at * 37 + 11) % operands.len()];
        let mut compare = |name: &str, made: V, expected: Option<V>| {
            if let Some(expected) = expected {
                let shown = || format!("{name} of {x:x?} and {y:x?}");
                assert_eq!(made, expected, "{}", shown());
                tried += 1;
            }
        };
        for (name, compute) in BINARY {
            compare(name, compute(x, y), binary(name, x, y));
        }
        for (name, compute) in UNARY {
            compare(name, compute(x), unary(name, x));
        }
        for (name, compute) in SHIFT {
            let count = u32::from(y[0]);
            compare(name, compute(x, count), shift(name, x, count));
        }
        for (name, compute) in TEST {
            let Some((bits, rest)) = shape(name) else {
                continue;
            };
            let lanes = lanes(x, bits, true);
            let expected = match rest {
                "all_true" => u32::from(lanes.iter().all(|lane| *lane != 0)),
                _ => (0..)
                    .zip(&lanes)
                    .map(|(at, lane)| u32::from(*lane < 0) << at)
                    .sum(),
            };
            assert_eq!(compute(x), expected, "{name} of {x:x?}");
        }
    }
    // 73 of two operands, 25 of one, 12 shifts; the others are of bits, bytes by number, and floats.
    assert_eq!(tried, (73 + 25 + 12) * operands.len());
}
