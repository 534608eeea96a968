//! For each rule a function that breaks it, and for each operand of each instruction one that is out
//! of range.

use super::super::forged::{self, FRAME, IMPORTED_FUNCS, ty};
use super::super::{COUNT, all, word, word_u32};
use super::*;
use alloc::vec::Vec;

/// The verdict on function 0, of type `ty`; functions 1 to 4 have one type each.
fn verdict_on(ty: u32, words: &[u64]) -> Result<(), Refused> {
    let module = forged::module(&[ty, ty::NOTHING, ty::ONE_RESULT, ty::TWO_RESULTS, ty::WIDE]);
    function(&module, 0, &forged::function(0, ty, words), true)
}

fn verdict(words: &[u64]) -> Result<(), Refused> {
    verdict_on(ty::NOTHING, words)
}

/// Refused for this rule, at the first instruction.
fn breaks(rule: Rule, words: &[u64]) {
    let at = HEADER_WORDS;
    assert_eq!(verdict(words), Err(Refused { rule, at }), "{words:x?}");
}

const RET: u64 = word(op::Ret, 0, 0, 0);

fn two(op: Op, a: u16, b: u16, c: u16, ext: u64) -> [u64; 3] {
    [word(op, a, b, c), ext, RET]
}

/// A complete function around one instruction, of a type that its returns fit.
fn around(instruction: &[u64]) -> (u32, Vec<u64>) {
    let (ty, end) = match op_of(instruction[0]) {
        op::RetS | op::RetI | op::RetR | op::RetF | op::RetD => (ty::ONE_RESULT, RET_I),
        _ => (ty::NOTHING, RET),
    };
    (ty, [instruction, &[end]].concat())
}

const RET_I: u64 = word_u32(op::RetI, 0, 7);

fn every_instruction() -> impl Iterator<Item = (Op, Vec<u64>)> {
    all()
        .filter(|op| info(*op).is_some_and(|info| info.tier != Tier::Internal))
        .filter_map(|op| Some((op, forged::instruction(op, 0, 1)?)))
}

#[test]
fn every_instruction_with_its_operands_in_range_is_accepted() {
    let mut seen = 0;
    for (op, words) in every_instruction() {
        let (ty, words) = around(&words);
        assert_eq!(verdict_on(ty, &words), Ok(()), "{:?}", info(op));
        seen += 1;
    }
    assert_eq!(seen, all().count() - 2, "all but the internal ones");
}

#[test]
fn a_header_that_lies_is_refused() {
    let module = forged::module(&[ty::WIDE, ty::NOTHING]);
    let honest = forged::function(0, ty::WIDE, &[word(op::RetSpan, 0, 3, 0)]);
    assert_eq!(function(&module, 0, &honest, true), Ok(()));
    let refused = Err(Refused {
        rule: Rule::Header,
        at: 0,
    });
    for (why, at, change) in [
        ("too small for its parameters", 0, u64::from(FRAME ^ 2)),
        ("other parameters", 0, 1 << 16),
        ("other results", 0, 1 << 32),
        ("flags", 0, 1 << 48),
        ("another function", 1, 1 << 32),
    ] {
        let mut code = honest.clone();
        code[at] ^= change.to_le();
        assert_eq!(function(&module, 0, &code, true), refused, "{why}");
    }
    assert_eq!(function(&module, 0, &honest[..2], true), refused);
    assert_eq!(function(&module, 0, &[], true), refused);
    assert_eq!(
        function(&module, 2, &honest, true),
        refused,
        "no such function"
    );
}

#[test]
fn an_unknown_opcode_is_refused() {
    breaks(Rule::UnknownOpcode, &[word(COUNT as Op, 0, 0, 0), RET]);
    breaks(Rule::UnknownOpcode, &[u64::MAX, RET]);
}

#[test]
fn an_instruction_of_a_tier_that_is_not_allowed_is_refused() {
    let module = forged::module(&[ty::NOTHING]);
    let mut refused = 0;
    for (op, words) in every_instruction() {
        let (ty, words) = around(&words);
        let module = if ty == ty::NOTHING {
            forged::module(&[ty, ty])
        } else {
            forged::module(&[ty, ty::NOTHING])
        };
        let verdict = function(&module, 0, &forged::function(0, ty, &words), false);
        if info(op).is_some_and(|info| info.tier == Tier::Fast) {
            let (rule, at) = (Rule::Tier, HEADER_WORDS);
            assert_eq!(verdict, Err(Refused { rule, at }), "{:?}", info(op));
            refused += 1;
        } else {
            assert_eq!(verdict, Ok(()), "{:?}", info(op));
        }
    }
    assert!(refused > 600, "{refused}");
    let base = forged::function(0, ty::NOTHING, &[RET]);
    assert_eq!(function(&module, 0, &base, false), Ok(()));
}

#[test]
fn an_internal_instruction_is_refused() {
    breaks(Rule::Internal, &[word(op::Halt, 0, 0, 0), RET]);
    breaks(Rule::Internal, &[word(op::FarReturn, 0, 0, 0), RET]);
}

#[test]
fn an_instruction_without_its_extension_words_is_refused() {
    for (op, words) in every_instruction().filter(|(_, words)| words.len() > 1) {
        assert_eq!(
            verdict(&words[..words.len() - 1]),
            Err(Refused {
                rule: Rule::TruncatedInstruction,
                at: HEADER_WORDS
            }),
            "{:?}",
            info(op)
        );
    }
    // A branch table that claims more entries than there is code.
    breaks(
        Rule::TruncatedInstruction,
        &[word_u32(op::BrTable, 0, u32::MAX), 3, RET],
    );
}

#[test]
fn a_field_without_a_use_must_be_zero() {
    let mut tried = 0;
    for (op, words) in every_instruction() {
        let (ty, words) = around(&words);
        let Some(operands) = info(op).map(|info| info.operands) else {
            continue;
        };
        let wide = operands.b != Field::None && operands.c == Field::None;
        for (field, shift) in [(operands.a, 16), (operands.b, 32), (operands.c, 48)] {
            if field != Field::None || (shift == 48 && wide && is_wide(operands.b)) {
                continue;
            }
            let mut words = words.clone();
            words[0] |= 1 << shift;
            let (rule, at) = (Rule::UnusedFieldNotZero, HEADER_WORDS);
            assert_eq!(
                verdict_on(ty, &words),
                Err(Refused { rule, at }),
                "{:?}",
                info(op)
            );
            tried += 1;
        }
    }
    assert!(tried > 500, "{tried}");
}

fn is_wide(field: Field) -> bool {
    use Field::*;
    matches!(
        field,
        Imm32
            | Address
            | U32
            | Count32
            | Global
            | GlobalMut
            | Global2
            | Global2Mut
            | Func
            | FuncAny
            | Import
            | Memory
            | Data
            | Elem
            | Tag
    )
}

#[test]
fn every_slot_that_an_instruction_names_lies_in_the_frame() {
    let mut tried = 0;
    for (op, words) in every_instruction() {
        let (ty, words) = around(&words);
        let Some(operands) = info(op).map(|info| info.operands) else {
            continue;
        };
        for (field, shift) in [(operands.a, 16), (operands.b, 32), (operands.c, 48)] {
            let highest = match field {
                Field::Def | Field::Use => FRAME - 1,
                Field::Def2 | Field::Use2 => FRAME - 2,
                _ => continue,
            };
            let with = |slot: u16| {
                let mut words = words.clone();
                words[0] = words[0] & !(0xffff << shift) | u64::from(slot) << shift;
                verdict_on(ty, &words)
            };
            let (rule, at) = (Rule::SlotBeyondFrame, HEADER_WORDS);
            assert_eq!(with(highest), Ok(()), "{:?}", info(op));
            for beyond in [highest + 1, u16::MAX] {
                assert_eq!(with(beyond), Err(Refused { rule, at }), "{:?}", info(op));
            }
            tried += 1;
        }
    }
    assert!(tried > 900, "{tried}");
    breaks(
        Rule::SlotBeyondFrame,
        &two(op::Select, 0, 0, 0, FRAME.into()),
    );
    breaks(Rule::SlotBeyondFrame, &two(op::Select, 0, 0, 0, 1 << 16));
}

#[test]
fn every_span_of_slots_lies_in_the_frame() {
    for (accepted, span) in [
        (true, word(op::CopySpan, 0, 8, 8)),
        (false, word(op::CopySpan, 0, 8, 9)),
        (false, word(op::CopySpan, 9, 0, 8)),
        (true, word(op::Zero, 15, 1, 0)),
        (false, word(op::Zero, 15, 2, 0)),
        (false, word(op::Zero, u16::MAX, u16::MAX, 0)),
    ] {
        if accepted {
            assert_eq!(verdict(&[span, RET]), Ok(()));
        } else {
            breaks(Rule::SlotBeyondFrame, &[span, RET]);
        }
    }
    let (rule, at) = (Rule::SlotBeyondFrame, HEADER_WORDS);
    let returned = |start| verdict_on(ty::TWO_RESULTS, &[word(op::RetSpan, start, 2, 0)]);
    assert_eq!(returned(FRAME - 2), Ok(()));
    assert_eq!(returned(FRAME - 1), Err(Refused { rule, at }));
}

/// Linkage and arguments of a callee lie in the frame, and its results come back into it.
#[test]
fn a_call_whose_frame_does_not_fit_is_refused() {
    let wide = 4;
    for op in [op::Call, op::CallCharge] {
        let call = |shift| [word_u32(op, shift, wide), RET];
        for shift in [0, 1, FRAME - 2, FRAME + 1, u16::MAX] {
            breaks(Rule::CallFrame, &call(shift));
        }
        assert_eq!(verdict(&call(2)), Ok(()));
        assert_eq!(verdict(&call(FRAME - 3)), Ok(()));
    }
    for shift in [1, FRAME + 1] {
        breaks(Rule::CallFrame, &[word_u32(op::CallImport, shift, 0), RET]);
        breaks(
            Rule::CallFrame,
            &two(op::CallIndirect, shift, 0, 0, ty::NOTHING.into()),
        );
        breaks(
            Rule::CallFrame,
            &two(op::CallIndirectR, shift, 0, 0, ty::NOTHING.into()),
        );
    }
    let (rule, at) = (Rule::CallFrame, HEADER_WORDS);
    for words in [
        &[word_u32(op::ReturnCall, FRAME - 2, wide)][..],
        &[word_u32(op::ReturnCallCharge, FRAME - 2, wide)],
        &two(op::ReturnCallIndirect, FRAME - 2, 0, 0, ty::WIDE.into()),
    ] {
        assert_eq!(verdict_on(ty::WIDE, words), Err(Refused { rule, at }));
    }
    breaks(
        Rule::CallFrame,
        &[word_u32(op::ReturnCallImport, FRAME + 1, 0)],
    );
}

#[test]
fn returning_other_results_than_the_functions_is_refused() {
    let (rule, at) = (Rule::ReturnedResults, HEADER_WORDS);
    for (ty, word) in [
        (ty::ONE_RESULT, RET),
        (ty::NOTHING, RET_I),
        (ty::NOTHING, word(op::RetS, 0, 0, 0)),
        (ty::NOTHING, word(op::RetR, 0, 0, 0)),
        (ty::TWO_RESULTS, word(op::RetF, 0, 0, 0)),
        (ty::TWO_RESULTS, word(op::RetD, 0, 0, 0)),
        (ty::TWO_RESULTS, word(op::RetSpan, 0, 3, 0)),
        (ty::NOTHING, word_u32(op::ReturnCall, 0, 2)),
        (ty::ONE_RESULT, word_u32(op::ReturnCallCharge, 0, 3)),
        (ty::ONE_RESULT, word_u32(op::ReturnCallImport, 0, 0)),
    ] {
        assert_eq!(
            verdict_on(ty, &[word]),
            Err(Refused { rule, at }),
            "{word:x}"
        );
    }
    breaks(
        Rule::ReturnedResults,
        &two(op::ReturnCallIndirect, 0, 0, 0, ty::ONE_RESULT.into()),
    );
}

#[test]
fn a_branch_to_anything_but_an_instruction_of_the_function_is_refused() {
    // br, its target word, a constant of two words, ret.
    let branch = |offset: i32| {
        [
            word(op::Br, 0, 0, 0),
            u64::from(offset as u32),
            word(op::ConstWide, 0, 0, 0),
            99,
            RET,
        ]
    };
    for good in [0, 2, 4] {
        assert_eq!(verdict(&branch(good)), Ok(()), "{good}");
    }
    for bad in [-3, -2, -1, 1, 3, 5, 6, i32::MAX, i32::MIN] {
        breaks(Rule::TargetNotAnInstruction, &branch(bad));
    }
    // Each branching instruction, each entry of a table.
    let mut tried = 0;
    for (op, words) in every_instruction() {
        let ext = info(op).map(|info| info.operands.ext);
        if !matches!(ext, Some(Ext::Target | Ext::Targets)) {
            continue;
        }
        let mut words = around(&words).1;
        words[1] = 1;
        breaks(Rule::TargetNotAnInstruction, &words);
        tried += 1;
    }
    assert!(tried > 150, "{tried}");
    for entry in 0..3 {
        let mut table = [word_u32(op::BrTable, 0, 2), 4, 4, 4, RET];
        assert_eq!(verdict(&table), Ok(()));
        table[1 + entry] = 3;
        breaks(Rule::TargetNotAnInstruction, &table);
    }
}

#[test]
fn an_index_that_names_nothing_is_refused() {
    let module = forged::module(&[ty::NOTHING]);
    let functions = IMPORTED_FUNCS + 5;
    for (words, good, bad) in [
        (word_u32(op::GlobalGet, 0, 0), 1, 4),
        (word_u32(op::GlobalSet, 0, 0), 1, 4),
        (word_u32(op::Call, 8, 0), 4, 5),
        (word_u32(op::CallImport, 8, 0), 1, IMPORTED_FUNCS),
        (word_u32(op::RefFunc, 0, 0), functions - 1, functions),
        (word_u32(op::MemorySize, 0, 0), 2, 3),
        (word_u32(op::Throw, 0, 0), 1, 2),
        (word_u32(op::DataDrop, 0, 0), 0, module.data.len() as u32),
        (word_u32(op::ElemDrop, 0, 0), 1, 2),
    ] {
        let with = |index: u32| [words | u64::from(index) << 32, RET];
        assert_eq!(verdict(&with(good)), Ok(()));
        breaks(Rule::Index, &with(bad));
        breaks(Rule::Index, &with(u32::MAX));
    }
    for op in [op::TableGet, op::TableSet, op::TableSize] {
        breaks(Rule::Index, &[word(op, 0, 0, 2), RET]);
    }
    breaks(Rule::Index, &two(op::Load32::W, 0, 0, 3, 0));
    breaks(Rule::Index, &two(op::Store64::W, 0, 0, 3 | MEMORY64, 0));
    for (op, pair) in [
        (op::MemoryGrow, false),
        (op::MemoryFill, false),
        (op::TableGrow, false),
        (op::TableFill, false),
        (op::MemoryCopy, true),
        (op::MemoryInit, true),
        (op::TableCopy, true),
        (op::TableInit, true),
    ] {
        breaks(Rule::Index, &two(op, 0, 0, 0, 3));
        breaks(Rule::Index, &two(op, 0, 0, 0, 3 << 32));
        breaks(Rule::Index, &two(op, 0, 0, 0, u64::MAX));
        if !pair {
            breaks(Rule::Index, &two(op, 0, 0, 0, 1 << 32));
        }
    }
    for op in [op::CallIndirect, op::ReturnCallIndirect] {
        breaks(Rule::Index, &two(op, 8, 0, 2, 0));
        breaks(Rule::Index, &two(op, 8, 0, 0, 4));
    }
}

#[test]
fn a_table_of_another_kind_is_refused() {
    breaks(Rule::ElementKind, &two(op::CallIndirect, 8, 0, 1, 0));
    breaks(Rule::ElementKind, &two(op::CallIndirectR, 8, 0, 1, 0));
    breaks(Rule::ElementKind, &two(op::ReturnCallIndirect, 8, 0, 1, 0));
    for op in [op::TableCopy, op::TableInit] {
        breaks(Rule::ElementKind, &two(op, 0, 0, 0, 1));
        breaks(Rule::ElementKind, &two(op, 0, 0, 0, 1 << 32));
        assert_eq!(verdict(&two(op, 0, 0, 0, 1 | 1 << 32)), Ok(()));
    }
}

#[test]
fn writing_a_constant_global_is_refused() {
    breaks(Rule::ConstantGlobal, &[word_u32(op::GlobalSet, 0, 0), RET]);
    breaks(Rule::ConstantGlobal, &[word_u32(op::GlobalSetR, 0, 0), RET]);
}

#[test]
fn a_global_is_accessed_in_its_width_alone() {
    for op in [op::GlobalGet, op::GlobalSet, op::GlobalGetR, op::GlobalSetR] {
        breaks(Rule::GlobalWidth, &[word_u32(op, 0, 2), RET]);
        breaks(Rule::GlobalWidth, &[word_u32(op, 0, 3), RET]);
    }
}

#[cfg(feature = "simd")]
#[test]
fn an_instruction_on_vectors_takes_two_slots_two_cells_and_a_lane_that_there_is() {
    use crate::code::simd::Simd::*;
    let get = |global| [word_u32(V128GlobalGet.op(), 0, global), RET];
    let set = |global| [word_u32(V128GlobalSet.op(), 0, global), RET];
    assert_eq!(
        verdict(&get(2)).and(verdict(&get(3))).and(verdict(&set(2))),
        Ok(())
    );
    breaks(Rule::GlobalWidth, &get(1));
    breaks(Rule::GlobalWidth, &set(1));
    breaks(Rule::ConstantGlobal, &set(3));
    breaks(Rule::Index, &get(4));
    // What follows the first word: a third vector, a lane, a lane and a vector.
    let third = |slot| two(V128Bitselect.op(), 0, 0, 0, slot);
    let replace = |lane| two(I8x16ReplaceLane.op(), 0, 0, 0, lane);
    let load = |last| [word(V128Load8Lane.op(), 0, 0, 0), u64::MAX, last, RET];
    let store = |last| [word(V128Store8Lane.op(), 0, 0, 0), u64::MAX, last, RET];
    let (highest, beyond) = (u64::from(FRAME - 2), u64::from(FRAME - 1));
    assert_eq!(verdict(&third(highest)).and(verdict(&replace(15))), Ok(()));
    assert_eq!(
        verdict(&load(15 | highest << 32)).and(verdict(&store(15))),
        Ok(())
    );
    for slot in [beyond, u64::from(FRAME), 1 << 16, u64::from(u32::MAX)] {
        breaks(Rule::SlotBeyondFrame, &third(slot));
        breaks(Rule::SlotBeyondFrame, &load(slot << 32));
    }
    breaks(Rule::SlotBeyondFrame, &third(1 << 32));
    for words in [
        &replace(16)[..],
        &replace(1 << 32),
        &load(16),
        &store(16),
        &store(1 << 32),
    ] {
        breaks(Rule::Lane, words);
    }
    breaks(Rule::Lane, &[word(I8x16ExtractLaneS.op(), 0, 0, 16), RET]);
    breaks(
        Rule::AddressWidth,
        &[word(V128Load8Lane.op(), 0, 0, MEMORY64), 0, 0, RET],
    );
}

#[test]
fn a_trap_without_a_name_is_refused() {
    let last = Trap::OutOfFuel as u16;
    assert_eq!(verdict(&[word(op::Trap, last, 0, 0)]), Ok(()));
    breaks(Rule::TrapCode, &[word(op::Trap, last + 1, 0, 0)]);
}

#[test]
fn code_that_runs_off_its_end_is_refused() {
    for (op, words) in every_instruction() {
        let ends = never_falls_through(op);
        let (ty, whole) = around(&words);
        let mut alone = whole[..whole.len() - 1].to_vec();
        if let Some(Ext::Target | Ext::Targets) = info(op).map(|info| info.operands.ext) {
            // To itself, since nothing follows.
            alone[1..].fill(0);
        }
        let (rule, at) = (Rule::FallsOffTheEnd, HEADER_WORDS);
        let expected = if ends {
            Ok(())
        } else {
            Err(Refused { rule, at })
        };
        assert_eq!(verdict_on(ty, &alone), expected, "{:?}", info(op));
    }
}

#[test]
fn an_access_is_of_a_memory_with_addresses_of_its_width() {
    for op in [op::Load8S::W, op::Store64::W] {
        assert_eq!(verdict(&two(op, 0, 0, 1, 0)), Ok(()));
        assert_eq!(verdict(&two(op, 0, 0, 2 | MEMORY64, 0)), Ok(()));
        breaks(Rule::AddressWidth, &two(op, 0, 0, 2, 0));
        breaks(Rule::AddressWidth, &two(op, 0, 0, 1 | MEMORY64, 0));
    }
    // The short forms are of memory 0.
    let mut module = forged::module(&[ty::NOTHING]);
    module.memories.swap(0, 2);
    let refused = Err(Refused {
        rule: Rule::AddressWidth,
        at: HEADER_WORDS,
    });
    for words in [
        &[word(op::Load32::Ss, 0, 0, 4), RET][..],
        &[word_u32(op::Load32::Sa, 0, 4), RET],
        &two(op::Store8::Mssd, 0, 0, 0, 4),
        &two(op::Load64::Rx, 0, 0, 0, 4 << 32),
    ] {
        assert_eq!(verdict(words), Ok(()));
        let code = forged::function(0, ty::NOTHING, words);
        assert_eq!(function(&module, 0, &code, true), refused);
    }
    breaks(Rule::UnusedFieldNotZero, &two(op::Load64::Rx, 0, 0, 0, 4));
}

/// The verdict on a function of two instructions with this handler.
fn with_handler(words: [u64; HANDLER_WORDS]) -> Result<(), Refused> {
    let module = forged::module(&[ty::NOTHING]);
    let body = [word_u32(op::Throw, 0, 0), RET];
    let mut code = Vec::from(forged::function(0, ty::NOTHING, &body));
    code[0] = handlers::count_in(code[0], 1).expect("one");
    code.extend(words);
    function(&module, 0, &code, true)
}

#[test]
fn a_handler_that_is_unsafe_to_enter_is_refused() {
    let good = Handler {
        start: 2,
        end: 3,
        target: 3,
        slot: FRAME - 4,
        takes: handlers::Takes {
            all: false,
            reference: true,
        },
        // It carries three values.
        tag: 1,
        fuel: 0,
    };
    assert_eq!(with_handler(good.encode()), Ok(()));
    let all = handlers::Takes {
        all: true,
        reference: false,
    };
    let broken = [
        (
            "a target that is no instruction",
            Handler { target: 1, ..good },
        ),
        ("a target behind the code", Handler { target: 4, ..good }),
        (
            "slots beyond the frame",
            Handler {
                slot: FRAME - 3,
                ..good
            },
        ),
        ("a tag that there isn't", Handler { tag: 2, ..good }),
        ("a tag where all are taken", Handler { takes: all, ..good }),
        ("an end before the start", Handler { start: 4, ..good }),
        ("an end behind the code", Handler { end: 5, ..good }),
        (
            "fuel that would be given back",
            Handler {
                fuel: 1 << 31,
                ..good
            },
        ),
    ];
    let refused = Err(Refused {
        rule: Rule::Handler,
        at: 4,
    });
    for (why, handler) in broken {
        assert_eq!(with_handler(handler.encode()), refused, "{why}");
    }
    let mut unknown = good.encode();
    unknown[1] |= (4u64 << 48).to_le();
    assert_eq!(with_handler(unknown), refused);
}
