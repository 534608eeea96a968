//! The instructions on vectors: a table of their own, in the upper part of the opcodes' space.
//!
//! A vector `V[n]` lies in slots n and n + 1, the lower half first. There are no accumulator forms, so every
//! row is one opcode and belongs to tier `base`; the groups say where operands come from. Opcodes begin at
//! [`FIRST`], so that neither the main table nor the dispatch of its instructions grows with them: the
//! table of handlers has that room anyway, and the loop dispatcher leaves its match for them.
//!
//! The number behind a mnemonic is how many bytes of memory the instruction touches.

use super::operands::vectors;
use super::{Info, Op, Tier};

/// Calls `$apply!` with all instructions on vectors, by groups.
macro_rules! for_each_simd {
    ($apply:ident) => {
        $apply! {
            // V[a] := op V[b].
            unary {
                V128Not "v128.not" 0;
                I8x16Abs "i8x16.abs" 0;
                I8x16Neg "i8x16.neg" 0;
                I8x16Popcnt "i8x16.popcnt" 0;
                I16x8ExtAddPairwiseI8x16S "i16x8.extadd_pairwise_i8x16_s" 0;
                I16x8ExtAddPairwiseI8x16U "i16x8.extadd_pairwise_i8x16_u" 0;
                I16x8Abs "i16x8.abs" 0;
                I16x8Neg "i16x8.neg" 0;
                I16x8ExtendLowI8x16S "i16x8.extend_low_i8x16_s" 0;
                I16x8ExtendHighI8x16S "i16x8.extend_high_i8x16_s" 0;
                I16x8ExtendLowI8x16U "i16x8.extend_low_i8x16_u" 0;
                I16x8ExtendHighI8x16U "i16x8.extend_high_i8x16_u" 0;
                I32x4ExtAddPairwiseI16x8S "i32x4.extadd_pairwise_i16x8_s" 0;
                I32x4ExtAddPairwiseI16x8U "i32x4.extadd_pairwise_i16x8_u" 0;
                I32x4Abs "i32x4.abs" 0;
                I32x4Neg "i32x4.neg" 0;
                I32x4ExtendLowI16x8S "i32x4.extend_low_i16x8_s" 0;
                I32x4ExtendHighI16x8S "i32x4.extend_high_i16x8_s" 0;
                I32x4ExtendLowI16x8U "i32x4.extend_low_i16x8_u" 0;
                I32x4ExtendHighI16x8U "i32x4.extend_high_i16x8_u" 0;
                I64x2Abs "i64x2.abs" 0;
                I64x2Neg "i64x2.neg" 0;
                I64x2ExtendLowI32x4S "i64x2.extend_low_i32x4_s" 0;
                I64x2ExtendHighI32x4S "i64x2.extend_high_i32x4_s" 0;
                I64x2ExtendLowI32x4U "i64x2.extend_low_i32x4_u" 0;
                I64x2ExtendHighI32x4U "i64x2.extend_high_i32x4_u" 0;
                F32x4Ceil "f32x4.ceil" 0;
                F32x4Floor "f32x4.floor" 0;
                F32x4Trunc "f32x4.trunc" 0;
                F32x4Nearest "f32x4.nearest" 0;
                F32x4Abs "f32x4.abs" 0;
                F32x4Neg "f32x4.neg" 0;
                F32x4Sqrt "f32x4.sqrt" 0;
                F64x2Ceil "f64x2.ceil" 0;
                F64x2Floor "f64x2.floor" 0;
                F64x2Trunc "f64x2.trunc" 0;
                F64x2Nearest "f64x2.nearest" 0;
                F64x2Abs "f64x2.abs" 0;
                F64x2Neg "f64x2.neg" 0;
                F64x2Sqrt "f64x2.sqrt" 0;
                I32x4TruncSatF32x4S "i32x4.trunc_sat_f32x4_s" 0;
                I32x4TruncSatF32x4U "i32x4.trunc_sat_f32x4_u" 0;
                F32x4ConvertI32x4S "f32x4.convert_i32x4_s" 0;
                F32x4ConvertI32x4U "f32x4.convert_i32x4_u" 0;
                I32x4TruncSatF64x2SZero "i32x4.trunc_sat_f64x2_s_zero" 0;
                I32x4TruncSatF64x2UZero "i32x4.trunc_sat_f64x2_u_zero" 0;
                F64x2ConvertLowI32x4S "f64x2.convert_low_i32x4_s" 0;
                F64x2ConvertLowI32x4U "f64x2.convert_low_i32x4_u" 0;
                F32x4DemoteF64x2Zero "f32x4.demote_f64x2_zero" 0;
                F64x2PromoteLowF32x4 "f64x2.promote_low_f32x4" 0;
            }
            // V[a] := V[b] op V[c].
            binary {
                I8x16Swizzle "i8x16.swizzle" 0;
                I8x16Eq "i8x16.eq" 0;
                I8x16Ne "i8x16.ne" 0;
                I8x16LtS "i8x16.lt_s" 0;
                I8x16LtU "i8x16.lt_u" 0;
                I8x16GeS "i8x16.ge_s" 0;
                I8x16GeU "i8x16.ge_u" 0;
                I16x8Eq "i16x8.eq" 0;
                I16x8Ne "i16x8.ne" 0;
                I16x8LtS "i16x8.lt_s" 0;
                I16x8LtU "i16x8.lt_u" 0;
                I16x8GeS "i16x8.ge_s" 0;
                I16x8GeU "i16x8.ge_u" 0;
                I32x4Eq "i32x4.eq" 0;
                I32x4Ne "i32x4.ne" 0;
                I32x4LtS "i32x4.lt_s" 0;
                I32x4LtU "i32x4.lt_u" 0;
                I32x4GeS "i32x4.ge_s" 0;
                I32x4GeU "i32x4.ge_u" 0;
                I64x2Eq "i64x2.eq" 0;
                I64x2Ne "i64x2.ne" 0;
                I64x2LtS "i64x2.lt_s" 0;
                I64x2GeS "i64x2.ge_s" 0;
                F32x4Eq "f32x4.eq" 0;
                F32x4Ne "f32x4.ne" 0;
                F32x4Lt "f32x4.lt" 0;
                F32x4Le "f32x4.le" 0;
                F64x2Eq "f64x2.eq" 0;
                F64x2Ne "f64x2.ne" 0;
                F64x2Lt "f64x2.lt" 0;
                F64x2Le "f64x2.le" 0;
                V128And "v128.and" 0;
                V128AndNot "v128.andnot" 0;
                V128Or "v128.or" 0;
                V128Xor "v128.xor" 0;
                I8x16NarrowI16x8S "i8x16.narrow_i16x8_s" 0;
                I8x16NarrowI16x8U "i8x16.narrow_i16x8_u" 0;
                I8x16Add "i8x16.add" 0;
                I8x16AddSatS "i8x16.add_sat_s" 0;
                I8x16AddSatU "i8x16.add_sat_u" 0;
                I8x16Sub "i8x16.sub" 0;
                I8x16SubSatS "i8x16.sub_sat_s" 0;
                I8x16SubSatU "i8x16.sub_sat_u" 0;
                I8x16MinS "i8x16.min_s" 0;
                I8x16MinU "i8x16.min_u" 0;
                I8x16MaxS "i8x16.max_s" 0;
                I8x16MaxU "i8x16.max_u" 0;
                I8x16AvgrU "i8x16.avgr_u" 0;
                I16x8Q15MulrSatS "i16x8.q15mulr_sat_s" 0;
                I16x8NarrowI32x4S "i16x8.narrow_i32x4_s" 0;
                I16x8NarrowI32x4U "i16x8.narrow_i32x4_u" 0;
                I16x8Add "i16x8.add" 0;
                I16x8AddSatS "i16x8.add_sat_s" 0;
                I16x8AddSatU "i16x8.add_sat_u" 0;
                I16x8Sub "i16x8.sub" 0;
                I16x8SubSatS "i16x8.sub_sat_s" 0;
                I16x8SubSatU "i16x8.sub_sat_u" 0;
                I16x8Mul "i16x8.mul" 0;
                I16x8MinS "i16x8.min_s" 0;
                I16x8MinU "i16x8.min_u" 0;
                I16x8MaxS "i16x8.max_s" 0;
                I16x8MaxU "i16x8.max_u" 0;
                I16x8AvgrU "i16x8.avgr_u" 0;
                I16x8ExtMulLowI8x16S "i16x8.extmul_low_i8x16_s" 0;
                I16x8ExtMulHighI8x16S "i16x8.extmul_high_i8x16_s" 0;
                I16x8ExtMulLowI8x16U "i16x8.extmul_low_i8x16_u" 0;
                I16x8ExtMulHighI8x16U "i16x8.extmul_high_i8x16_u" 0;
                I32x4Add "i32x4.add" 0;
                I32x4Sub "i32x4.sub" 0;
                I32x4Mul "i32x4.mul" 0;
                I32x4MinS "i32x4.min_s" 0;
                I32x4MinU "i32x4.min_u" 0;
                I32x4MaxS "i32x4.max_s" 0;
                I32x4MaxU "i32x4.max_u" 0;
                I32x4DotI16x8S "i32x4.dot_i16x8_s" 0;
                I32x4ExtMulLowI16x8S "i32x4.extmul_low_i16x8_s" 0;
                I32x4ExtMulHighI16x8S "i32x4.extmul_high_i16x8_s" 0;
                I32x4ExtMulLowI16x8U "i32x4.extmul_low_i16x8_u" 0;
                I32x4ExtMulHighI16x8U "i32x4.extmul_high_i16x8_u" 0;
                I64x2Add "i64x2.add" 0;
                I64x2Sub "i64x2.sub" 0;
                I64x2Mul "i64x2.mul" 0;
                I64x2ExtMulLowI32x4S "i64x2.extmul_low_i32x4_s" 0;
                I64x2ExtMulHighI32x4S "i64x2.extmul_high_i32x4_s" 0;
                I64x2ExtMulLowI32x4U "i64x2.extmul_low_i32x4_u" 0;
                I64x2ExtMulHighI32x4U "i64x2.extmul_high_i32x4_u" 0;
                F32x4Add "f32x4.add" 0;
                F32x4Sub "f32x4.sub" 0;
                F32x4Mul "f32x4.mul" 0;
                F32x4Div "f32x4.div" 0;
                F32x4Min "f32x4.min" 0;
                F32x4Max "f32x4.max" 0;
                F32x4PMin "f32x4.pmin" 0;
                F32x4PMax "f32x4.pmax" 0;
                F64x2Add "f64x2.add" 0;
                F64x2Sub "f64x2.sub" 0;
                F64x2Mul "f64x2.mul" 0;
                F64x2Div "f64x2.div" 0;
                F64x2Min "f64x2.min" 0;
                F64x2Max "f64x2.max" 0;
                F64x2PMin "f64x2.pmin" 0;
                F64x2PMax "f64x2.pmax" 0;
                I16x8RelaxedDotI8x16I7x16S "i16x8.relaxed_dot_i8x16_i7x16_s" 0;
            }
            // V[a] := op(V[b], V[c], V[the extension word]).
            ternary {
                V128Bitselect "v128.bitselect" 0;
                F32x4RelaxedMadd "f32x4.relaxed_madd" 0;
                F32x4RelaxedNmadd "f32x4.relaxed_nmadd" 0;
                F64x2RelaxedMadd "f64x2.relaxed_madd" 0;
                F64x2RelaxedNmadd "f64x2.relaxed_nmadd" 0;
                I32x4RelaxedDotI8x16I7x16AddS "i32x4.relaxed_dot_i8x16_i7x16_add_s" 0;
            }
            // V[a] := V[b] shifted by S[c].
            shift {
                I8x16Shl "i8x16.shl" 0;
                I8x16ShrS "i8x16.shr_s" 0;
                I8x16ShrU "i8x16.shr_u" 0;
                I16x8Shl "i16x8.shl" 0;
                I16x8ShrS "i16x8.shr_s" 0;
                I16x8ShrU "i16x8.shr_u" 0;
                I32x4Shl "i32x4.shl" 0;
                I32x4ShrS "i32x4.shr_s" 0;
                I32x4ShrU "i32x4.shr_u" 0;
                I64x2Shl "i64x2.shl" 0;
                I64x2ShrS "i64x2.shr_s" 0;
                I64x2ShrU "i64x2.shr_u" 0;
            }
            // V[a] := every lane S[b].
            splat {
                I8x16Splat "i8x16.splat" 0;
                I16x8Splat "i16x8.splat" 0;
                I32x4Splat "i32x4.splat" 0;
                I64x2Splat "i64x2.splat" 0;
            }
            // S[a] := op V[b].
            test {
                V128AnyTrue "v128.any_true" 0;
                I8x16AllTrue "i8x16.all_true" 0;
                I8x16Bitmask "i8x16.bitmask" 0;
                I16x8AllTrue "i16x8.all_true" 0;
                I16x8Bitmask "i16x8.bitmask" 0;
                I32x4AllTrue "i32x4.all_true" 0;
                I32x4Bitmask "i32x4.bitmask" 0;
                I64x2AllTrue "i64x2.all_true" 0;
                I64x2Bitmask "i64x2.bitmask" 0;
            }
            // S[a] := lane c of V[b].
            extract {
                I8x16ExtractLaneS "i8x16.extract_lane_s" 0;
                I8x16ExtractLaneU "i8x16.extract_lane_u" 0;
                I16x8ExtractLaneS "i16x8.extract_lane_s" 0;
                I16x8ExtractLaneU "i16x8.extract_lane_u" 0;
                I32x4ExtractLane "i32x4.extract_lane" 0;
                I64x2ExtractLane "i64x2.extract_lane" 0;
            }
            // V[a] := V[b] with S[c] in the lane that the extension word tells.
            replace {
                I8x16ReplaceLane "i8x16.replace_lane" 0;
                I16x8ReplaceLane "i16x8.replace_lane" 0;
                I32x4ReplaceLane "i32x4.replace_lane" 0;
                I64x2ReplaceLane "i64x2.replace_lane" 0;
            }
            // V[a] := so many bytes of memory c at S[b] + the extension word, widened.
            load {
                V128Load "v128.load" 16;
                V128Load8x8S "v128.load8x8_s" 8;
                V128Load8x8U "v128.load8x8_u" 8;
                V128Load16x4S "v128.load16x4_s" 8;
                V128Load16x4U "v128.load16x4_u" 8;
                V128Load32x2S "v128.load32x2_s" 8;
                V128Load32x2U "v128.load32x2_u" 8;
                V128Load8Splat "v128.load8_splat" 1;
                V128Load16Splat "v128.load16_splat" 2;
                V128Load32Splat "v128.load32_splat" 4;
                V128Load64Splat "v128.load64_splat" 8;
                V128Load32Zero "v128.load32_zero" 4;
                V128Load64Zero "v128.load64_zero" 8;
            }
            // The same of memory 0 at S[b] + c. In the order of `load`.
            near_load {
                NearLoad "v128.load" 16;
                NearLoad8x8S "v128.load8x8_s" 8;
                NearLoad8x8U "v128.load8x8_u" 8;
                NearLoad16x4S "v128.load16x4_s" 8;
                NearLoad16x4U "v128.load16x4_u" 8;
                NearLoad32x2S "v128.load32x2_s" 8;
                NearLoad32x2U "v128.load32x2_u" 8;
                NearLoad8Splat "v128.load8_splat" 1;
                NearLoad16Splat "v128.load16_splat" 2;
                NearLoad32Splat "v128.load32_splat" 4;
                NearLoad64Splat "v128.load64_splat" 8;
                NearLoad32Zero "v128.load32_zero" 4;
                NearLoad64Zero "v128.load64_zero" 8;
            }
            // V[a] := a vector with one lane of memory c at S[b] + the first extension word; the second names lane and vector.
            load_lane {
                V128Load8Lane "v128.load8_lane" 1;
                V128Load16Lane "v128.load16_lane" 2;
                V128Load32Lane "v128.load32_lane" 4;
                V128Load64Lane "v128.load64_lane" 8;
            }
            // memory c at S[b] + the first extension word := the lane of V[a] that the second tells.
            store_lane {
                V128Store8Lane "v128.store8_lane" 1;
                V128Store16Lane "v128.store16_lane" 2;
                V128Store32Lane "v128.store32_lane" 4;
                V128Store64Lane "v128.store64_lane" 8;
            }
            // memory c at S[b] + the extension word := V[a].
            store {
                V128Store "v128.store" 16;
            }
            // memory 0 at S[b] + c := V[a].
            near_store {
                NearStore "v128.store" 16;
            }
            // V[a] := the two extension words.
            constant {
                V128Const "v128.const" 0;
            }
            // V[a] := bytes of V[b] and V[c], chosen by the bytes of the two extension words.
            shuffle {
                I8x16Shuffle "i8x16.shuffle" 0;
            }
            // V[a] := if S[cond] as i32 != 0 { V[b] } else { V[c] }
            select {
                V128Select "v128.select" 0;
            }
            // V[a] := global[bc]
            get {
                V128GlobalGet "v128.global.get" 0;
            }
            // global[bc] := V[a]
            set {
                V128GlobalSet "v128.global.set" 0;
            }
        }
    };
}
pub(crate) use for_each_simd;

macro_rules! generate {
    ($( $group:ident { $( $row:ident $mnemonic:literal $bytes:literal; )* } )*) => {
        /// What an instruction on vectors does.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u16)]
        #[allow(missing_docs)]
        pub enum Simd { $($( $row, )*)* }

        /// Opcodes.
        #[allow(non_upper_case_globals, missing_docs)]
        pub mod op {
            use super::{FIRST, Op, Simd};
            $($( pub const $row: Op = FIRST + Simd::$row as Op; )*)*
        }

        static INFO: &[Info] = &[
            $($( Info { name: $mnemonic, form: form(stringify!($group)), tier: Tier::Base, operands: vectors::$group() }, )*)*
        ];
    };
}
for_each_simd!(generate);

/// The letters of a load's or store's form, as in the main table.
const fn form(group: &str) -> &'static str {
    match group.as_bytes() {
        b"near_load" => "Ss",
        b"near_store" => "Mss",
        b"load" | b"store" => "W",
        _ => "",
    }
}

/// The first opcode of an instruction on vectors.
pub const FIRST: Op = 1632;

/// How many there are.
pub const COUNT: usize = Simd::V128GlobalSet as usize + 1;

impl Simd {
    /// Its opcode.
    pub const fn op(self) -> Op {
        FIRST + self as Op
    }
}

/// A load's opcode for addresses in memory 0 that need no more than 16 bits of offset.
pub const fn near(load: Simd) -> Op {
    Simd::NearLoad.op() + load as Op - Simd::V128Load as Op
}

/// Every instruction on vectors.
pub(super) const fn all() -> &'static [Info] {
    INFO
}

/// What is known about `op`, if it is an instruction on vectors.
pub(super) fn info(op: Op) -> Option<&'static Info> {
    INFO.get(usize::from(op.checked_sub(FIRST)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::code;
    use crate::code::operands::{Field, Operands};

    fn operands(row: Simd) -> Operands {
        INFO[row as usize].operands
    }

    #[test]
    fn vectors_have_opcodes_that_nothing_else_has() {
        const { assert!(code::COUNT <= FIRST as usize) };
        // Handlers are found by eleven bits, the last of which is the guard's.
        const { assert!(FIRST as usize + COUNT < 2047) };
        assert_eq!(INFO.len(), COUNT);
        let op = Simd::I16x8AddSatS.op();
        assert_eq!(
            code::info(op).map(|info| info.name),
            Some("i16x8.add_sat_s")
        );
        assert!(code::info(FIRST + COUNT as Op).is_none());
        assert!(code::info(FIRST - 1).is_none());
    }

    #[test]
    fn each_load_has_the_same_one_for_what_is_near() {
        let loads = Simd::V128Load as Op..=Simd::V128Load64Zero as Op;
        assert_eq!(near(Simd::V128Load64Zero), Simd::NearLoad64Zero.op());
        for load in loads {
            let near = load - Simd::V128Load as Op + Simd::NearLoad as Op;
            let [load, near] = [load, near].map(|op| code::info(FIRST + op).expect("a load"));
            assert_eq!(load.name, near.name);
            assert_eq!((load.form, near.form), ("W", "Ss"));
        }
    }

    #[test]
    fn a_vector_is_two_slots() {
        let add = operands(Simd::I8x16Add);
        assert_eq!(
            (add.a, add.b, add.c),
            (Field::Def2, Field::Use2, Field::Use2)
        );
        let extract = operands(Simd::I8x16ExtractLaneS);
        assert_eq!((extract.a, extract.b), (Field::Def, Field::Use2));
    }
}
