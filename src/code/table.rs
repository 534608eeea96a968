//! The instruction set, declared once.
//!
//! Everything that knows an instruction by name is generated from the list in this file: opcode
//! numbers, names, operand kinds (`operands.rs`), encoder, decoder, disassembler, structural
//! verifier and both dispatchers. An instruction is a *row* (what is computed) in a *form* (where
//! operands live); a row lists the forms it has, so which fusions exist is data.
//!
//! # Words
//!
//! ```text
//!  63       48 47       32 31       16 15        0
//! ┌───────────┬───────────┬───────────┬───────────┐
//! │     c     │     b     │     a     │    op     │   one little-endian word; extension words follow
//! └───────────┴───────────┴───────────┴───────────┘
//! ```
//! `S[n]` is slot n of the running frame, an untyped 64-bit cell. A 32-bit value lives in the low
//! half and the upper half is unspecified; readers truncate.
//!
//! # Naming grammar of forms
//!
//! The first letter says where the result goes, the others where the operands come from:
//!
//! | letter | as a destination | as a source |
//! |---|---|---|
//! | `s` | slot only | slot |
//! | `R`/`r` | accumulator only | accumulator: `r0` for integers, `s0` for f32, `d0` for f64 |
//! | `T` | "tee": slot `a` and accumulator | |
//! | `P`/`p` | slot `a` and the pinned register `r1` | the pinned register `r1` |
//! | `i` | | signed 16-bit immediate in the operand's field |
//! | `j` | | signed 32-bit immediate in fields `b` and `c` |
//! | `k` | | 64-bit immediate in the second word |
//! | `a` | | memory: its address in fields `b` and `c` |
//! | `d` | | memory: displaced, (address + second word's low half) mod 2³² + its high half |
//! | `x` | | memory: indexed, (address + slot `c`) mod 2³² + second word's high half |
//! | `B` | branch (second word: offset in words from the branch, and fuel that is not charged) | |
//! | `C` | branch that charges its second word's fuel when taken and may then stop | |
//! | `M` | memory: first letter the address, second the value | |
//! | `W` | wide load or store: field `c` is the memory's index, its highest bit set if addresses have 64 bits; second word the 64-bit offset | |
//! | `X` | operands as the row's own list says | |
//!
//! Fields: `bin` a := destination, b := left, c := right. `un` a := destination, b := source.
//! `mem` a := destination, b := left, c := address. `br` b := left, c := right; with `j` a := left. `step` b := right. `load` a := destination, b := address, c := offset.
//! `store` a := value, b := address, c := offset. A field that the form has no use for is zero.
//!
//! Forms before the bar belong to tier `base`; those behind it to tier `fast`. Opcodes are numbered
//! in this file's order and the same in every build.

/// Calls `$apply!` with the whole instruction set. See the module's documentation for the grammar.
macro_rules! for_each_instruction {
    ($apply:ident) => {
        $apply! {
            families {
                // S[a] := lhs op rhs. Division and remainder trap.
                bin {
                    I32Add "i32.add": Sss Ssi | Rss Rsi Rrs Rri Tss Tsi Trs Tri Rps Rpi Rpr Pps Ppi Ppr Rsk Rrk Tsk Trk Pss Psi Prs Pri;
                    I32Sub "i32.sub": Sss Ssi Sis | Rss Rsi Ris Rrs Rsr Rri Rir Tss Tsi Trs Tsr Tri Rps Rsp Rpi Rpr Rrp Pps Ppi Ppr;
                    I32Mul "i32.mul": Sss Ssi | Rss Rsi Rrs Rri Tss Tsi Trs Tri Rsk Rrk Tsk Trk;
                    I32And "i32.and": Sss Ssi | Rss Rsi Rrs Rri Tss Tsi Trs Tri Rps Rpi Rpr Pps Ppi Ppr Rsk Rrk Tsk Trk Pss Psi Prs Pri;
                    I32Or "i32.or": Sss Ssi | Rss Rsi Rrs Rri Tss Tsi Trs Tri Rps Rpi Rpr Pps Ppi Ppr Rsk Rrk Tsk Trk;
                    I32Xor "i32.xor": Sss Ssi | Rss Rsi Rrs Rri Tss Tsi Trs Tri Rps Rpi Rpr Pps Ppi Ppr Rsk Rrk Tsk Trk Pss Psi Prs Pri;
                    I32Shl "i32.shl": Sss Ssi Sis | Rss Rsi Ris Rrs Rsr Rri Rir Tss Tsi Trs Tsr Tri Rps Rpi Ppi;
                    I32ShrS "i32.shr_s": Sss Ssi | Rss Rsi Rrs Rsr Rri Tss Tsi Trs Tsr Tri Rpi Ppi;
                    I32ShrU "i32.shr_u": Sss Ssi | Rss Rsi Rrs Rsr Rri Tss Tsi Trs Tsr Tri Rps Rpi Ppi;
                    I32Rotl "i32.rotl": Sss Ssi | Rss Rsi Rrs Rri Tss Tsi Trs Tri;
                    I32Rotr "i32.rotr": Sss Ssi | Rss Rsi Rrs Rri Tss Tsi Trs Tri;
                    I32DivS "i32.div_s": Sss Ssi | Rss Rsi Rrs Rsr Rri Rsk Rrk;
                    I32DivU "i32.div_u": Sss Ssi | Rss Rsi Rrs Rsr Rri Rsk Rrk;
                    I32RemS "i32.rem_s": Sss Ssi | Rss Rsi Rrs Rsr Rri Rsk Rrk;
                    I32RemU "i32.rem_u": Sss Ssi | Rss Rsi Rrs Rsr Rri Rsk Rrk;
                    I32Eq "i32.eq": Sss Ssi | Rss Rsi Rrs Rri Rps Rpi Rsk Rrk;
                    I32Ne "i32.ne": Sss Ssi | Rss Rsi Rrs Rri Rps Rpi Rsk Rrk;
                    I32LtS "i32.lt_s": Sss Ssi | Rss Rsi Rrs Rsr Rri Rps Rsp Rpi Rsk Rrk;
                    I32LtU "i32.lt_u": Sss Ssi | Rss Rsi Rrs Rsr Rri Rps Rsp Rpi Rsk Rrk;
                    I32GeS "i32.ge_s": Sss Ssi | Rss Rsi Rrs Rsr Rri Rps Rsp Rpi Rsk Rrk;
                    I32GeU "i32.ge_u": Sss Ssi | Rss Rsi Rrs Rsr Rri Rps Rsp Rpi Rsk Rrk;
                    I64Add "i64.add": Sss Ssi | Rss Rsi Rrs Rri Tss Tsi Trs Tri Rps Rpi Rpr Pps Ppi Ppr Rsk Rrk Tsk Trk Pss Psi Prs Pri;
                    I64Sub "i64.sub": Sss Ssi Sis | Rss Rsi Ris Rrs Rsr Rri Rir Tss Tsi Trs Tsr Tri Rps Rsp Rpi Rpr Rrp Pps Ppi Ppr;
                    I64Mul "i64.mul": Sss Ssi | Rss Rsi Rrs Rri Tss Tsi Trs Tri Rsk Rrk Tsk Trk;
                    I64And "i64.and": Sss Ssi | Rss Rsi Rrs Rri Tss Tsi Trs Tri Rps Rpi Rpr Pps Ppi Ppr Rsk Rrk Tsk Trk Pss Psi Prs Pri;
                    I64Or "i64.or": Sss Ssi | Rss Rsi Rrs Rri Tss Tsi Trs Tri Rps Rpi Rpr Pps Ppi Ppr Rsk Rrk Tsk Trk;
                    I64Xor "i64.xor": Sss Ssi | Rss Rsi Rrs Rri Tss Tsi Trs Tri Rps Rpi Rpr Pps Ppi Ppr Rsk Rrk Tsk Trk Pss Psi Prs Pri;
                    I64Shl "i64.shl": Sss Ssi Sis | Rss Rsi Ris Rrs Rsr Rri Rir Tss Tsi Trs Tsr Tri Rps Rpi Ppi;
                    I64ShrS "i64.shr_s": Sss Ssi | Rss Rsi Rrs Rsr Rri Tss Tsi Trs Tsr Tri Rpi Ppi;
                    I64ShrU "i64.shr_u": Sss Ssi | Rss Rsi Rrs Rsr Rri Tss Tsi Trs Tsr Tri Rps Rpi Ppi;
                    I64Rotl "i64.rotl": Sss Ssi | Rss Rsi Rrs Rri Tss Tsi Trs Tri;
                    I64Rotr "i64.rotr": Sss Ssi | Rss Rsi Rrs Rri Tss Tsi Trs Tri;
                    I64DivS "i64.div_s": Sss Ssi | Rss Rsi Rrs Rsr Rri Rsk Rrk;
                    I64DivU "i64.div_u": Sss Ssi | Rss Rsi Rrs Rsr Rri Rsk Rrk;
                    I64RemS "i64.rem_s": Sss Ssi | Rss Rsi Rrs Rsr Rri Rsk Rrk;
                    I64RemU "i64.rem_u": Sss Ssi | Rss Rsi Rrs Rsr Rri Rsk Rrk;
                    I64Eq "i64.eq": Sss Ssi | Rss Rsi Rrs Rri Rps Rpi Rsk Rrk;
                    I64Ne "i64.ne": Sss Ssi | Rss Rsi Rrs Rri Rps Rpi Rsk Rrk;
                    I64LtS "i64.lt_s": Sss Ssi | Rss Rsi Rrs Rsr Rri Rps Rsp Rpi Rsk Rrk;
                    I64LtU "i64.lt_u": Sss Ssi | Rss Rsi Rrs Rsr Rri Rps Rsp Rpi Rsk Rrk;
                    I64GeS "i64.ge_s": Sss Ssi | Rss Rsi Rrs Rsr Rri Rps Rsp Rpi Rsk Rrk;
                    I64GeU "i64.ge_u": Sss Ssi | Rss Rsi Rrs Rsr Rri Rps Rsp Rpi Rsk Rrk;
                    F32Add "f32.add": Sss | Rss Rrs Tss Trs Rsk Rrk Tsk Trk;
                    F32Sub "f32.sub": Sss | Rss Rrs Rsr Tss Trs Tsr Rsk Rrk Tsk Trk Rks Rkr;
                    F32Mul "f32.mul": Sss | Rss Rrs Tss Trs Rsk Rrk Tsk Trk;
                    F32Div "f32.div": Sss | Rss Rrs Rsr Tss Trs Tsr Rsk Rrk Tsk Trk Rks Rkr;
                    F32Min "f32.min": Sss | Rss Rrs;
                    F32Max "f32.max": Sss | Rss Rrs;
                    F32Copysign "f32.copysign": Sss | Rss Rrs Rsr;
                    F32Eq "f32.eq": Sss | Rss Rrs;
                    F32Ne "f32.ne": Sss | Rss Rrs;
                    F32Lt "f32.lt": Sss | Rss Rrs Rsr;
                    F32Le "f32.le": Sss | Rss Rrs Rsr;
                    F32NotLt "f32.not_lt": Sss | Rss Rrs Rsr;
                    F32NotLe "f32.not_le": Sss | Rss Rrs Rsr;
                    F64Add "f64.add": Sss | Rss Rrs Tss Trs Rsk Rrk Tsk Trk;
                    F64Sub "f64.sub": Sss | Rss Rrs Rsr Tss Trs Tsr Rsk Rrk Tsk Trk Rks Rkr;
                    F64Mul "f64.mul": Sss | Rss Rrs Tss Trs Rsk Rrk Tsk Trk;
                    F64Div "f64.div": Sss | Rss Rrs Rsr Tss Trs Tsr Rsk Rrk Tsk Trk Rks Rkr;
                    F64Min "f64.min": Sss | Rss Rrs;
                    F64Max "f64.max": Sss | Rss Rrs;
                    F64Copysign "f64.copysign": Sss | Rss Rrs Rsr;
                    F64Eq "f64.eq": Sss | Rss Rrs;
                    F64Ne "f64.ne": Sss | Rss Rrs;
                    F64Lt "f64.lt": Sss | Rss Rrs Rsr;
                    F64Le "f64.le": Sss | Rss Rrs Rsr;
                    F64NotLt "f64.not_lt": Sss | Rss Rrs Rsr;
                    F64NotLe "f64.not_le": Sss | Rss Rrs Rsr;
                }
                // S[a] := op src. Conversions to integers trap unless they saturate.
                un {
                    I32Clz "i32.clz": Ss | Rs Rr;
                    I32Ctz "i32.ctz": Ss | Rs Rr;
                    I32Popcnt "i32.popcnt": Ss | Rs Rr;
                    I64Clz "i64.clz": Ss | Rs Rr;
                    I64Ctz "i64.ctz": Ss | Rs Rr;
                    I64Popcnt "i64.popcnt": Ss | Rs Rr;
                    // The i32 forms write all 64 bits, so they serve i64 as well.
                    Extend8S "extend8_s": Ss | Rs Rr Tr Ts;
                    Extend16S "extend16_s": Ss | Rs Rr Tr Ts;
                    Extend32S "extend32_s": Ss | Rs Rr Tr Ts;
                    Extend32U "extend32_u": Ss | Rs Rr Tr Ts;
                    // An index of 64 bits as one of 32: a table never has as many elements as the greatest.
                    Clamp32U "clamp32_u": Ss | Rs;
                    F32Abs "f32.abs": Ss | Rs Rr;
                    F32Neg "f32.neg": Ss | Rs Rr;
                    F32Ceil "f32.ceil": Ss | Rs Rr;
                    F32Floor "f32.floor": Ss | Rs Rr;
                    F32Trunc "f32.trunc": Ss | Rs Rr;
                    F32Nearest "f32.nearest": Ss | Rs Rr;
                    F32Sqrt "f32.sqrt": Ss | Rs Rr;
                    F64Abs "f64.abs": Ss | Rs Rr;
                    F64Neg "f64.neg": Ss | Rs Rr;
                    F64Ceil "f64.ceil": Ss | Rs Rr;
                    F64Floor "f64.floor": Ss | Rs Rr;
                    F64Trunc "f64.trunc": Ss | Rs Rr;
                    F64Nearest "f64.nearest": Ss | Rs Rr;
                    F64Sqrt "f64.sqrt": Ss | Rs Rr;
                    I32TruncF32S "i32.trunc_f32_s": Ss | Rs Rr;
                    I32TruncF32U "i32.trunc_f32_u": Ss | Rs Rr;
                    I32TruncF64S "i32.trunc_f64_s": Ss | Rs Rr;
                    I32TruncF64U "i32.trunc_f64_u": Ss | Rs Rr;
                    I64TruncF32S "i64.trunc_f32_s": Ss | Rs Rr;
                    I64TruncF32U "i64.trunc_f32_u": Ss | Rs Rr;
                    I64TruncF64S "i64.trunc_f64_s": Ss | Rs Rr;
                    I64TruncF64U "i64.trunc_f64_u": Ss | Rs Rr;
                    I32TruncSatF32S "i32.trunc_sat_f32_s": Ss | Rs Rr;
                    I32TruncSatF32U "i32.trunc_sat_f32_u": Ss | Rs Rr;
                    I32TruncSatF64S "i32.trunc_sat_f64_s": Ss | Rs Rr;
                    I32TruncSatF64U "i32.trunc_sat_f64_u": Ss | Rs Rr;
                    I64TruncSatF32S "i64.trunc_sat_f32_s": Ss | Rs Rr;
                    I64TruncSatF32U "i64.trunc_sat_f32_u": Ss | Rs Rr;
                    I64TruncSatF64S "i64.trunc_sat_f64_s": Ss | Rs Rr;
                    I64TruncSatF64U "i64.trunc_sat_f64_u": Ss | Rs Rr;
                    F32ConvertI32S "f32.convert_i32_s": Ss | Rs Rr;
                    F32ConvertI32U "f32.convert_i32_u": Ss | Rs Rr;
                    F32ConvertI64S "f32.convert_i64_s": Ss | Rs Rr;
                    F32ConvertI64U "f32.convert_i64_u": Ss | Rs Rr;
                    F64ConvertI32S "f64.convert_i32_s": Ss | Rs Rr;
                    F64ConvertI32U "f64.convert_i32_u": Ss | Rs Rr;
                    F64ConvertI64S "f64.convert_i64_s": Ss | Rs Rr;
                    F64ConvertI64U "f64.convert_i64_u": Ss | Rs Rr;
                    F32DemoteF64 "f32.demote_f64": Ss | Rs Rr;
                    F64PromoteF32 "f64.promote_f32": Ss | Rs Rr;
                }
                // S[a] := lhs op memory[(S[c] + second word's low half) mod 2^32 + its high half].
                mem {
                    I32AddMem "i32.add_mem": | Rs Rr Ts Tr;
                    I32SubMem "i32.sub_mem": | Rs Rr Ts Tr;
                    I32MulMem "i32.mul_mem": | Rs Rr Ts Tr;
                    I32AndMem "i32.and_mem": | Rs Rr Ts Tr;
                    I32OrMem "i32.or_mem": | Rs Rr Ts Tr;
                    I32XorMem "i32.xor_mem": | Rs Rr Ts Tr;
                    I64AddMem "i64.add_mem": | Rs Rr Ts Tr;
                    I64SubMem "i64.sub_mem": | Rs Rr Ts Tr;
                    I64MulMem "i64.mul_mem": | Rs Rr Ts Tr;
                    I64AndMem "i64.and_mem": | Rs Rr Ts Tr;
                    I64OrMem "i64.or_mem": | Rs Rr Ts Tr;
                    I64XorMem "i64.xor_mem": | Rs Rr Ts Tr;
                    F32AddMem "f32.add_mem": | Rs Rr Ts Tr;
                    F32SubMem "f32.sub_mem": | Rs Rr Ts Tr;
                    F32MulMem "f32.mul_mem": | Rs Rr Ts Tr;
                    F64AddMem "f64.add_mem": | Rs Rr Ts Tr;
                    F64SubMem "f64.sub_mem": | Rs Rr Ts Tr;
                    F64MulMem "f64.mul_mem": | Rs Rr Ts Tr;
                }
                // if lhs op rhs { ip += offset }. A greater-than or less-or-equal of integers is one
                // of these with its operands exchanged or its immediate moved by one.
                br {
                    BrI32Eq "br.i32.eq": Bss Bsi Css Csi | Brs Bri Crs Cri Bps Bpi Cps Cpi Bsj Brj Csj Crj;
                    BrI32Ne "br.i32.ne": Bss Bsi Css Csi | Brs Bri Crs Cri Bps Bpi Cps Cpi Bsj Brj Csj Crj;
                    BrI32LtS "br.i32.lt_s": Bss Bsi Css Csi | Brs Bsr Bri Crs Csr Cri Bps Bsp Bpi Cps Csp Cpi Bsj Brj Csj Crj;
                    BrI32LtU "br.i32.lt_u": Bss Bsi Css Csi | Brs Bsr Bri Crs Csr Cri Bps Bsp Bpi Cps Csp Cpi Bsj Brj Csj Crj;
                    BrI32GeS "br.i32.ge_s": Bss Bsi Css Csi | Brs Bsr Bri Crs Csr Cri Bps Bsp Bpi Cps Csp Cpi Bsj Brj Csj Crj;
                    BrI32GeU "br.i32.ge_u": Bss Bsi Css Csi | Brs Bsr Bri Crs Csr Cri Bps Bsp Bpi Cps Csp Cpi Bsj Brj Csj Crj;
                    BrI64Eq "br.i64.eq": Bss Bsi Css Csi | Brs Bri Crs Cri Bps Bpi Cps Cpi Bsj Brj Csj Crj;
                    BrI64Ne "br.i64.ne": Bss Bsi Css Csi | Brs Bri Crs Cri Bps Bpi Cps Cpi Bsj Brj Csj Crj;
                    BrI64LtS "br.i64.lt_s": Bss Bsi Css Csi | Brs Bsr Bri Crs Csr Cri Bps Bpi Cps Cpi Bsj Brj Csj Crj;
                    BrI64LtU "br.i64.lt_u": Bss Bsi Css Csi | Brs Bsr Bri Crs Csr Cri Bps Bpi Cps Cpi Bsj Brj Csj Crj;
                    BrI64GeS "br.i64.ge_s": Bss Bsi Css Csi | Brs Bsr Bri Crs Csr Cri Bps Bpi Cps Cpi Bsj Brj Csj Crj;
                    BrI64GeU "br.i64.ge_u": Bss Bsi Css Csi | Brs Bsr Bri Crs Csr Cri Bps Bpi Cps Cpi Bsj Brj Csj Crj;
                    // Floats have negated rows of their own, since NaN makes !(a < b) differ from a >= b.
                    BrF32Eq "br.f32.eq": Bss | Brs;
                    BrF32Ne "br.f32.ne": Bss | Brs;
                    BrF32Lt "br.f32.lt": Bss | Brs Bsr;
                    BrF32Le "br.f32.le": Bss | Brs Bsr;
                    BrF32NotLt "br.f32.not_lt": Bss | Brs Bsr;
                    BrF32NotLe "br.f32.not_le": Bss | Brs Bsr;
                    BrF64Eq "br.f64.eq": Bss | Brs;
                    BrF64Ne "br.f64.ne": Bss | Brs;
                    BrF64Lt "br.f64.lt": Bss | Brs Bsr;
                    BrF64Le "br.f64.le": Bss | Brs Bsr;
                    BrF64NotLt "br.f64.not_lt": Bss | Brs Bsr;
                    BrF64NotLe "br.f64.not_le": Bss | Brs Bsr;
                }
                // S[a], r0 := S[a] + c; if that op rhs { ip += offset }. What most loops end in.
                step {
                    StepI32Ne "step.i32.ne": | Bs Bi Cs Ci;
                    StepI32LtS "step.i32.lt_s": | Bs Bi Cs Ci;
                    StepI32LtU "step.i32.lt_u": | Bs Bi Cs Ci;
                    StepI32GeS "step.i32.ge_s": | Bs Bi Cs Ci;
                    StepI64Ne "step.i64.ne": | Bs Bi Cs Ci;
                    StepI64LtS "step.i64.lt_s": | Bs Bi Cs Ci;
                    StepI64LtU "step.i64.lt_u": | Bs Bi Cs Ci;
                    StepI64GeS "step.i64.ge_s": | Bs Bi Cs Ci;
                }
                // S[a] := memory[S[b] + c]. The narrow ones extend to all 64 bits, so they serve i32 and i64.
                load {
                    Load8S "load8_s": Ss W | Rs Rr Ts Tr Rp Sp Sa Ra Ssd Rsd Rrd Rpd Tsd Trd Sx Rx Rrx Tx Trx;
                    Load8U "load8_u": Ss W | Rs Rr Ts Tr Rp Sp Sa Ra Ssd Rsd Rrd Rpd Tsd Trd Sx Rx Rrx Tx Trx;
                    Load16S "load16_s": Ss W | Rs Rr Ts Tr Rp Sp Sa Ra Ssd Rsd Rrd Rpd Tsd Trd Sx Rx Rrx Tx Trx;
                    Load16U "load16_u": Ss W | Rs Rr Ts Tr Rp Sp Sa Ra Ssd Rsd Rrd Rpd Tsd Trd Sx Rx Rrx Tx Trx;
                    Load32S "load32_s": Ss W | Rs Rr Ts Tr Sa Ra Ssd Rsd Rrd Rpd Tsd Trd Sx Rx Rrx Tx Trx;
                    Load32 "load32": Ss W | Rs Rr Ts Tr Rp Sp Sa Ra Ssd Rsd Rrd Rpd Tsd Trd Sx Rx Rrx Tx Trx;
                    Load64 "load64": Ss W | Rs Rr Ts Tr Rp Sp Sa Ra Ssd Rsd Rrd Rpd Tsd Trd Sx Rx Rrx Tx Trx;
                    // Into a float accumulator; into a slot, `load32` and `load64` do the same.
                    LoadF32 "load_f32": | Rs Rr Ts Tr Rp Ra Rsd Rrd Rpd Tsd Trd Rx Rrx Tx Trx;
                    LoadF64 "load_f64": | Rs Rr Ts Tr Rp Ra Rsd Rrd Rpd Tsd Trd Rx Rrx Tx Trx;
                }
                // memory[S[b] + c] := S[a].
                store {
                    Store8 "store8": Mss Msi W | Mrs Msr Mri Mps Mpr Mpi Mas Mar Mai Mssd Msrd Msid Mrsd Mrid;
                    Store16 "store16": Mss Msi W | Mrs Msr Mri Mps Mpr Mpi Mas Mar Mai Mssd Msrd Msid Mrsd Mrid;
                    Store32 "store32": Mss Msi W | Mrs Msr Mri Mps Mpr Mpi Mas Mar Mai Mssd Msrd Msid Mrsd Mrid;
                    Store64 "store64": Mss Msi W | Mrs Msr Mri Mps Mpr Mpi Mas Mar Mai Mssd Msrd Msid Mrsd Mrid;
                    // From a float accumulator.
                    StoreF32 "store_f32": | Msr Mpr Mar Msrd;
                    StoreF64 "store_f64": | Msr Mpr Mar Msrd;
                }
            }
            // name "mnemonic" tier (a b c) extension-words: semantics. `u32` fields span b and c.
            singles {
                Trap "trap" base (code _ _) none: "stop with trap code a";
                Copy "copy" base (def use _) none: "S[a] := S[b]";
                Copy2 "copy2" base (def2 use use) none: "S[a], S[a+1] := S[b], S[c]";
                CopySpan "copy_span" base (start start count) none: "S[a..a+c] := S[b..b+c], overlapping allowed";
                Zero "zero" base (start count _) none: "S[a..a+b] := 0";
                Const "const" base (def imm32 _) none: "S[a] := sign_extend(imm32)";
                Const2 "const2" base (def2 imm imm) none: "S[a], S[a+1] := sign_extend(b), sign_extend(c)";
                ConstWide "const_wide" base (def _ _) imm64: "S[a] := imm64";
                Select "select" base (def use use) cond: "S[a] := if S[cond] as i32 != 0 { S[b] } else { S[c] }";
                GlobalGet "global.get" base (def global _) none: "S[a] := global[bc]";
                GlobalSet "global.set" base (use global_mut _) none: "global[bc] := S[a]";

                Br "br" base (_ _ _) target: "ip += offset";
                BrCharge "br_charge" base (_ _ _) target: "ip += offset; fuel -= charge; stop if fuel < 0";
                BrTable "br_table" base (use count32 _) targets: "ip += entry[min(S[a], count)]; count + 1 entries, the last is the default; fuel -= its charge, which may be zero";

                Call "call" base (frame func _) none: "call a function of this module; its slot 0 is S[a]";
                CallCharge "call_charge" base (frame func _) none: "fuel -= the callee's cost; call; stop if fuel < 0";
                CallImport "call_import" base (frame import _) none: "call an imported function";
                CallIndirect "call_indirect" base (frame use table) sig: "call table[c][S[b]], whose type must be sig";
                CallRef "call_ref" base (frame use _) sig: "call the function that S[b] refers to, whose type must be sig";
                ReturnCall "return_call" base (start func _) none: "S[0..] := arguments from S[a]; run the callee in this frame's place";
                ReturnCallCharge "return_call_charge" base (start func _) none: "as return_call, and charge the callee's cost";
                ReturnCallImport "return_call_import" base (start import _) none: "tail call of an imported function";
                ReturnCallIndirect "return_call_indirect" base (start use table) sig: "tail call of table[c][S[b]], arguments from S[a]";
                ReturnCallRef "return_call_ref" base (start use _) sig: "tail call of the function that S[b] refers to, arguments from S[a]";
                Ret "ret" base (_ _ _) none: "return nothing";
                RetS "ret_s" base (use _ _) none: "return S[a]: into S[-2] and every accumulator";
                RetI "ret_i" base (_ imm32 _) none: "return sign_extend(imm32)";
                RetSpan "ret_span" base (start count _) none: "return S[a..a+b]: into S[-2..]";

                Throw "throw" base (start tag _) none: "throw an exception with tag bc that carries S[a..]";
                ThrowRef "throw_ref" base (use _ _) none: "throw the exception that S[a] refers to";

                MemorySize "memory.size" base (def memory _) none: "S[a] := pages of memory bc";
                MemoryGrow "memory.grow" base (def use _) memory: "S[a] := old size, or -1";
                MemoryFill "memory.fill" base (use use use) memory: "memory[S[a]..][..S[c]] := S[b]";
                MemoryCopy "memory.copy" base (use use use) memory2: "destination memory[S[a]..] := source memory[S[b]..][..S[c]]";
                MemoryInit "memory.init" base (use use use) memory_data: "memory[S[a]..] := data[S[b]..][..S[c]]";
                DataDrop "data.drop" base (_ data _) none: "data bc := empty";
                TableGet "table.get" base (def use table) none: "S[a] := table[c][S[b]]";
                TableSet "table.set" base (use use table) none: "table[c][S[b]] := S[a]";
                TableSize "table.size" base (def _ table) none: "S[a] := elements of table c";
                TableGrow "table.grow" base (def use use) table: "S[a] := old size, or -1; grow by S[c] elements S[b]";
                TableFill "table.fill" base (use use use) table: "table[S[a]..][..S[c]] := S[b]";
                TableCopy "table.copy" base (use use use) table2: "destination table[S[a]..] := source table[S[b]..][..S[c]]";
                TableInit "table.init" base (use use use) table_elem: "table[S[a]..] := element segment[S[b]..][..S[c]]";
                ElemDrop "elem.drop" base (_ elem _) none: "element segment bc := empty";
                AtomicAddress "atomic.address" base (def use aligned) offset64: "S[a] := S[b] + offset, where as many bytes of memory as c says are to be had; trap if it isn't a multiple of that";
                I64Add128 "i64.add128" base (def2 use use) slots2: "S[a], S[a+1] := (S[b], S[c]) + (S[lo], S[hi]), each the low half first";
                I64Sub128 "i64.sub128" base (def2 use use) slots2: "S[a], S[a+1] := (S[b], S[c]) - (S[lo], S[hi]), each the low half first";
                I64MulWideS "i64.mul_wide_s" base (def2 use use) none: "S[a], S[a+1] := S[b] * S[c], signed, the low half first";
                I64MulWideU "i64.mul_wide_u" base (def2 use use) none: "S[a], S[a+1] := S[b] * S[c], unsigned, the low half first";
                RefAsNonNull "ref.as_non_null" base (use _ _) none: "trap if S[a] is null";
                RefFunc "ref.func" base (def func_any _) none: "S[a] := reference to function bc";

                // The Canonical ABI's coarse instructions in adapter code; each is one exit to the component runtime.
                Abi "abi" base (code u32 _) none: "canonical ABI operation a with argument bc";

                // Reached through linkage only; `verify` refuses them in code from outside.
                Halt "halt" internal (_ _ _) none: "the base frame has returned";
                FarReturn "far_return" internal (_ _ _) none: "return across instances: restore the caller's instance from the linkage pair";

                // Accumulator moves.
                MovSr "mov.sr" fast (def _ _) none: "S[a] := r0";
                MovRs "mov.rs" fast (_ use _) none: "r0 := S[b]";
                MovSf "mov.sf" fast (def _ _) none: "S[a] := s0";
                MovFs "mov.fs" fast (_ use _) none: "s0 := S[b]";
                MovSd "mov.sd" fast (def _ _) none: "S[a] := d0";
                MovDs "mov.ds" fast (_ use _) none: "d0 := S[b]";
                MovPs "mov.ps" fast (_ use _) none: "r1 := S[b]";
                MovPr "mov.pr" fast (def _ _) none: "S[a], r1 := r0";
                MovPss "mov.pss" fast (def use _) none: "S[a], r1 := S[b]";
                ConstR "const.r" fast (_ imm32 _) none: "r0 := sign_extend(imm32)";
                ConstF "const.f" fast (_ imm32 _) none: "s0 := f32 from bits";
                ConstD "const.d" fast (_ _ _) imm64: "d0 := f64 from bits";
                SelectSr "select.sr" fast (def use use) none: "S[a] := if r0 as i32 != 0 { S[b] } else { S[c] }";
                SelectRr "select.rr" fast (_ use use) none: "r0 := if r0 as i32 != 0 { S[b] } else { S[c] }";
                GlobalGetR "global.get.r" fast (_ global _) none: "r0 := global[bc]";
                GlobalSetR "global.set.r" fast (_ global_mut _) none: "global[bc] := r0";
                RetR "ret.r" fast (_ _ _) none: "return r0: into S[-2] and every accumulator";
                RetF "ret.f" fast (_ _ _) none: "return s0: into S[-2] and every accumulator";
                RetD "ret.d" fast (_ _ _) none: "return d0: into S[-2] and every accumulator";
                BrTableR "br_table.r" fast (_ count32 _) targets: "as br_table, with the index in r0";
                CallIndirectR "call_indirect.r" fast (frame _ table) sig: "as call_indirect, with the index in r0";
            }
        }
    };
}
pub(crate) use for_each_instruction;
