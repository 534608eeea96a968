//! A module made by hand, and functions written word by word: what tests of the verifier and of the
//! machine run, since the translator never makes code that breaks a rule.

use super::module::{
    Bytes, ConstOp, DataSegment, ElementSegment, ExternIndex, FuncDecl, FuncFacts, FuncType,
    GlobalType, Import, MemoryType, ModuleData, SegmentMode, TableType, ValType,
};
use super::{HEADER_WORDS, header};
use crate::fallible::Shared;
use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;
use spin::Once;

/// Slots that every forged function has.
pub(crate) const FRAME: u16 = 16;

/// The types of [`module`]; a function's type is an index among them.
pub(crate) mod ty {
    pub(crate) const NOTHING: u32 = 0;
    pub(crate) const ONE_RESULT: u32 = 1;
    pub(crate) const TWO_RESULTS: u32 = 2;
    pub(crate) const WIDE: u32 = 3;
}

/// Imported functions: both of type `NOTHING`.
pub(crate) const IMPORTED_FUNCS: u32 = 2;

/// A function's code: a header that is honest about `ty`, then `words`.
pub(crate) fn function(func: u32, ty: u32, words: &[u64]) -> Box<[u64]> {
    function_with(FRAME, func, ty, words)
}

/// As [`function`], with so many slots.
pub(crate) fn function_with(frame: u16, func: u32, ty: u32, words: &[u64]) -> Box<[u64]> {
    let (params, results) = counts(ty);
    let mut code = Vec::from(header(frame, params, results, 1, func));
    assert_eq!(code.len(), HEADER_WORDS);
    code.extend_from_slice(words);
    code.iter().map(|word| word.to_le()).collect()
}

fn counts(ty: u32) -> (u16, u16) {
    match ty {
        ty::ONE_RESULT => (0, 1),
        ty::TWO_RESULTS => (0, 2),
        ty::WIDE => (3, 3),
        _ => (0, 0),
    }
}

/// Two imported functions, defined ones of the given types, two memories and one of 64 bits, a table of functions and
/// one of host references, a constant global and a mutable one of a number and of a vector, a segment
/// of each kind, a tag that carries nothing and one that carries three values.
pub(crate) fn module(funcs: &[u32]) -> ModuleData {
    let func_type = |(params, results): (u16, u16)| {
        let i32s = |n: u16| core::iter::repeat_n(ValType::I32, n.into());
        FuncType::new(i32s(params), i32s(results))
    };
    let import = |name: &'static str, index| Import {
        module: "host".into(),
        name: name.into(),
        index,
    };
    let table = |element| TableType::new(element, 8, None);
    let global = |content, mutable| GlobalType { content, mutable };
    let segment = |element, item| ElementSegment {
        element,
        mode: SegmentMode::Passive,
        items: vec![Box::from([item]); 4].into(),
    };
    let memory = MemoryType::new(1, None);
    ModuleData {
        bytes: Bytes::Shared(Shared::new([1u8; 64].to_vec()).unwrap()),
        types: (0..4).map(|ty| func_type(counts(ty))).collect(),
        type_ids: (0..4).collect(),
        imports: vec![
            import("a", ExternIndex::Func(0)),
            import("b", ExternIndex::Func(1)),
        ],
        exports: Vec::new(),
        func_types: [ty::NOTHING; IMPORTED_FUNCS as usize]
            .iter()
            .chain(funcs)
            .copied()
            .collect(),
        imported_funcs: IMPORTED_FUNCS,
        funcs: funcs
            .iter()
            .map(|&ty| FuncDecl {
                ty,
                body: 0..0,
                facts: Once::initialized(FuncFacts {
                    cost: 1,
                    loops: Box::from([]),
                }),
                code: Once::new(),
            })
            .collect(),
        tables: vec![
            (table(ValType::FuncRef), None),
            (table(ValType::ExternRef), None),
        ],
        imported_tables: 0,
        memories: vec![memory, memory, MemoryType::new64(1, None)],
        imported_memories: 0,
        tags: vec![ty::NOTHING, ty::WIDE],
        imported_tags: 0,
        globals: vec![
            global(ValType::I64, false),
            global(ValType::I64, true),
            global(ValType::V128, true),
            global(ValType::V128, false),
        ],
        imported_globals: 0,
        global_inits: vec![Box::from([ConstOp::Const(0)]); 4],
        elements: vec![
            segment(ValType::FuncRef, ConstOp::RefFunc(IMPORTED_FUNCS)),
            segment(ValType::ExternRef, ConstOp::RefNull),
        ],
        data: vec![DataSegment {
            mode: SegmentMode::Passive,
            bytes: 0..64,
        }],
        start: None,
        name: None,
        bodies: None,
        names: Vec::new(),
    }
}

/// An instruction word of `op` whose fields are all in order for [`module`], and its extension words.
/// Slots that are read are `from` and up, slots that are written 8 and up; branches go to the next
/// instruction; calls go to function `callee` with their frame at slot 8.
pub(crate) fn instruction(op: super::Op, from: u16, callee: u32) -> Option<Vec<u64>> {
    use super::operands::{Ext, Field, length};
    let info = super::info(op)?;
    let mut sources = from..;
    let mut field = |field: Field| match field {
        Field::Def | Field::Def2 | Field::Frame => 8,
        Field::Use => sources.next().unwrap_or(from),
        Field::Use2 => from,
        Field::Start => 0,
        Field::Imm | Field::Imm32 | Field::Offset => 1,
        // Mutable, of functions, defined, and within every list.
        Field::GlobalMut => 1,
        Field::Global2 | Field::Global2Mut => 2,
        Field::Func => callee as u16,
        Field::FuncAny => IMPORTED_FUNCS as u16,
        _ => 0,
    };
    let operands = &info.operands;
    let first = super::word(op, field(operands.a), field(operands.b), field(operands.c));
    let words = length(operands, first) as usize;
    let ext = match operands.ext {
        Ext::None => Vec::new(),
        Ext::Target | Ext::Targets => vec![words as u64 | 1 << 32; words - 1],
        Ext::Cond => vec![from.into()],
        Ext::Imm64 => vec![1],
        _ => vec![0; words - 1],
    };
    Some([vec![first], ext].concat())
}
