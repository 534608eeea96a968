//! WebAssembly operators → code, in one pass and without recursion.
//!
//! Runs on bodies that validation has accepted, so operand types and label depths are right; a body
//! that wasn't would give an error or wrong code, never unsafe code, since `code::verify` decides that.
#![forbid(unsafe_code)]

mod atomics;
mod branch;
mod calls;
mod control;
pub(crate) mod cost;
mod emit;
mod exceptions;
mod memory;
pub(crate) mod numeric;
mod operators;
#[cfg(feature = "simd")]
mod simd;
mod slots;
mod stack;

use crate::code::handlers::Handler;
use crate::code::module::{FuncFacts, HeapType, LoopRecord, ModuleData, ValType};
use crate::code::{header, op, word};
use crate::error::{Error, ErrorKind, Result};
use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;
use control::Frame;
use emit::{Last, Maker};
use exceptions::Clause;
use stack::{Held, Operand};
use wasmparser::{BinaryReader, FunctionBody};

/// What the code may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Options {
    /// Accumulator and fused forms.
    pub fast: bool,
    /// Charge fuel.
    pub fuel: bool,
}

struct Translator<'m> {
    module: &'m ModuleData,
    fast: bool,
    fuel: bool,
    code: Vec<u64>,
    /// The type of each slot of the locals: both of a vector have its type.
    locals: Vec<ValType>,
    /// The first slot of each local; empty where a local's number is its slot.
    local_slots: Vec<u16>,
    stack: Vec<Operand>,
    /// Operands below this height are in their homes.
    settled: usize,
    /// For each local, one above the highest operand that still names it, or 0.
    named: Vec<u32>,
    frames: Vec<Frame>,
    /// Clauses of the open `try_table`s, and the handlers of those that have ended.
    clauses: Vec<Clause>,
    handlers: Vec<Handler>,
    /// Handlers that return from the function.
    returning: Vec<usize>,
    acc: [Held; 3],
    last: Option<Last>,
    /// The newest instruction that made a vector, and the height of the operand.
    #[cfg(feature = "simd")]
    vector: Option<(usize, usize)>,
    /// What made the operand that is nowhere but in an accumulator, while nothing has branched since.
    makers: [Option<Maker>; 3],
    /// What has just left an accumulator to the next instruction.
    vacated: Option<Maker>,
    /// Where the newest instruction with a result of its own begins.
    stepped: Option<usize>,
    /// The newest copy or store of an accumulator into a slot.
    simple: Option<usize>,
    /// The newest constant that was written to a slot.
    constant: Option<usize>,
    /// Where the newest label is.
    label: usize,
    /// Branches to that label that a return there may replace, and whether a move stands before them.
    arrived: Vec<(usize, bool)>,
    /// The local that `r1` mirrors, in a loop without calls and loops.
    pin: Option<u16>,
    /// Loops seen so far, and what validation learned of each.
    loops: u32,
    records: &'m [LoopRecord],
    /// Slots used so far.
    frame: usize,
    /// Fuel of the operators so far.
    cost: u32,
    total_cost: u32,
    /// Offset of the operator in the module, for errors.
    offset: u64,
    /// The type of each slot of the results.
    results: Vec<ValType>,
}

/// Translates the defined function `func`, whose body has been validated.
pub(crate) fn function<'m>(
    module: &'m ModuleData,
    func: u32,
    facts: &'m FuncFacts,
    options: Options,
) -> Result<Box<[u64]>> {
    let decl = &module.funcs[func as usize];
    let ty = &module.types[decl.ty as usize];
    let range = decl.body.clone();
    let malformed = |error: wasmparser::BinaryReaderError| {
        Error::at(ErrorKind::Malformed, error.message(), error.offset())
    };
    let body = FunctionBody::new(BinaryReader::new(
        &module.bytes[range.clone()],
        range.start as u64,
    ));
    let mut locals = ty.params().to_vec();
    for local in body.get_locals_reader().map_err(malformed)? {
        let (count, ty) = local.map_err(malformed)?;
        locals.extend(core::iter::repeat_n(
            val_type(ty, &module.type_ids, range.start as u64)?,
            count as usize,
        ));
    }
    let (locals, local_slots) = slots::of_locals(locals);
    let mut t = Translator {
        module,
        fast: options.fast && cfg!(feature = "fast"),
        fuel: options.fuel,
        code: Vec::with_capacity(range.len() + 8),
        frame: locals.len().max(ty.result_slots()),
        named: vec![0; locals.len()],
        locals,
        local_slots,
        stack: Vec::new(),
        settled: 0,
        frames: Vec::new(),
        clauses: Vec::new(),
        handlers: Vec::new(),
        returning: Vec::new(),
        acc: [Held::Nothing; 3],
        last: None,
        #[cfg(feature = "simd")]
        vector: None,
        makers: [None; 3],
        vacated: None,
        stepped: None,
        simple: None,
        constant: None,
        label: 0,
        arrived: Vec::new(),
        pin: None,
        loops: 0,
        records: &facts.loops,
        cost: 0,
        total_cost: facts.cost,
        offset: range.start as u64,
        results: slots::each(ty.results()).collect(),
    };
    t.code.extend([0, 0]);
    t.home(0)?;
    let params = ty.param_slots();
    if t.locals.len() > params {
        t.emit(word(
            op::Zero,
            params as u16,
            (t.locals.len() - params) as u16,
            0,
        ));
    }
    t.frames.push(Frame::function(ty.result_slots()));
    let mut operators = body.get_operators_reader().map_err(malformed)?;
    while !t.frames.is_empty() {
        t.offset = operators.original_position();
        let operator = operators.read().map_err(malformed)?;
        t.operator(&operator)?;
    }
    let frame = u16::try_from(t.frame).map_err(|_| {
        Error::at(
            ErrorKind::Unsupported,
            "a function that needs more than 65,535 slots",
            range.start as u64,
        )
    })?;
    let words = header(
        frame,
        params as u16,
        ty.result_slots() as u16,
        facts.cost,
        func,
    );
    t.code[0] = words[0].to_le();
    t.code[1] = words[1].to_le();
    t.append_handlers()?;
    Ok(t.code.into_boxed_slice())
}

/// A value type of ours; others are refused by name. `ids` are the engine's numbers of the module's types.
pub(crate) fn val_type(ty: wasmparser::ValType, ids: &[u32], offset: u64) -> Result<ValType> {
    let refuse = |what: &str| Err(Error::at(ErrorKind::Unsupported, what, offset));
    Ok(match ty {
        wasmparser::ValType::I32 => ValType::I32,
        wasmparser::ValType::I64 => ValType::I64,
        wasmparser::ValType::F32 => ValType::F32,
        wasmparser::ValType::F64 => ValType::F64,
        wasmparser::ValType::V128 if cfg!(feature = "simd") => ValType::V128,
        wasmparser::ValType::V128 => return refuse("simd: the type v128"),
        wasmparser::ValType::Ref(ty) => match heap_type(ty.heap_type(), ids) {
            Some(heap) => ValType::reference(ty.is_nullable(), heap),
            None => return refuse("garbage collection: a type of references"),
        },
    })
}

fn heap_type(ty: wasmparser::HeapType, ids: &[u32]) -> Option<HeapType> {
    use wasmparser::AbstractHeapType as Abstract;
    use wasmparser::HeapType as Heap;
    Some(match ty {
        Heap::Abstract { shared: true, .. } | Heap::Exact(_) => return None,
        Heap::Abstract { ty, .. } => match ty {
            Abstract::Func => HeapType::Func,
            Abstract::Extern => HeapType::Extern,
            Abstract::Exn => HeapType::Exn,
            _ => return None,
        },
        Heap::Concrete(index) => HeapType::Concrete(*ids.get(index.as_module_index()? as usize)?),
    })
}
