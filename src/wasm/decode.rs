//! Bytes → [`ModuleData`]: decodes and validates in lock step, and learns what translation needs.
//!
//! Whatever a module asks for that is valid but not supported is refused by the name of the feature,
//! with an error kind of its own.

use super::engine::{Config, Engine};
use super::sections::{self, Valid};
use super::validate;
use crate::code::module::*;
use crate::error::{Error, ErrorKind, Result};
use crate::fallible::{Shared, copied};
use crate::translate::val_type;
use alloc::boxed::Box;
use alloc::string::ToString;
use alloc::vec::Vec;
use spin::Once;
use wasmparser::{
    BinaryReaderError, ElementItems, ElementKind, ExternalKind, FuncValidatorAllocations,
    KnownCustom, Operator, Parser, Payload, TypeRef, WasmFeatures,
};

/// Features of core wasm that this runtime has, as the configuration allows them.
pub(crate) fn features(config: &Config) -> WasmFeatures {
    let mut features = WasmFeatures::FLOATS | WasmFeatures::GC_TYPES;
    for (on, flags) in [
        (config.mutable_global, WasmFeatures::MUTABLE_GLOBAL),
        (
            config.saturating_float_to_int,
            WasmFeatures::SATURATING_FLOAT_TO_INT,
        ),
        (config.sign_extension, WasmFeatures::SIGN_EXTENSION),
        (config.multi_value, WasmFeatures::MULTI_VALUE),
        (
            config.bulk_memory,
            WasmFeatures::BULK_MEMORY.union(WasmFeatures::BULK_MEMORY_OPT),
        ),
        (
            config.reference_types,
            WasmFeatures::REFERENCE_TYPES.union(WasmFeatures::CALL_INDIRECT_OVERLONG),
        ),
        (config.extended_const, WasmFeatures::EXTENDED_CONST),
        (config.multi_memory, WasmFeatures::MULTI_MEMORY),
        (config.tail_call, WasmFeatures::TAIL_CALL),
        (config.simd, WasmFeatures::SIMD),
        // Without the operators themselves there is nothing to relax.
        (
            config.simd && config.relaxed_simd,
            WasmFeatures::RELAXED_SIMD,
        ),
        (config.exceptions, WasmFeatures::EXCEPTIONS),
        (
            config.function_references,
            WasmFeatures::FUNCTION_REFERENCES,
        ),
        (config.threads, WasmFeatures::THREADS),
        (config.memory64, WasmFeatures::MEMORY64),
        (config.custom_page_sizes, WasmFeatures::CUSTOM_PAGE_SIZES),
        (config.wide_arithmetic, WasmFeatures::WIDE_ARITHMETIC),
    ] {
        features.set(flags, on);
    }
    features
}

/// The features that are valid WebAssembly and not supported yet, with the names they are refused by.
pub(crate) const UNSUPPORTED: &[(WasmFeatures, &str)] = &[
    #[cfg(not(feature = "simd"))]
    (WasmFeatures::SIMD, "simd"),
    #[cfg(not(feature = "simd"))]
    (WasmFeatures::RELAXED_SIMD, "relaxed-simd"),
    (WasmFeatures::GC, "gc"),
];

/// Early proposals, by whose names components are refused. A module that only they would make
/// valid is simply bad, as the official tests of the finished features say.
pub(crate) const EARLY: &[(WasmFeatures, &str)] = &[
    (
        WasmFeatures::SHARED_EVERYTHING_THREADS,
        "shared-everything-threads",
    ),
    (WasmFeatures::CUSTOM_DESCRIPTORS, "custom-descriptors"),
    (WasmFeatures::LEGACY_EXCEPTIONS, "legacy-exceptions"),
    (WasmFeatures::STACK_SWITCHING, "stack-switching"),
    (WasmFeatures::COMPACT_IMPORTS, "compact-imports"),
    (WasmFeatures::MEMORY_CONTROL, "memory-control"),
];

/// Decodes and validates a module.
pub(crate) fn module(engine: &Engine, bytes: &[u8]) -> Result<ModuleData> {
    if Parser::is_component(bytes) {
        return Err(Error::at(ErrorKind::Unsupported, "components", 4));
    }
    let allowed = features(engine.config());
    match decode(engine, bytes, allowed) {
        Err(error) if error.kind() == ErrorKind::Invalid => {
            Err(name_unsupported(bytes, allowed, UNSUPPORTED).unwrap_or(error))
        }
        Err(error) => Err(rather_invalid(bytes, allowed, error)),
        other => other,
    }
}

/// What isn't supported, unless the binary isn't valid anyway.
pub(crate) fn rather_invalid(bytes: &[u8], allowed: WasmFeatures, error: Error) -> Error {
    if error.kind() != ErrorKind::Unsupported {
        return error;
    }
    let valid = sections::validate_all(allowed, bytes);
    valid.map_or_else(invalid, |()| error)
}

/// If the binary is valid with features that aren't supported, the error that names one of them.
pub(crate) fn name_unsupported(
    bytes: &[u8],
    allowed: WasmFeatures,
    unsupported: &[(WasmFeatures, &str)],
) -> Option<Error> {
    let all = unsupported
        .iter()
        .fold(allowed, |all, (feature, _)| all.union(*feature));
    sections::validate_all(all, bytes).ok()?;
    let mut named = None;
    for (feature, name) in unsupported {
        let without = all.difference(*feature);
        if let Err(error) = sections::validate_all(without, bytes) {
            named = Some(Error::at(ErrorKind::Unsupported, name, error.offset()));
            break;
        }
    }
    Some(
        named.unwrap_or_else(|| {
            Error::of(ErrorKind::Unsupported, "a combination of later proposals")
        }),
    )
}

/// What wasmparser's messages say of bytes that aren't a binary at all. An over-long integer is malformed,
/// even where a later proposal would allow a longer one.
const MALFORMED: [&str; 3] = [
    "invalid var_",
    "magic header not detected",
    "unknown binary version",
];

/// The error for what decoding or validating refuses.
pub(crate) fn invalid(error: BinaryReaderError) -> Error {
    let message = error.message();
    // The decoder of these operators isn't even built in, so that asking what they would need is no use.
    if message.starts_with("unexpected SIMD opcode")
        || message.starts_with("SIMD support is not enabled")
    {
        return Error::at(ErrorKind::Unsupported, "simd", error.offset());
    }
    let malformed = |start: &&str| message.starts_with(*start);
    let kind = match MALFORMED.iter().any(malformed) {
        true => ErrorKind::Malformed,
        false => ErrorKind::Invalid,
    };
    Error::at(kind, message, error.offset())
}

#[inline(never)]
fn decode(engine: &Engine, bytes: &[u8], allowed: WasmFeatures) -> Result<ModuleData> {
    let mut validator = sections::validator(allowed);
    let mut decoder = ModuleDecoder::new(engine, Shared::new(copied(bytes)?)?);
    let mut parser = Parser::new(0);
    parser.set_features(allowed);
    for payload in parser.parse_all(bytes) {
        let payload = payload.map_err(invalid)?;
        let valid = sections::validate(&mut validator, &payload).map_err(invalid)?;
        decoder.payload(payload, valid)?;
    }
    Ok(decoder.finish())
}

/// Makes a [`ModuleData`] of the payloads of one module, alone or inside a component: offsets are
/// those of the whole binary, which the modules of a component share.
pub(crate) struct ModuleDecoder {
    engine: Engine,
    data: ModuleData,
    bodies: usize,
    /// Bodies are validated when they are entered.
    lazy: bool,
    allocations: FuncValidatorAllocations,
    loops: validate::Loops,
}

impl ModuleDecoder {
    /// For a module in this binary.
    pub(crate) fn new(engine: &Engine, bytes: Shared<Vec<u8>>) -> ModuleDecoder {
        ModuleDecoder {
            engine: engine.clone(),
            lazy: engine.config().lazy_validation,
            bodies: 0,
            allocations: FuncValidatorAllocations::default(),
            loops: validate::Loops::default(),
            data: ModuleData::empty(Bytes::Shared(bytes)),
        }
    }

    #[inline(never)]
    fn function(
        &mut self,
        func: wasmparser::FuncToValidate<wasmparser::ValidatorResources>,
        body: &wasmparser::FunctionBody,
    ) -> Result<()> {
        let decl = &mut self.data.funcs[self.bodies];
        self.bodies += 1;
        let range = body.range();
        decl.body = range.start as usize..range.end as usize;
        if self.lazy {
            let bodies = &mut self.data.bodies;
            bodies.get_or_insert_with(|| Box::new(validate::Later::new(func)));
            return Ok(());
        }
        let mut func = func.into_validator(core::mem::take(&mut self.allocations));
        let facts = validate::function(&mut func, body, &mut self.loops)?;
        self.allocations = func.into_allocations();
        decl.facts.call_once(|| facts);
        Ok(())
    }

    /// The module, after its last payload.
    pub(crate) fn finish(self) -> ModuleData {
        self.data
    }

    /// Takes the next payload, with what the validator said of it.
    #[inline(never)]
    pub(crate) fn payload(&mut self, payload: Payload, valid: Valid) -> Result<()> {
        if let Valid::Func(func, body) = valid {
            return self.function(func, &body);
        }
        let data = &mut self.data;
        match payload {
            Payload::Version {
                encoding: wasmparser::Encoding::Component,
                range,
                ..
            } => {
                return Err(Error::at(ErrorKind::Unsupported, "components", range.start));
            }
            Payload::TypeSection(section) => {
                let offset = section.range().start;
                for ty in section.into_iter_err_on_gc_types() {
                    let ty = ty.map_err(invalid)?;
                    // Without garbage collection, a type refers only to those before it.
                    let ty = func_type(&ty, &data.type_ids, offset)?;
                    let id = self.engine.type_id(&ty);
                    data.types.push(ty);
                    data.type_ids.push(id?);
                }
            }
            Payload::ImportSection(section) => {
                let offset = section.range().start;
                for import in section.into_imports() {
                    self.import(import.map_err(invalid)?, offset)?;
                }
            }
            Payload::FunctionSection(section) => {
                for ty in section {
                    let ty = ty.map_err(invalid)?;
                    data.func_types.push(ty);
                    data.funcs.push(FuncDecl {
                        ty,
                        body: 0..0,
                        facts: Once::new(),
                        code: Once::new(),
                    });
                }
            }
            Payload::TableSection(section) => {
                let offset = section.range().start;
                for table in section {
                    let table = table.map_err(invalid)?;
                    let init = match table.init {
                        wasmparser::TableInit::RefNull => None,
                        wasmparser::TableInit::Expr(expr) => Some(const_expr(&expr)?),
                    };
                    data.tables
                        .push((table_type(&table.ty, &data.type_ids, offset)?, init));
                }
            }
            Payload::MemorySection(section) => {
                let offset = section.range().start;
                for ty in section {
                    data.memories
                        .push(memory_type(&ty.map_err(invalid)?, offset)?);
                }
            }
            Payload::TagSection(section) => {
                for tag in section {
                    data.tags.push(tag.map_err(invalid)?.func_type_idx);
                }
            }
            Payload::GlobalSection(section) => {
                let offset = section.range().start;
                for global in section {
                    let global = global.map_err(invalid)?;
                    data.globals
                        .push(global_type(&global.ty, &data.type_ids, offset)?);
                    data.global_inits.push(const_expr(&global.init_expr)?);
                }
            }
            Payload::ExportSection(section) => {
                for export in section {
                    let export = export.map_err(invalid)?;
                    let index = match export.kind {
                        ExternalKind::Func | ExternalKind::FuncExact => {
                            ExternIndex::Func(export.index)
                        }
                        ExternalKind::Table => ExternIndex::Table(export.index),
                        ExternalKind::Memory => ExternIndex::Memory(export.index),
                        ExternalKind::Global => ExternIndex::Global(export.index),
                        ExternalKind::Tag => ExternIndex::Tag(export.index),
                    };
                    data.exports.push(Export {
                        name: export.name.to_string().into(),
                        index,
                    });
                }
            }
            Payload::StartSection { func, .. } => data.start = Some(func),
            Payload::ElementSection(section) => {
                for element in section {
                    let segment = element_segment(element.map_err(invalid)?, &data.type_ids)?;
                    data.elements.push(segment);
                }
            }
            Payload::DataSection(section) => {
                for segment in section {
                    let segment = segment.map_err(invalid)?;
                    let mode = match segment.kind {
                        wasmparser::DataKind::Passive => SegmentMode::Passive,
                        wasmparser::DataKind::Active {
                            memory_index,
                            offset_expr,
                        } => SegmentMode::Active {
                            index: memory_index,
                            offset: const_expr(&offset_expr)?,
                        },
                    };
                    let end = segment.range.end as usize;
                    data.data.push(DataSegment {
                        mode,
                        bytes: end - segment.data.len()..end,
                    });
                }
            }
            Payload::CustomSection(section) => {
                if let KnownCustom::Name(names) = section.as_known() {
                    self.names(names);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn import(&mut self, import: wasmparser::Import, offset: u64) -> Result<()> {
        let data = &mut self.data;
        let index = match import.ty {
            TypeRef::Func(ty) | TypeRef::FuncExact(ty) => {
                data.func_types.push(ty);
                data.imported_funcs += 1;
                ExternIndex::Func(data.imported_funcs - 1)
            }
            TypeRef::Table(ty) => {
                data.tables
                    .push((table_type(&ty, &data.type_ids, offset)?, None));
                data.imported_tables += 1;
                ExternIndex::Table(data.imported_tables - 1)
            }
            TypeRef::Memory(ty) => {
                data.memories.push(memory_type(&ty, offset)?);
                data.imported_memories += 1;
                ExternIndex::Memory(data.imported_memories - 1)
            }
            TypeRef::Global(ty) => {
                data.globals.push(global_type(&ty, &data.type_ids, offset)?);
                data.imported_globals += 1;
                ExternIndex::Global(data.imported_globals - 1)
            }
            TypeRef::Tag(ty) => {
                data.tags.push(ty.func_type_idx);
                data.imported_tags += 1;
                ExternIndex::Tag(data.imported_tags - 1)
            }
        };
        data.imports.push(Import {
            module: import.module.to_string().into(),
            name: import.name.to_string().into(),
            index,
        });
        Ok(())
    }

    /// Function names; a name section that is damaged is only ignored, as the specification asks.
    fn names(&mut self, names: wasmparser::NameSectionReader) {
        for subsection in names {
            let map = match subsection {
                Ok(wasmparser::Name::Module { name, .. }) => {
                    self.data.name = Some(name.to_string().into());
                    continue;
                }
                Ok(wasmparser::Name::Function(map)) => map,
                _ => continue,
            };
            let mut found: Vec<(u32, Text)> = map
                .into_iter()
                .flatten()
                .map(|naming| (naming.index, naming.name.to_string().into()))
                .collect();
            found.sort_unstable_by_key(|(index, _)| *index);
            self.data.names = found;
        }
    }
}

fn func_type(ty: &wasmparser::FuncType, ids: &[u32], offset: u64) -> Result<FuncType> {
    let convert = |types: &[wasmparser::ValType]| -> Result<Vec<ValType>> {
        types.iter().map(|ty| val_type(*ty, ids, offset)).collect()
    };
    Ok(FuncType::new(convert(ty.params())?, convert(ty.results())?))
}

fn global_type(ty: &wasmparser::GlobalType, ids: &[u32], offset: u64) -> Result<GlobalType> {
    Ok(GlobalType {
        content: val_type(ty.content_type, ids, offset)?,
        mutable: ty.mutable,
    })
}

fn table_type(ty: &wasmparser::TableType, ids: &[u32], offset: u64) -> Result<TableType> {
    Ok(TableType {
        element: val_type(wasmparser::ValType::Ref(ty.element_type), ids, offset)?,
        minimum: ty.initial,
        maximum: ty.maximum,
        table64: ty.table64,
    })
}

fn memory_type(ty: &wasmparser::MemoryType, offset: u64) -> Result<MemoryType> {
    if ty.shared {
        return Err(Error::at(ErrorKind::Unsupported, "shared memories", offset));
    }
    Ok(MemoryType {
        minimum: ty.initial,
        maximum: ty.maximum,
        memory64: ty.memory64,
        // Validation admits 0 and 16.
        page_size_log2: ty.page_size_log2.unwrap_or(16) as u8,
    })
}

fn const_expr(expr: &wasmparser::ConstExpr) -> Result<ConstExpr> {
    let mut ops = Vec::new();
    let mut reader = expr.get_operators_reader();
    loop {
        let offset = reader.original_position();
        let op = match reader.read().map_err(invalid)? {
            Operator::I32Const { value } => ConstOp::Const(value as u32 as u64),
            Operator::I64Const { value } => ConstOp::Const(value as u64),
            Operator::F32Const { value } => ConstOp::Const(value.bits().into()),
            Operator::F64Const { value } => ConstOp::Const(value.bits()),
            #[cfg(feature = "simd")]
            Operator::V128Const { value } => {
                let [low, high] = [0, 64].map(|from| (value.i128() as u128 >> from) as u64);
                ops.push(ConstOp::Const(low));
                ConstOp::High(high)
            }
            Operator::GlobalGet { global_index } => ConstOp::GlobalGet(global_index),
            Operator::RefNull { .. } => ConstOp::RefNull,
            Operator::RefFunc { function_index } => ConstOp::RefFunc(function_index),
            Operator::I32Add => ConstOp::I32Add,
            Operator::I32Sub => ConstOp::I32Sub,
            Operator::I32Mul => ConstOp::I32Mul,
            Operator::I64Add => ConstOp::I64Add,
            Operator::I64Sub => ConstOp::I64Sub,
            Operator::I64Mul => ConstOp::I64Mul,
            Operator::End => return Ok(ops.into()),
            other => {
                let message = format_args!("{other:?} in a constant expression");
                return Err(Error::at(ErrorKind::Unsupported, message, offset));
            }
        };
        ops.push(op);
    }
}

fn element_segment(element: wasmparser::Element, ids: &[u32]) -> Result<ElementSegment> {
    let mode = match element.kind {
        ElementKind::Passive => SegmentMode::Passive,
        ElementKind::Declared => SegmentMode::Declared,
        ElementKind::Active {
            table_index,
            offset_expr,
        } => SegmentMode::Active {
            index: table_index.unwrap_or(0),
            offset: const_expr(&offset_expr)?,
        },
    };
    let mut items = Vec::new();
    let mut content = ValType::FuncRef;
    match element.items {
        ElementItems::Functions(functions) => {
            for func in functions {
                let op = ConstOp::RefFunc(func.map_err(invalid)?);
                items.push(Box::from([op].as_slice()));
            }
        }
        ElementItems::Expressions(ty, expressions) => {
            content = val_type(
                wasmparser::ValType::Ref(ty),
                ids,
                expressions.original_position(),
            )?;
            for expr in expressions {
                items.push(const_expr(&expr.map_err(invalid)?)?);
            }
        }
    }
    Ok(ElementSegment {
        element: content,
        mode,
        items: items.into(),
    })
}
