//! The core modules of a file, however deep they are nested: entities, memories, sizes.

use anyhow::Result;
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
    let mut found = Vec::new();
    for payload in Parser::new(0).parse_all(wasm) {
        match payload? {
            Payload::Version {
                encoding: wasmparser::Encoding::Module,
                range,
                ..
            } if range.start == 0 => {
                found.push(module(0, wasm)?);
            }
            Payload::ModuleSection {
                unchecked_range: range,
                ..
            } => {
                let (start, end) = (range.start as usize, range.end as usize);
                found.push(module(found.len(), &wasm[start..end])?);
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
        lines: Vec::new(),
    };
    let mut memories = 0;
    let mut validator = Validator::new_with_features(WasmFeatures::all());
    let mut exports = Vec::new();
    for payload in Parser::new(0).parse_all(wasm) {
        let payload = payload?;
        match &payload {
            Payload::CodeSectionStart {
                count,
                unchecked_range: range,
                ..
            } => {
                result.functions = *count;
                result.code_bytes = (range.end - range.start) as usize;
            }
            Payload::ExportSection(section) => {
                for export in section.clone() {
                    let export = export?;
                    exports.push((export.name.to_string(), export.kind, export.index));
                }
            }
            Payload::MemorySection(section) => {
                for memory in section.clone() {
                    result.lines.push(memory_line(memories, &memory?, ""));
                    memories += 1;
                }
            }
            _ => {}
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
                            memories += 1;
                            memory_line(memories - 1, &memory, "imported ")
                        }
                        TypeRef::Table(_) => "table".to_string(),
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

fn memory_line(index: u32, memory: &wasmparser::MemoryType, prefix: &str) -> String {
    let page = 1u64 << memory.page_size_log2.unwrap_or(16);
    let bytes = memory.initial.saturating_mul(page);
    let most = memory
        .maximum
        .map_or(String::new(), |most| format!(", at most {most}"));
    format!(
        "{prefix}memory {index}: {} pages ({bytes} bytes){most}",
        memory.initial
    )
}
