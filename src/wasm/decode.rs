//! From bytes to [`ModuleData`]: wasmparser decodes and validates, this file keeps what running needs.
//!
//! Bytes in, a module or an error with an offset out. All bodies are validated here, and what the
//! translator wants to know of them beforehand (fuel, loops) is noted on the way; bodies themselves
//! stay in the binary until they are translated.

use crate::code::module::*;
use crate::error::{Error, ErrorKind, Result};
use crate::translate::cost;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::ToString;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Range;
use spin::Once;
use wasmparser as wp;
use wasmparser::{Operator, Parser, Payload, ValidPayload, Validator, WasmFeatures};

/// Decodes and validates a module; `intern` numbers its function types in the engine.
pub(crate) fn decode(
    bytes: &[u8],
    features: WasmFeatures,
    mut intern: impl FnMut(&FuncType) -> u32,
) -> Result<ModuleData> {
    let mut validator = Validator::new_with_features(features);
    let mut allocations = wp::FuncValidatorAllocations::default();
    let mut parser = Parser::new(0);
    parser.set_features(features);
    let mut module = empty(bytes);
    let mut bodies = 0;
    for payload in parser.parse_all(bytes) {
        let payload = payload.map_err(|error| from_parser(error, ErrorKind::Malformed))?;
        if let Payload::Version { encoding: wp::Encoding::Component, .. } = payload {
            return Err(Error::at(ErrorKind::Invalid, "a component where a core module is expected", 0));
        }
        let valid = validator
            .payload(&payload)
            .map_err(|error| from_parser(error, ErrorKind::Invalid))?;
        if let ValidPayload::Func(func, body) = valid {
            let mut func = func.into_validator(allocations);
            let facts = validate_body(&mut func, &body)?;
            allocations = func.into_allocations();
            if let Some(decl) = module.funcs.get_mut(bodies) {
                let range = body.range();
                decl.body = offset(range.start)..offset(range.end);
                decl.facts.call_once(|| facts);
            }
            bodies += 1;
            continue;
        }
        section(&mut module, payload, &mut intern)?;
    }
    Ok(module)
}

fn empty(bytes: &[u8]) -> ModuleData {
    ModuleData {
        bytes: Arc::from(bytes),
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
        globals: Vec::new(),
        imported_globals: 0,
        global_inits: Vec::new(),
        elements: Vec::new(),
        data: Vec::new(),
        start: None,
        names: Vec::new(),
    }
}

/// A position in the binary, which is in memory and so fits.
fn offset(at: u64) -> usize {
    usize::try_from(at).unwrap_or(usize::MAX)
}

fn from_parser(error: wp::Error, kind: ErrorKind) -> Error {
    Error::at(kind, error.message(), offset(error.offset()))
}

fn malformed(error: wp::Error) -> Error {
    from_parser(error, ErrorKind::Malformed)
}

fn unsupported(what: impl core::fmt::Display, at: u64) -> Error {
    Error::at(ErrorKind::Unsupported, what, offset(at))
}

/// Validates a body and notes its cost and its loops.
fn validate_body<T: wp::WasmModuleResources>(
    validator: &mut wp::FuncValidator<T>,
    body: &wp::FunctionBody<'_>,
) -> Result<FuncFacts> {
    let invalid = |error| from_parser(error, ErrorKind::Invalid);
    let mut reader = body.get_binary_reader();
    validator.read_locals(&mut reader).map_err(invalid)?;
    let mut ops = wp::OperatorsReader::new(reader);
    let mut notes = Notes::default();
    while !ops.eof() {
        let (op, at) = ops.read_with_offset().map_err(malformed)?;
        validator.op(at, &op).map_err(invalid)?;
        if let Operator::LocalGet { local_index }
        | Operator::LocalSet { local_index }
        | Operator::LocalTee { local_index } = op
            && let Some(wp::ValType::I32 | wp::ValType::I64) = validator.get_local_type(local_index)
        {
            notes.touch(local_index);
        }
        notes.operator(&op);
    }
    ops.finish().map_err(malformed)?;
    Ok(FuncFacts {
        cost: notes.cost,
        loops: notes.loops.into(),
    })
}

/// What is noted of a body while it is validated.
#[derive(Default)]
struct Notes {
    cost: u32,
    loops: Vec<LoopRecord>,
    /// For each open control frame, whether it is a loop.
    frames: Vec<bool>,
    /// For each open loop, its record and how often it uses each local.
    open: Vec<(usize, Vec<(u32, u32)>)>,
}

impl Notes {
    fn operator(&mut self, op: &Operator<'_>) {
        self.cost = self.cost.saturating_add(cost(op));
        match op {
            Operator::Block { .. } | Operator::If { .. } => self.frames.push(false),
            Operator::Loop { .. } => {
                self.mark();
                self.frames.push(true);
                self.open.push((self.loops.len(), Vec::new()));
                self.loops.push(LoopRecord {
                    hottest_local: None,
                    has_call_or_loop: false,
                });
            }
            Operator::End => self.close(),
            Operator::Call { .. }
            | Operator::CallIndirect { .. }
            | Operator::ReturnCall { .. }
            | Operator::ReturnCallIndirect { .. } => self.mark(),
            _ => {}
        }
    }

    /// The innermost loop holds a call or another loop. Those around it hold a loop anyway.
    fn mark(&mut self) {
        if let Some((record, _)) = self.open.last() {
            self.loops[*record].has_call_or_loop = true;
        }
    }

    /// Only the innermost loop counts: no other can have a pinned local. Beyond a few locals the
    /// rest are left out, so that the work stays linear.
    fn touch(&mut self, local: u32) {
        const COUNTED: usize = 16;
        let Some((_, uses)) = self.open.last_mut() else {
            return;
        };
        match uses.iter().position(|(known, _)| *known == local) {
            Some(at) => uses[at].1 += 1,
            None if uses.len() < COUNTED => uses.push((local, 1)),
            None => {}
        }
    }

    fn close(&mut self) {
        if self.frames.pop() == Some(true)
            && let Some((record, uses)) = self.open.pop()
        {
            let most = uses
                .iter()
                .max_by_key(|(local, count)| (*count, u32::MAX - local));
            self.loops[record].hottest_local = most.map(|(local, _)| *local);
        }
    }
}

fn section(
    module: &mut ModuleData,
    payload: Payload<'_>,
    intern: &mut impl FnMut(&FuncType) -> u32,
) -> Result<()> {
    match payload {
        Payload::TypeSection(reader) => {
            let at = reader.range().start;
            for ty in reader.into_iter_err_on_gc_types() {
                let ty = ty.map_err(malformed)?;
                let ty = func_type(&ty, at)?;
                module.type_ids.push(intern(&ty));
                module.types.push(ty);
            }
        }
        Payload::ImportSection(reader) => {
            let at = reader.range().start;
            for import in reader.into_imports() {
                import_of(module, import.map_err(malformed)?, at)?;
            }
        }
        Payload::FunctionSection(reader) => {
            for ty in reader {
                let ty = ty.map_err(malformed)?;
                module.func_types.push(ty);
                module.funcs.push(FuncDecl {
                    ty,
                    body: 0..0,
                    facts: Once::new(),
                    code: Once::new(),
                });
            }
        }
        Payload::TableSection(reader) => {
            let at = reader.range().start;
            for table in reader {
                let table = table.map_err(malformed)?;
                let init = match table.init {
                    wp::TableInit::RefNull => None,
                    wp::TableInit::Expr(expr) => Some(const_expr(&expr)?),
                };
                module.tables.push((table_type(&table.ty, at)?, init));
            }
        }
        Payload::MemorySection(reader) => {
            let at = reader.range().start;
            for memory in reader {
                module.memories.push(memory_type(&memory.map_err(malformed)?, at)?);
            }
        }
        Payload::GlobalSection(reader) => {
            let at = reader.range().start;
            for global in reader {
                let global = global.map_err(malformed)?;
                module.globals.push(global_type(&global.ty, at)?);
                module.global_inits.push(const_expr(&global.init_expr)?);
            }
        }
        Payload::ExportSection(reader) => {
            let at = reader.range().start;
            for export in reader {
                let export = export.map_err(malformed)?;
                module.exports.push(Export {
                    name: export.name.into(),
                    index: extern_index(export.kind, export.index, at)?,
                });
            }
        }
        Payload::StartSection { func, .. } => module.start = Some(func),
        Payload::ElementSection(reader) => {
            for element in reader {
                module.elements.push(element_of(element.map_err(malformed)?)?);
            }
        }
        Payload::DataSection(reader) => {
            for data in reader {
                module.data.push(data_of(data.map_err(malformed)?)?);
            }
        }
        Payload::TagSection(reader) => return Err(unsupported("exceptions", reader.range().start)),
        Payload::CustomSection(custom) => {
            if let wp::KnownCustom::Name(reader) = custom.as_known() {
                names(module, reader);
            }
        }
        _ => {}
    }
    Ok(())
}

/// Reads function names; a malformed name section is none, since it has no meaning.
fn names(module: &mut ModuleData, reader: wp::NameSectionReader<'_>) {
    for part in reader {
        let Ok(wp::Name::Function(map)) = part else { continue };
        for naming in map {
            let Ok(naming) = naming else { break };
            module.names.push((naming.index, naming.name.to_string()));
        }
    }
    module.names.sort_by_key(|(index, _)| *index);
    module.names.dedup_by_key(|(index, _)| *index);
}

fn val_type(ty: wp::ValType, at: u64) -> Result<ValType> {
    Ok(match ty {
        wp::ValType::I32 => ValType::I32,
        wp::ValType::I64 => ValType::I64,
        wp::ValType::F32 => ValType::F32,
        wp::ValType::F64 => ValType::F64,
        wp::ValType::V128 => return Err(unsupported("SIMD", at)),
        wp::ValType::Ref(ty) => ref_type(ty, at)?,
    })
}

fn ref_type(ty: wp::RefType, at: u64) -> Result<ValType> {
    if ty == wp::RefType::FUNCREF {
        Ok(ValType::FuncRef)
    } else if ty == wp::RefType::EXTERNREF {
        Ok(ValType::ExternRef)
    } else {
        Err(unsupported(format!("references of type {ty}"), at))
    }
}

fn func_type(ty: &wp::FuncType, at: u64) -> Result<FuncType> {
    let all = |types: &[wp::ValType]| -> Result<Vec<ValType>> {
        types.iter().map(|ty| val_type(*ty, at)).collect()
    };
    Ok(FuncType::new(all(ty.params())?, all(ty.results())?))
}

fn global_type(ty: &wp::GlobalType, at: u64) -> Result<GlobalType> {
    if ty.shared {
        return Err(unsupported("shared globals", at));
    }
    Ok(GlobalType {
        content: val_type(ty.content_type, at)?,
        mutable: ty.mutable,
    })
}

fn table_type(ty: &wp::TableType, at: u64) -> Result<TableType> {
    if ty.table64 || ty.shared {
        return Err(unsupported("64-bit or shared tables", at));
    }
    Ok(TableType {
        element: ref_type(ty.element_type, at)?,
        minimum: u32::try_from(ty.initial).unwrap_or(u32::MAX),
        maximum: ty.maximum.map(|most| u32::try_from(most).unwrap_or(u32::MAX)),
    })
}

fn memory_type(ty: &wp::MemoryType, at: u64) -> Result<MemoryType> {
    if ty.memory64 || ty.shared || ty.page_size_log2.is_some() {
        return Err(unsupported("64-bit or shared memories, or custom page sizes", at));
    }
    Ok(MemoryType {
        minimum: u32::try_from(ty.initial).unwrap_or(u32::MAX),
        maximum: ty.maximum.map(|most| u32::try_from(most).unwrap_or(u32::MAX)),
    })
}

fn import_of(module: &mut ModuleData, import: wp::Import<'_>, at: u64) -> Result<()> {
    let index = match import.ty {
        wp::TypeRef::Func(ty) => {
            module.func_types.push(ty);
            module.imported_funcs += 1;
            ExternIndex::Func(module.imported_funcs - 1)
        }
        wp::TypeRef::Table(ty) => {
            module.tables.push((table_type(&ty, at)?, None));
            module.imported_tables += 1;
            ExternIndex::Table(module.imported_tables - 1)
        }
        wp::TypeRef::Memory(ty) => {
            module.memories.push(memory_type(&ty, at)?);
            module.imported_memories += 1;
            ExternIndex::Memory(module.imported_memories - 1)
        }
        wp::TypeRef::Global(ty) => {
            module.globals.push(global_type(&ty, at)?);
            module.imported_globals += 1;
            ExternIndex::Global(module.imported_globals - 1)
        }
        _ => return Err(unsupported("imports of tags or exact functions", at)),
    };
    module.imports.push(Import {
        module: import.module.into(),
        name: import.name.into(),
        index,
    });
    Ok(())
}

fn extern_index(kind: wp::ExternalKind, index: u32, at: u64) -> Result<ExternIndex> {
    Ok(match kind {
        wp::ExternalKind::Func => ExternIndex::Func(index),
        wp::ExternalKind::Table => ExternIndex::Table(index),
        wp::ExternalKind::Memory => ExternIndex::Memory(index),
        wp::ExternalKind::Global => ExternIndex::Global(index),
        _ => return Err(unsupported("exported tags", at)),
    })
}

fn const_expr(expr: &wp::ConstExpr<'_>) -> Result<ConstExpr> {
    let mut ops = Vec::new();
    let mut reader = expr.get_operators_reader();
    while !reader.eof() {
        let (op, at) = reader.read_with_offset().map_err(malformed)?;
        ops.push(match op {
            Operator::I32Const { value } => ConstOp::Const(u64::from(value as u32)),
            Operator::I64Const { value } => ConstOp::Const(value as u64),
            Operator::F32Const { value } => ConstOp::Const(value.bits().into()),
            Operator::F64Const { value } => ConstOp::Const(value.bits()),
            Operator::GlobalGet { global_index } => ConstOp::GlobalGet(global_index),
            Operator::RefNull { .. } => ConstOp::RefNull,
            Operator::RefFunc { function_index } => ConstOp::RefFunc(function_index),
            Operator::I32Add => ConstOp::I32Add,
            Operator::I32Sub => ConstOp::I32Sub,
            Operator::I32Mul => ConstOp::I32Mul,
            Operator::I64Add => ConstOp::I64Add,
            Operator::I64Sub => ConstOp::I64Sub,
            Operator::I64Mul => ConstOp::I64Mul,
            Operator::End => break,
            other => return Err(unsupported(format!("{other:?} in a constant expression"), at)),
        });
    }
    Ok(ops.into())
}

fn element_of(element: wp::Element<'_>) -> Result<ElementSegment> {
    let mode = match element.kind {
        wp::ElementKind::Passive => SegmentMode::Passive,
        wp::ElementKind::Declared => SegmentMode::Declared,
        wp::ElementKind::Active { table_index, offset_expr } => SegmentMode::Active {
            index: table_index.unwrap_or(0),
            offset: const_expr(&offset_expr)?,
        },
    };
    let mut items: Vec<ConstExpr> = Vec::new();
    match element.items {
        wp::ElementItems::Functions(reader) => {
            for func in reader {
                items.push(Box::new([ConstOp::RefFunc(func.map_err(malformed)?)]));
            }
        }
        wp::ElementItems::Expressions(_, reader) => {
            for expr in reader {
                items.push(const_expr(&expr.map_err(malformed)?)?);
            }
        }
    }
    Ok(ElementSegment {
        mode,
        items: items.into(),
    })
}

fn data_of(data: wp::Data<'_>) -> Result<DataSegment> {
    let mode = match data.kind {
        wp::DataKind::Passive => SegmentMode::Passive,
        wp::DataKind::Active { memory_index, offset_expr } => SegmentMode::Active {
            index: memory_index,
            offset: const_expr(&offset_expr)?,
        },
    };
    let end = offset(data.range.end);
    let bytes: Range<usize> = end - data.data.len()..end;
    Ok(DataSegment { mode, bytes })
}
