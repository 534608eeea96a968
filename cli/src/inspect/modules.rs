//! The core modules of a file, however deep they are nested: entities, memories, sizes.

use anyhow::{Context, Result};
use std::fmt;
use wasmparser::types::EntityType;
use wasmparser::{
    ExternalKind, FuncType, Parser, Payload, TypeRef, ValidPayload, Validator, WasmFeatures,
};

/// One core module.
pub struct CoreModule {
    index: usize,
    bytes: usize,
    code_bytes: usize,
    functions: u32,
    /// What its own memories have at first.
    pub memory_bytes: u64,
    /// What its own tables have at first.
    pub table_elements: u64,
    lines: Vec<String>,
}

/// Prints the module's head, then one line for each import, export and memory.
impl fmt::Display for CoreModule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "core module {}: {} bytes, {} functions in {} bytes of code",
            self.index, self.bytes, self.functions, self.code_bytes
        )?;
        for line in &self.lines {
            writeln!(f, "  {line}")?;
        }
        Ok(())
    }
}

/// All core modules in the order in which they begin. The file must be valid.
pub fn collect(wasm: &[u8]) -> Result<Vec<CoreModule>> {
    let all = binaries(wasm)?.into_iter().enumerate();
    all.map(|(index, wasm)| module(index, wasm)).collect()
}

/// The bytes of all core modules, however deep they are nested, in the order in which they begin.
pub fn binaries(wasm: &[u8]) -> Result<Vec<&[u8]>> {
    let mut found = Vec::new();
    for payload in Parser::new(0).parse_all(wasm) {
        match payload? {
            Payload::Version {
                encoding: wasmparser::Encoding::Module,
                range,
                ..
            } if range.start == 0 => found.push(wasm),
            Payload::ModuleSection {
                unchecked_range: range,
                ..
            } => {
                let range = range.start as usize..range.end as usize;
                found.push(wasm.get(range).context("a core module is cut off")?);
            }
            _ => {}
        }
    }
    Ok(found)
}

fn module(index: usize, wasm: &[u8]) -> Result<CoreModule> {
    let mut result = CoreModule {
        index,
        bytes: wasm.len(),
        code_bytes: 0,
        functions: 0,
        memory_bytes: 0,
        table_elements: 0,
        lines: Vec::new(),
    };
    let mut counts = Counts::default();
    let mut validator = Validator::new_with_features(WasmFeatures::all());
    let mut exports = Vec::new();
    for payload in Parser::new(0).parse_all(wasm) {
        let payload = payload?;
        result.own(&payload, &mut counts)?;
        if let Payload::ExportSection(section) = &payload {
            for export in section.clone() {
                let export = export?;
                exports.push((export.name.to_string(), export.kind, export.index));
            }
        }
        let imports = match &payload {
            Payload::ImportSection(section) => Some(section.clone()),
            _ => None,
        };
        if let ValidPayload::End(types) = validator.payload(&payload)? {
            let types = types.as_ref();
            for (name, kind, index) in exports.drain(..) {
                let what = match kind {
                    ExternalKind::Func => func(types[types.core_function_at(index)].unwrap_func()),
                    other => format!("{other:?}").to_lowercase(),
                };
                result.lines.push(format!("export {name}: {what}"));
            }
        } else if let Some(section) = imports {
            let Some(types) = validator.types(0) else {
                continue;
            };
            for import in section.into_imports() {
                let import = import?;
                let what = match types.entity_type_from_import(&import) {
                    Some(EntityType::Func(id)) => func(types[id].unwrap_func()),
                    _ => match import.ty {
                        TypeRef::Memory(memory) => {
                            counts.memories += 1;
                            memory_line(counts.memories - 1, &memory, "imported ")
                        }
                        TypeRef::Table(table) => {
                            counts.tables += 1;
                            table_line(counts.tables - 1, &table, "imported ")
                        }
                        TypeRef::Global(global) => format!("global {}", global.content_type),
                        _ => "tag".to_string(),
                    },
                };
                result
                    .lines
                    .push(format!("import {}.{}: {what}", import.module, import.name));
            }
        }
    }
    Ok(result)
}

/// How many memories and tables there have been so far, imported ones first.
#[derive(Default)]
struct Counts {
    memories: u32,
    tables: u32,
}

impl CoreModule {
    /// Notes what the module has of its own and how large it is.
    fn own(&mut self, payload: &Payload<'_>, counts: &mut Counts) -> Result<()> {
        match payload {
            Payload::CodeSectionStart {
                count,
                unchecked_range: range,
                ..
            } => {
                self.functions = *count;
                self.code_bytes = (range.end - range.start) as usize;
            }
            Payload::MemorySection(section) => {
                for memory in section.clone() {
                    let memory = memory?;
                    self.memory_bytes = self.memory_bytes.saturating_add(bytes(&memory));
                    self.lines.push(memory_line(counts.memories, &memory, ""));
                    counts.memories += 1;
                }
            }
            Payload::TableSection(section) => {
                for table in section.clone() {
                    let table = table?.ty;
                    self.table_elements = self.table_elements.saturating_add(table.initial);
                    self.lines.push(table_line(counts.tables, &table, ""));
                    counts.tables += 1;
                }
            }
            Payload::DataSection(section) => {
                let count = section.count();
                let mut sum = 0;
                for data in section.clone() {
                    sum += data?.data.len();
                }
                let plural = if count == 1 { "" } else { "s" };
                self.lines
                    .push(format!("data: {sum} bytes in {count} segment{plural}"));
            }
            _ => {}
        }
        Ok(())
    }
}

fn func(ty: &FuncType) -> String {
    let list = |types: &[wasmparser::ValType]| {
        types
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(", ")
    };
    let results = match ty.results() {
        [] => String::new(),
        [one] => format!(" -> {one}"),
        many => format!(" -> ({})", list(many)),
    };
    format!("func({}){results}", list(ty.params()))
}

/// What a memory has at first.
fn bytes(memory: &wasmparser::MemoryType) -> u64 {
    let page = 1u64 << memory.page_size_log2.unwrap_or(16);
    memory.initial.saturating_mul(page)
}

fn at_most(most: Option<u64>) -> String {
    most.map_or(String::new(), |most| format!(", at most {most}"))
}

fn memory_line(index: u32, memory: &wasmparser::MemoryType, prefix: &str) -> String {
    format!(
        "{prefix}memory {index}: {} pages ({} bytes){}",
        memory.initial,
        bytes(memory),
        at_most(memory.maximum)
    )
}

fn table_line(index: u32, table: &wasmparser::TableType, prefix: &str) -> String {
    format!(
        "{prefix}table {index}: {} elements of {}{}",
        table.initial,
        table.element_type,
        at_most(table.maximum)
    )
}
