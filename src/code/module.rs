//! A core module as plain data: what its code runs against.
//!
//! Made once by `wasm::decode`, shared by every instance. The only part that changes later is the
//! set of code slots, which translation fills; a slot is set once and never replaced.

use crate::error::{OutOfMemory, Result};
use crate::fallible::{self, Grow, Shared};
use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::ops::Range;
use spin::Once;

/// A name: of its own, or where an image has it.
pub type Text = Cow<'static, str>;

/// A function's code: made on this machine, or where an image has it.
#[derive(Debug)]
pub enum Code {
    /// Translated, or copied out of an image.
    Owned(Box<[u64]>),
    /// In place.
    Static(&'static [u64]),
}

impl From<Box<[u64]>> for Code {
    fn from(words: Box<[u64]>) -> Code {
        Code::Owned(words)
    }
}

impl core::ops::Deref for Code {
    type Target = [u64];
    fn deref(&self) -> &[u64] {
        match self {
            Code::Owned(words) => words,
            Code::Static(words) => words,
        }
    }
}

/// The bytes that a module's segments are ranges of: a binary's, or where an image has them.
#[derive(Clone, Debug)]
pub(crate) enum Bytes {
    /// Shared by the modules of one binary.
    Shared(Shared<Vec<u8>>),
    /// In place.
    Static(&'static [u8]),
}

impl core::ops::Deref for Bytes {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        match self {
            Bytes::Shared(bytes) => bytes,
            Bytes::Static(bytes) => bytes,
        }
    }
}

/// A core value type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ValType {
    /// Integers of 32 bits.
    I32,
    /// Integers of 64 bits.
    I64,
    /// Floats of 32 bits.
    F32,
    /// Floats of 64 bits.
    F64,
    /// Vectors of 128 bits.
    V128,
    /// References to functions, or null.
    FuncRef,
    /// References to what is the embedder's, or null.
    ExternRef,
    /// References to exceptions, or null.
    ExnRef,
    /// Any other type of references.
    Ref(RefType),
}

/// A type of references that is not simply `funcref`, `externref` or `exnref`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RefType {
    nullable: bool,
    heap: HeapType,
}

/// What references refer to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum HeapType {
    Func,
    Extern,
    Exn,
    /// Functions of the type with this number in the engine.
    Concrete(u32),
}

impl ValType {
    /// How many slots or cells of 64 bits its values take. Whatever counts slots asks this.
    pub(crate) const fn slots(self) -> usize {
        match self {
            ValType::V128 => 2,
            _ => 1,
        }
    }
    /// A type of references.
    pub fn reference(nullable: bool, heap: HeapType) -> ValType {
        match (nullable, heap) {
            (true, HeapType::Func) => ValType::FuncRef,
            (true, HeapType::Extern) => ValType::ExternRef,
            (true, HeapType::Exn) => ValType::ExnRef,
            _ => ValType::Ref(RefType { nullable, heap }),
        }
    }
    /// Whether null is of it, and what it refers to, if it is a type of references.
    pub fn as_reference(self) -> Option<(bool, HeapType)> {
        Some(match self {
            ValType::FuncRef => (true, HeapType::Func),
            ValType::ExternRef => (true, HeapType::Extern),
            ValType::ExnRef => (true, HeapType::Exn),
            ValType::Ref(ty) => (ty.nullable, ty.heap),
            _ => return None,
        })
    }
    /// Whether every value of it is one of `other`.
    pub fn matches(self, other: ValType) -> bool {
        match (self.as_reference(), other.as_reference()) {
            (Some((null, heap)), Some((may_be_null, other))) => {
                let concrete = matches!(heap, HeapType::Concrete(_)) && other == HeapType::Func;
                (may_be_null || !null) && (heap == other || concrete)
            }
            _ => self == other,
        }
    }
    /// The most general type of references to the same kind of things; numbers are of their own.
    pub(crate) fn kind(self) -> ValType {
        match self.as_reference() {
            Some((_, HeapType::Func | HeapType::Concrete(_))) => ValType::FuncRef,
            Some((_, HeapType::Extern)) => ValType::ExternRef,
            Some((_, HeapType::Exn)) => ValType::ExnRef,
            None => self,
        }
    }
    /// Whether it is a type of references to exceptions.
    pub(crate) fn is_exception(self) -> bool {
        self.kind() == ValType::ExnRef
    }
}

impl core::fmt::Display for ValType {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            ValType::Ref(ty) => return ty.fmt(f),
            ValType::I32 => "i32",
            ValType::I64 => "i64",
            ValType::F32 => "f32",
            ValType::F64 => "f64",
            ValType::V128 => "v128",
            ValType::FuncRef => "funcref",
            ValType::ExternRef => "externref",
            ValType::ExnRef => "exnref",
        })
    }
}

impl core::fmt::Display for RefType {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(if self.nullable { "(ref null " } else { "(ref " })?;
        match self.heap {
            HeapType::Func => f.write_str("func)"),
            HeapType::Extern => f.write_str("extern)"),
            HeapType::Exn => f.write_str("exn)"),
            HeapType::Concrete(number) => write!(f, "type {number})"),
        }
    }
}

/// The type of a function: parameters, then results.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FuncType {
    types: Shared<Vec<ValType>>,
    params: usize,
    param_slots: u16,
    result_slots: u16,
}

/// How many slots values of these types take.
pub(crate) const fn slots_of(types: &[ValType]) -> usize {
    let (mut slots, mut at) = (0, 0);
    while at < types.len() {
        slots += types[at].slots();
        at += 1;
    }
    slots
}

impl FuncType {
    /// A type from its parameters and results.
    ///
    /// # Panics
    /// If the host has no memory for it.
    pub fn new(
        params: impl IntoIterator<Item = ValType>,
        results: impl IntoIterator<Item = ValType>,
    ) -> Self {
        FuncType::try_new(params, results).expect("memory for a function's type")
    }

    pub(crate) fn try_new(
        params: impl IntoIterator<Item = ValType>,
        results: impl IntoIterator<Item = ValType>,
    ) -> Result<Self, OutOfMemory> {
        let mut types = fallible::collect(params)?;
        let params = types.len();
        types.try_extend(results)?;
        Ok(FuncType {
            // Of valid ones there are at most 1,000 each.
            param_slots: u16::try_from(slots_of(&types[..params])).unwrap_or(u16::MAX),
            result_slots: u16::try_from(slots_of(&types[params..])).unwrap_or(u16::MAX),
            types: Shared::new(types)?,
            params,
        })
    }

    /// How many slots its arguments take.
    pub(crate) fn param_slots(&self) -> usize {
        self.param_slots.into()
    }
    /// How many slots its results take.
    pub(crate) fn result_slots(&self) -> usize {
        self.result_slots.into()
    }
    /// The parameters' types.
    pub fn params(&self) -> &[ValType] {
        &self.types[..self.params]
    }
    /// The results' types.
    pub fn results(&self) -> &[ValType] {
        &self.types[self.params..]
    }
}

impl core::fmt::Display for FuncType {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        for (list, open) in [(self.params(), "("), (self.results(), " -> (")] {
            f.write_str(open)?;
            for (i, ty) in list.iter().enumerate() {
                write!(f, "{}{ty}", if i > 0 { ", " } else { "" })?;
            }
            f.write_str(")")?;
        }
        Ok(())
    }
}

/// The type of a global.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GlobalType {
    /// What it holds.
    pub content: ValType,
    /// Whether it may be written.
    pub mutable: bool,
}

impl GlobalType {
    /// Whether a global of this type can be imported as `expected`.
    pub(crate) fn fits(&self, expected: &GlobalType) -> bool {
        let content = match self.mutable {
            true => self.content == expected.content,
            false => self.content.matches(expected.content),
        };
        content && self.mutable == expected.mutable
    }
}

/// The type of a table: sizes in elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableType {
    /// A type of references.
    pub element: ValType,
    /// Size at first.
    pub minimum: u64,
    /// Size at most.
    pub maximum: Option<u64>,
    /// Whether elements are addressed by `i64`.
    pub table64: bool,
}

impl TableType {
    /// A table whose elements are addressed by `i32`.
    pub fn new(element: ValType, minimum: u32, maximum: Option<u32>) -> TableType {
        TableType {
            element,
            minimum: minimum.into(),
            maximum: maximum.map(u64::from),
            table64: false,
        }
    }
    /// A table whose elements are addressed by `i64`.
    pub fn new64(element: ValType, minimum: u64, maximum: Option<u64>) -> TableType {
        TableType {
            element,
            minimum,
            maximum,
            table64: true,
        }
    }
}

/// The type of a memory: sizes in pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryType {
    /// Size at first.
    pub minimum: u64,
    /// Size at most.
    pub maximum: Option<u64>,
    /// Whether bytes are addressed by `i64`.
    pub memory64: bool,
    /// The binary logarithm of a page's size: 16 but for custom page sizes.
    pub page_size_log2: u8,
}

impl MemoryType {
    /// A memory of pages of 64 KiB whose bytes are addressed by `i32`.
    pub fn new(minimum: u32, maximum: Option<u32>) -> MemoryType {
        MemoryType {
            minimum: minimum.into(),
            maximum: maximum.map(u64::from),
            memory64: false,
            page_size_log2: 16,
        }
    }
    /// A memory of pages of 64 KiB whose bytes are addressed by `i64`.
    pub fn new64(minimum: u64, maximum: Option<u64>) -> MemoryType {
        MemoryType {
            minimum,
            maximum,
            memory64: true,
            page_size_log2: 16,
        }
    }
    /// The size of a page in bytes.
    pub fn page_size(&self) -> u64 {
        1 << self.page_size_log2
    }
    /// Pages that a memory of this type may have, whatever limits say.
    pub(crate) fn most_pages(&self) -> u64 {
        let all = match self.memory64 {
            true => u64::MAX >> self.page_size_log2,
            // Of single bytes as many as a size can tell.
            false => ((1u64 << 32) >> self.page_size_log2).min(u32::MAX.into()),
        };
        self.maximum.map_or(all, |most| most.min(all))
    }
}

/// Whether something of the size `minimum`, which may grow to `maximum`, is as large as the other limits
/// want and grows no further than they allow.
fn limits_fit((minimum, maximum): (u64, Option<u64>), (least, most): (u64, Option<u64>)) -> bool {
    minimum >= least && most.is_none_or(|most| maximum.is_some_and(|max| max <= most))
}

impl TableType {
    /// Whether a table of this type that has `size` elements can be imported as `expected`.
    pub(crate) fn fits(&self, size: u64, expected: &TableType) -> bool {
        self.element == expected.element
            && self.table64 == expected.table64
            && limits_fit((size, self.maximum), (expected.minimum, expected.maximum))
    }
}

impl MemoryType {
    /// Whether a memory of this type that has `size` pages can be imported as `expected`.
    pub(crate) fn fits(&self, size: u64, expected: &MemoryType) -> bool {
        self.memory64 == expected.memory64
            && self.page_size_log2 == expected.page_size_log2
            && limits_fit((size, self.maximum), (expected.minimum, expected.maximum))
    }
}

/// The type of an import or export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExternType {
    /// A function.
    Func(FuncType),
    /// A global.
    Global(GlobalType),
    /// A table.
    Table(TableType),
    /// A linear memory.
    Memory(MemoryType),
    /// A tag of exceptions that carry the parameters.
    Tag(FuncType),
}

impl core::fmt::Display for ExternType {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let limits = |f: &mut core::fmt::Formatter<'_>, min: u64, max: Option<u64>| match max {
            Some(max) => write!(f, "{min}..{max}"),
            None => write!(f, "{min}.."),
        };
        match self {
            ExternType::Func(ty) => write!(f, "func {ty}"),
            ExternType::Global(ty) => {
                write!(
                    f,
                    "global {}{}",
                    if ty.mutable { "mut " } else { "" },
                    ty.content
                )
            }
            ExternType::Table(ty) => {
                let index = if ty.table64 { "i64 " } else { "" };
                write!(f, "table {index}{} ", ty.element)?;
                limits(f, ty.minimum, ty.maximum)
            }
            ExternType::Memory(ty) => {
                f.write_str(if ty.memory64 {
                    "memory i64 "
                } else {
                    "memory "
                })?;
                limits(f, ty.minimum, ty.maximum)?;
                match ty.page_size_log2 {
                    16 => Ok(()),
                    _ => write!(f, " (pagesize {})", ty.page_size()),
                }
            }
            ExternType::Tag(ty) => write!(f, "tag {ty}"),
        }
    }
}

/// Which index space an import or export belongs to, and where in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum ExternIndex {
    Func(u32),
    Global(u32),
    Table(u32),
    Memory(u32),
    Tag(u32),
}

/// An import.
#[derive(Clone, Debug)]
pub struct Import {
    /// The module name.
    pub module: Text,
    /// The field name.
    pub name: Text,
    /// The type it must have, by its place in this module's index spaces.
    pub index: ExternIndex,
}

/// An export.
#[derive(Clone, Debug)]
pub struct Export {
    /// Its name.
    pub name: Text,
    /// What it names.
    pub index: ExternIndex,
}

/// One step of a constant expression, evaluated on a small stack.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)]
pub enum ConstOp {
    Const(u64),
    /// The upper half of the vector whose lower half is the constant before.
    High(u64),
    GlobalGet(u32),
    RefNull,
    RefFunc(u32),
    I32Add,
    I32Sub,
    I32Mul,
    I64Add,
    I64Sub,
    I64Mul,
}

/// A constant expression.
pub type ConstExpr = Box<[ConstOp]>;

/// How a segment reaches its table or memory.
#[derive(Clone, Debug)]
pub enum SegmentMode {
    /// By `table.init` or `memory.init`.
    Passive,
    /// Copied when the module is instantiated.
    Active {
        /// The table or memory.
        index: u32,
        /// Where to.
        offset: ConstExpr,
    },
    /// Only declares functions that `ref.func` may name.
    Declared,
}

/// An element segment.
#[derive(Clone, Debug)]
pub struct ElementSegment {
    /// What its items are: a type of references.
    pub element: ValType,
    /// How it is used.
    pub mode: SegmentMode,
    /// The references.
    pub items: Box<[ConstExpr]>,
}

/// A data segment.
#[derive(Clone, Debug)]
pub struct DataSegment {
    /// How it is used.
    pub mode: SegmentMode,
    /// Where its bytes are in the module.
    pub bytes: Range<usize>,
}

/// What validation learned of a loop, for the translator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoopRecord {
    /// The integer local that is used most, if any.
    pub hottest_local: Option<u32>,
    /// Whether the loop has a call or another loop in it.
    pub has_call_or_loop: bool,
}

/// What is known of a function before it is translated.
#[derive(Clone, Debug, Default)]
pub struct FuncFacts {
    /// Fuel for its whole body.
    pub cost: u32,
    /// Its loops in the order of their headers.
    pub loops: Box<[LoopRecord]>,
}

/// A function that the module defines.
#[derive(Debug)]
pub struct FuncDecl {
    /// Its type's index.
    pub ty: u32,
    /// Its body in the module's bytes.
    pub body: Range<usize>,
    /// Set when the body has been validated.
    pub facts: Once<FuncFacts>,
    /// Set when the body has been translated: header, then instructions. Never replaced, so the
    /// machine may keep pointers into it for as long as the module lives.
    pub code: Once<Code>,
}

/// Validates one body of a module, when it is first entered.
#[cfg_attr(not(feature = "compile"), allow(dead_code))]
pub(crate) trait ValidateBody: core::fmt::Debug + Send + Sync {
    /// What validation learns of the defined function `func`.
    fn facts(&self, module: &ModuleData, func: u32) -> Result<FuncFacts>;
}

/// A decoded core module.
#[derive(Debug)]
pub struct ModuleData {
    /// The binary: bodies, names and data segments are read from it.
    pub(crate) bytes: Bytes,
    /// Function types.
    pub types: Vec<FuncType>,
    /// For each of `types`, its number in the engine, equal for equal types.
    pub type_ids: Vec<u32>,
    /// Imports in order.
    pub imports: Vec<Import>,
    /// Exports in order.
    pub exports: Vec<Export>,
    /// Type index of each function, imported ones first.
    pub func_types: Vec<u32>,
    /// How many of them are imported.
    pub imported_funcs: u32,
    /// Defined functions.
    pub funcs: Vec<FuncDecl>,
    /// Tables, imported ones first, with the initial element of defined ones.
    pub tables: Vec<(TableType, Option<ConstExpr>)>,
    /// How many of them are imported.
    pub imported_tables: u32,
    /// Memories, imported ones first.
    pub memories: Vec<MemoryType>,
    /// How many of them are imported.
    pub imported_memories: u32,
    /// Type index of each tag, imported ones first.
    pub tags: Vec<u32>,
    /// How many of them are imported.
    pub imported_tags: u32,
    /// Globals, imported ones first.
    pub globals: Vec<GlobalType>,
    /// How many of them are imported.
    pub imported_globals: u32,
    /// Initial values of the defined globals.
    pub global_inits: Vec<ConstExpr>,
    /// Element segments.
    pub elements: Vec<ElementSegment>,
    /// Data segments.
    pub data: Vec<DataSegment>,
    /// The start function.
    pub start: Option<u32>,
    /// The module's name from the name section.
    pub name: Option<Text>,
    /// Validates bodies whose `facts` aren't there yet; `None` where all have been validated.
    #[cfg_attr(not(feature = "compile"), allow(dead_code))]
    pub(crate) bodies: Option<Box<dyn ValidateBody>>,
    /// Function names from the name section, sorted by index.
    pub names: Vec<(u32, Text)>,
}

impl ModuleData {
    /// A module with nothing in it, to be filled.
    pub(crate) fn empty(bytes: Bytes) -> ModuleData {
        ModuleData {
            bytes,
            types: Vec::new(),
            type_ids: Vec::new(),
            imports: Vec::new(),
            exports: Vec::new(),
            func_types: Vec::new(),
            imported_funcs: 0,
            funcs: Vec::new(),
            tables: Vec::new(),
            imported_tables: 0,
            memories: Vec::new(),
            imported_memories: 0,
            tags: Vec::new(),
            imported_tags: 0,
            globals: Vec::new(),
            imported_globals: 0,
            global_inits: Vec::new(),
            elements: Vec::new(),
            data: Vec::new(),
            start: None,
            name: None,
            bodies: None,
            names: Vec::new(),
        }
    }
    /// The type of any function of the module.
    pub fn func_type(&self, func: u32) -> &FuncType {
        &self.types[self.func_types[func as usize] as usize]
    }
    /// The type of a tag: what an exception with it carries are the parameters.
    pub fn tag_type(&self, tag: u32) -> &FuncType {
        &self.types[self.tags[tag as usize] as usize]
    }
    /// A function's name, if the binary has one: that of the name section, else of an export.
    pub fn func_name(&self, func: u32) -> Option<&str> {
        let named = self.names.binary_search_by_key(&func, |(index, _)| *index);
        if let Ok(at) = named {
            return Some(&self.names[at].1);
        }
        let exported =
            |export: &&Export| matches!(export.index, ExternIndex::Func(index) if index == func);
        let export = self.exports.iter().find(exported)?;
        Some(&export.name)
    }
    /// The type of something the module imports, defines or exports.
    pub fn extern_type(&self, index: ExternIndex) -> ExternType {
        match index {
            ExternIndex::Func(i) => ExternType::Func(self.func_type(i).clone()),
            ExternIndex::Global(i) => ExternType::Global(self.globals[i as usize]),
            ExternIndex::Table(i) => ExternType::Table(self.tables[i as usize].0),
            ExternIndex::Memory(i) => ExternType::Memory(self.memories[i as usize]),
            ExternIndex::Tag(i) => ExternType::Tag(self.tag_type(i).clone()),
        }
    }
}
