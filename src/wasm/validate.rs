//! Validation of function bodies, and what one pass over the operators can tell the translator.
//!
//! The translator makes one pass of its own and can't look ahead; so this pass counts the fuel that
//! a body costs and finds, for every loop without calls and inner loops, the local that is worth a
//! machine register. Both are hints about speed or sums about fuel: safety depends on neither.

use super::decode::invalid;
use crate::code::module::{FuncFacts, LoopRecord, ModuleData, ValidateBody};
use crate::error::Result;
use crate::translate::cost::cost;
use alloc::vec::Vec;
use wasmparser::{
    BinaryReader, FrameKind, FuncToValidate, FuncValidator, FuncValidatorAllocations, FunctionBody,
    Operator as O, ValType, ValidatorResources, WasmFeatures,
};
#[cfg(feature = "fast")]
use wasmparser::{FrameStack, VisitOperator};

/// Uses that a local must have in a loop to be worth keeping in a register.
const WORTHWHILE: i32 = 4;

/// Validates the bodies of a module one by one, when they are entered.
#[derive(Debug)]
pub(super) struct Later {
    /// The module as the bodies see it: the same for all of them.
    resources: ValidatorResources,
    features: WasmFeatures,
}

impl Later {
    /// From what the validator made of the module's first body.
    pub(super) fn new(first: FuncToValidate<ValidatorResources>) -> Later {
        Later {
            features: first.features,
            resources: first.resources,
        }
    }
}

impl ValidateBody for Later {
    fn facts(&self, module: &ModuleData, func: u32) -> Result<FuncFacts> {
        let decl = &module.funcs[func as usize];
        let bytes = &module.bytes[decl.body.clone()];
        let start = decl.body.start as u64;
        let reader = BinaryReader::new_features(bytes, start, self.features);
        let to_validate = FuncToValidate {
            resources: self.resources.clone(),
            index: module.imported_funcs + func,
            ty: decl.ty,
            features: self.features,
        };
        let mut validator = to_validate.into_validator(FuncValidatorAllocations::default());
        function(
            &mut validator,
            &FunctionBody::new(reader),
            &mut Loops::default(),
        )
    }
}

/// A block that is open.
#[derive(Clone, Copy)]
struct Block {
    /// The loop that it is or is in.
    around: Option<usize>,
    kind: FrameKind,
}

/// State that serves many functions.
#[derive(Default)]
pub(super) struct Loops {
    records: Vec<LoopRecord>,
    open: Vec<Block>,
    /// How often the newest loop used each local, and which it used.
    scores: Vec<i32>,
    touched: Vec<u32>,
    /// Whether the newest loop is open and may still get a register: uses of locals are counted.
    counting: bool,
    /// The fuel of the body so far.
    cost: u64,
    /// Whether the last operator computed a value that can stay in a register.
    computed: bool,
    /// The loop that the last operator ended.
    closed: Option<usize>,
}

/// Validates a body, counts its fuel and describes its loops.
pub(super) fn function(
    validator: &mut FuncValidator<ValidatorResources>,
    body: &FunctionBody,
    loops: &mut Loops,
) -> Result<FuncFacts> {
    let mut reader = body.get_binary_reader();
    validator.read_locals(&mut reader).map_err(invalid)?;
    loops.start(validator.len_locals() as usize);
    operators(validator, reader, loops).map_err(invalid)?;
    Ok(FuncFacts {
        cost: u32::try_from(loops.cost).unwrap_or(u32::MAX),
        loops: loops.records.as_slice().into(),
    })
}

/// Validates and notes the operators: read, validated and noted by one call each, which is small.
#[cfg(not(feature = "fast"))]
fn operators(
    validator: &mut FuncValidator<ValidatorResources>,
    reader: BinaryReader<'_>,
    loops: &mut Loops,
) -> wasmparser::Result<()> {
    let mut operators = wasmparser::OperatorsReader::new(reader);
    while !operators.eof() {
        let offset = operators.original_position();
        let operator = operators.read()?;
        validator.op(offset, &operator)?;
        loops.operator(&operator);
        loops.after(validator);
    }
    operators.finish()
}

/// Validates and notes the operators: the reader's one match leads to code that does both, and asks for the open
/// block what is noted anyhow. What it saves shows in the bench `components --only load`, against validation alone.
#[cfg(feature = "fast")]
fn operators(
    validator: &mut FuncValidator<ValidatorResources>,
    mut reader: BinaryReader<'_>,
    loops: &mut Loops,
) -> wasmparser::Result<()> {
    while !reader.eof() {
        let offset = reader.original_position();
        {
            #[cfg(not(feature = "simd"))]
            let validator = validator.visitor(offset);
            #[cfg(feature = "simd")]
            let validator = validator.simd_visitor(offset);
            reader.visit_operator(&mut Noting { validator, loops })??;
        }
        loops.after(validator);
    }
    reader.finish_expression(loops)
}

/// Notes what a validator has found valid.
#[cfg(feature = "fast")]
struct Noting<'l, V> {
    validator: V,
    loops: &'l mut Loops,
}

#[cfg(feature = "fast")]
impl<V> FrameStack for Noting<'_, V> {
    #[inline]
    fn current_frame(&self) -> Option<FrameKind> {
        self.loops.current_frame()
    }
}

#[cfg(feature = "fast")]
impl FrameStack for Loops {
    #[inline]
    fn current_frame(&self) -> Option<FrameKind> {
        self.open.last().map(|block| block.kind)
    }
}

#[cfg(feature = "fast")]
macro_rules! note {
    ($( @$proposal:ident $op:ident $({ $($arg:ident: $argty:ty),* })? => $visit:ident ($($arity:tt)*))*) => {$(
        #[inline]
        fn $visit(&mut self $($(, $arg: $argty)*)?) -> Self::Output {
            let operator = O::$op $({ $($arg: $arg.clone()),* })?;
            self.validator.$visit($($($arg),*)?)?;
            self.loops.operator(&operator);
            Ok(())
        }
    )*};
}

#[cfg(feature = "fast")]
// Most arguments are numbers, and few are not.
#[allow(clippy::clone_on_copy)]
impl<'a, V: Validates<'a>> VisitOperator<'a> for Noting<'_, V> {
    type Output = wasmparser::Result<()>;
    #[cfg(feature = "simd")]
    fn simd_visitor(
        &mut self,
    ) -> Option<&mut dyn wasmparser::VisitSimdOperator<'a, Output = Self::Output>> {
        Some(self)
    }
    wasmparser::for_each_visit_operator!(note);
}

#[cfg(all(feature = "fast", feature = "simd"))]
#[allow(clippy::clone_on_copy)]
impl<'a, V: Validates<'a>> wasmparser::VisitSimdOperator<'a> for Noting<'_, V> {
    wasmparser::for_each_visit_simd_operator!(note);
}

#[cfg(all(feature = "fast", not(feature = "simd")))]
use wasmparser::VisitOperator as Operators;
/// What validates every operator that there is in this build.
#[cfg(all(feature = "fast", feature = "simd"))]
use wasmparser::VisitSimdOperator as Operators;
#[cfg(feature = "fast")]
trait Validates<'a>: Operators<'a, Output = wasmparser::Result<()>> {}
#[cfg(feature = "fast")]
impl<'a, V: Operators<'a, Output = wasmparser::Result<()>>> Validates<'a> for V {}

/// Operators that can compute a pinned local's new value in its register.
#[cfg_attr(feature = "fast", inline(always))]
fn updates_register(operator: &O) -> bool {
    matches!(
        operator,
        O::I32Add
            | O::I32Sub
            | O::I32And
            | O::I32Or
            | O::I32Xor
            | O::I32Shl
            | O::I32ShrS
            | O::I32ShrU
            | O::I64Add
            | O::I64Sub
            | O::I64And
            | O::I64Or
            | O::I64Xor
            | O::I64Shl
            | O::I64ShrS
            | O::I64ShrU
    )
}

impl Loops {
    fn start(&mut self, locals: usize) {
        self.records.clear();
        self.open.clear();
        (self.cost, self.computed, self.closed) = (0, false, None);
        self.counting = false;
        // The function's own.
        self.block(None, FrameKind::Block);
        self.forget();
        if self.scores.len() < locals {
            self.scores.resize(locals, 0);
        }
    }

    fn forget(&mut self) {
        for local in self.touched.drain(..) {
            self.scores[local as usize] = 0;
        }
    }

    /// The innermost open loop.
    fn innermost(&self) -> Option<usize> {
        self.open.last().and_then(|block| block.around)
    }

    fn block(&mut self, around: Option<usize>, kind: FrameKind) {
        self.open.push(Block { around, kind });
    }

    /// After an operator: judges the loop that it has ended.
    fn after(&mut self, validator: &FuncValidator<ValidatorResources>) {
        if let Some(closed) = self.closed.take() {
            self.close(closed, |local| {
                matches!(
                    validator.get_local_type(local),
                    Some(ValType::I32 | ValType::I64)
                )
            });
        }
    }

    fn disturb(&mut self) {
        if let Some(inner) = self.innermost() {
            self.records[inner].has_call_or_loop = true;
        }
        self.counting = false;
    }

    fn score(&mut self, local: u32, by: i32) {
        if self.counting {
            self.scores[local as usize] += by;
            self.touched.push(local);
        }
    }

    /// Notes a valid operator. Where it is known which one it is, little of this remains.
    #[cfg_attr(feature = "fast", inline(always))]
    fn operator(&mut self, operator: &O) {
        self.cost += u64::from(cost(operator));
        let computed = core::mem::replace(&mut self.computed, updates_register(operator));
        match *operator {
            O::Block { .. } => self.block(self.innermost(), FrameKind::Block),
            O::If { .. } => self.block(self.innermost(), FrameKind::If),
            O::Else => {
                if let Some(block) = self.open.last_mut() {
                    block.kind = FrameKind::Else;
                }
            }
            // Where a handler is entered, no register holds anything.
            O::TryTable { .. } => {
                self.disturb();
                self.block(self.innermost(), FrameKind::TryTable);
            }
            O::Loop { .. } => {
                self.disturb();
                self.forget();
                self.block(Some(self.records.len()), FrameKind::Loop);
                self.records.push(LoopRecord {
                    hottest_local: None,
                    has_call_or_loop: false,
                });
                self.counting = true;
            }
            O::End => {
                let closed = self.open.pop().and_then(|block| block.around);
                if let Some(closed) = closed
                    && self.innermost() != Some(closed)
                {
                    self.closed = Some(closed);
                    // A loop around it contains a loop.
                    self.counting = false;
                }
            }
            O::LocalGet { local_index } => self.score(local_index, 1),
            // A value that is computed elsewhere has to be moved into the register.
            O::LocalSet { local_index } | O::LocalTee { local_index } => {
                self.score(local_index, if computed { 2 } else { -3 });
            }
            _ if leaves_the_machine(operator) => self.disturb(),
            _ => {}
        }
    }

    fn close(&mut self, index: usize, integer: impl Fn(u32) -> bool) {
        if !self.records[index].has_call_or_loop {
            let mut best = WORTHWHILE - 1;
            for &local in &self.touched {
                let score = self.scores[local as usize];
                if score > best && integer(local) {
                    best = score;
                    self.records[index].hottest_local = Some(local);
                }
            }
        }
        self.forget();
    }
}

/// Calls, and the operators whose work is done outside the machine's loop.
#[cfg_attr(feature = "fast", inline(always))]
fn leaves_the_machine(operator: &O) -> bool {
    matches!(
        operator,
        O::Call { .. }
            | O::CallIndirect { .. }
            | O::CallRef { .. }
            | O::MemoryGrow { .. }
            | O::MemoryFill { .. }
            | O::MemoryCopy { .. }
            | O::MemoryInit { .. }
            | O::DataDrop { .. }
            | O::TableGrow { .. }
            | O::TableFill { .. }
            | O::TableCopy { .. }
            | O::TableInit { .. }
            | O::ElemDrop { .. }
            | O::RefFunc { .. }
            | O::Throw { .. }
            | O::ThrowRef
    )
}
