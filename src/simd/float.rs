//! Lanes of floats: arithmetic as on scalars, comparisons, and rounding without branches.

use super::{V, lanewise};

macro_rules! floats {
    ($module:ident, $f:ident, $bits:ident, $mask:ident, $scalar:ident, $whole:literal:
     $add:ident $sub:ident $mul:ident $div:ident $min:ident $max:ident $pmin:ident $pmax:ident
     $eq:ident $ne:ident $lt:ident $le:ident $abs:ident $neg:ident $sqrt:ident
     $ceil:ident $floor:ident $trunc:ident $nearest:ident $madd:ident $nmadd:ident) => {
        /// Rounding and choices on one lane.
        mod $module {
            use crate::numeric::$scalar::{abs, canonical, copysign};

            /// From here on every number is whole, and an integer of this width holds all that are smaller.
            const WHOLE: $f = $whole;

            /// Rounds what isn't whole by `round`; the sign stays, and so −0 does.
            #[inline(always)]
            fn rounded(a: $f, round: impl Fn($f) -> $f) -> $f {
                match abs(a) < WHOLE {
                    true => copysign(round(a), a),
                    // NaN among them.
                    false => canonical(a),
                }
            }
            #[inline(always)]
            fn truncated(a: $f) -> $f {
                a as $mask as $f
            }
            #[inline(always)]
            pub(super) fn trunc(a: $f) -> $f {
                rounded(a, truncated)
            }
            #[inline(always)]
            pub(super) fn ceil(a: $f) -> $f {
                rounded(a, |a| {
                    let whole = truncated(a);
                    if whole < a { whole + 1.0 } else { whole }
                })
            }
            #[inline(always)]
            pub(super) fn floor(a: $f) -> $f {
                rounded(a, |a| {
                    let whole = truncated(a);
                    if whole > a { whole - 1.0 } else { whole }
                })
            }
            /// The sum with a number that leaves no room for a fraction is rounded to even.
            #[inline(always)]
            pub(super) fn nearest(a: $f) -> $f {
                rounded(a, |a| (abs(a) + WHOLE) - WHOLE)
            }
        }
        lanewise! { binary $f:
            $add |a, b| crate::numeric::$scalar::add(a, b);
            $sub |a, b| crate::numeric::$scalar::sub(a, b);
            $mul |a, b| crate::numeric::$scalar::mul(a, b);
            $div |a, b| crate::numeric::$scalar::div(a, b);
            $min |a, b| crate::numeric::$scalar::min(a, b);
            $max |a, b| crate::numeric::$scalar::max(a, b);
        }
        // One of the operands bit by bit, NaNs included.
        lanewise! { binary $bits:
            $pmin |a, b| if $f::from_bits(b) < $f::from_bits(a) { b } else { a };
            $pmax |a, b| if $f::from_bits(a) < $f::from_bits(b) { b } else { a };
        }
        lanewise! { compare $f => $mask:
            $eq |a, b| a == b;
            $ne |a, b| a != b;
            $lt |a, b| a < b;
            $le |a, b| a <= b;
        }
        lanewise! { unary $bits:
            $abs |a| a & ($bits::MAX >> 1);
            $neg |a| a ^ !($bits::MAX >> 1);
        }
        lanewise! { unary $f:
            $sqrt |a| crate::numeric::$scalar::sqrt(a);
            $ceil |a| $module::ceil(a);
            $floor |a| $module::floor(a);
            $trunc |a| $module::trunc(a);
            $nearest |a| $module::nearest(a);
        }
        /// Rounded twice: what the deterministic profile says.
        #[inline(always)]
        pub(crate) fn $madd(x: V, y: V, z: V) -> V {
            $add($mul(x, y), z)
        }
        #[inline(always)]
        pub(crate) fn $nmadd(x: V, y: V, z: V) -> V {
            $madd($neg(x), y, z)
        }
    };
}
floats! { on_f32, f32, u32, i32, f32s, 8_388_608.0:
F32x4Add F32x4Sub F32x4Mul F32x4Div F32x4Min F32x4Max F32x4PMin F32x4PMax
F32x4Eq F32x4Ne F32x4Lt F32x4Le F32x4Abs F32x4Neg F32x4Sqrt
F32x4Ceil F32x4Floor F32x4Trunc F32x4Nearest F32x4RelaxedMadd F32x4RelaxedNmadd }
floats! { on_f64, f64, u64, i64, f64s, 4_503_599_627_370_496.0:
F64x2Add F64x2Sub F64x2Mul F64x2Div F64x2Min F64x2Max F64x2PMin F64x2PMax
F64x2Eq F64x2Ne F64x2Lt F64x2Le F64x2Abs F64x2Neg F64x2Sqrt
F64x2Ceil F64x2Floor F64x2Trunc F64x2Nearest F64x2RelaxedMadd F64x2RelaxedNmadd }
