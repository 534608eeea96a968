//! The large module that `start` loads: one that is given, or one of compiled code, made of what is in the
//! repository: all workloads, many times over. Each copy has its own types, functions and globals; memory and
//! tables are few, since engines limit them. Data is left out: nothing runs.

use crate::workloads;
use anyhow::Result;
use wasm_encoder::reencode::{self, Reencode};
use wasm_encoder::{
    CodeSection, ElementSection, ExportKind, ExportSection, FunctionSection, GlobalSection,
    MemorySection, MemoryType, Module, TableSection, TypeSection,
};
use wasmparser::Payload;

/// How many copies give 4 MB.
pub const COPIES: usize = 115;

/// The module with so many copies.
pub fn merged(copies: usize) -> Result<Vec<u8>> {
    let mut parts = Parts::default();
    let modules = workloads::ALL
        .iter()
        .map(|workload| wat::parse_bytes(workload.module));
    let modules = modules.collect::<Result<Vec<_>, _>>()?;
    let mut tables = Vec::new();
    for copy in 0..copies {
        for (at, module) in modules.iter().enumerate() {
            if copy == 0 {
                tables.push(parts.tables.len());
            }
            parts.append(module, tables[at], copy == 0)?;
        }
    }
    Ok(parts.finish())
}

/// The module itself, or of a component's modules the largest.
pub fn largest(wasm: &[u8]) -> Result<Vec<u8>> {
    let mut largest = wasm;
    if wasmparser::Parser::is_component(wasm) {
        largest = &[];
        for payload in wasmparser::Parser::new(0).parse_all(wasm) {
            if let Payload::ModuleSection {
                unchecked_range, ..
            } = payload?
            {
                let (start, end) = (unchecked_range.start, unchecked_range.end);
                let module = &wasm[start as usize..end as usize];
                largest = if module.len() > largest.len() {
                    module
                } else {
                    largest
                };
            }
        }
    }
    Ok(largest.to_vec())
}

/// The sections so far.
#[derive(Default)]
struct Parts {
    types: TypeSection,
    functions: FunctionSection,
    tables: TableSection,
    globals: GlobalSection,
    elements: ElementSection,
    code: CodeSection,
}

/// How far a copy's indices lie above those of its module.
struct Shift {
    types: u32,
    functions: u32,
    tables: u32,
    globals: u32,
}

type Shifted = Result<u32, reencode::Error>;

impl Reencode for Shift {
    type Error = std::convert::Infallible;

    fn type_index(&mut self, ty: u32) -> Shifted {
        Ok(ty + self.types)
    }

    fn function_index(&mut self, func: u32) -> Shifted {
        Ok(func + self.functions)
    }

    fn table_index(&mut self, table: u32) -> Shifted {
        Ok(table + self.tables)
    }

    fn global_index(&mut self, global: u32) -> Shifted {
        Ok(global + self.globals)
    }
}

impl Parts {
    /// Appends a copy of the module, which uses the tables from `tables` on; the first one has them.
    fn append(&mut self, module: &[u8], tables: u32, first: bool) -> Result<()> {
        let mut shift = Shift {
            types: self.types.len(),
            functions: self.functions.len(),
            tables,
            globals: self.globals.len(),
        };
        for payload in wasmparser::Parser::new(0).parse_all(module) {
            match payload? {
                Payload::TypeSection(section) => {
                    shift.parse_type_section(&mut self.types, section)?
                }
                Payload::FunctionSection(section) => {
                    shift.parse_function_section(&mut self.functions, section)?;
                }
                Payload::TableSection(section) if first => {
                    shift.parse_table_section(&mut self.tables, section)?
                }
                Payload::GlobalSection(section) => {
                    shift.parse_global_section(&mut self.globals, section)?;
                }
                Payload::ElementSection(section) if first => {
                    shift.parse_element_section(&mut self.elements, section)?;
                }
                Payload::CodeSectionEntry(body) => {
                    shift.parse_function_body(&mut self.code, body)?
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn finish(self) -> Vec<u8> {
        let mut memories = MemorySection::new();
        memories.memory(MemoryType {
            minimum: 1,
            maximum: None,
            memory64: false,
            shared: false,
            page_size_log2: None,
        });
        let mut exports = ExportSection::new();
        exports.export("memory", ExportKind::Memory, 0);
        exports.export("first", ExportKind::Func, 0);
        let mut module = Module::new();
        module
            .section(&self.types)
            .section(&self.functions)
            .section(&self.tables);
        module
            .section(&memories)
            .section(&self.globals)
            .section(&exports);
        module.section(&self.elements).section(&self.code);
        module.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_merged_module_is_valid_and_large() {
        let merged = merged(COPIES).expect("a module");
        wasmparser::validate(&merged).expect("a valid module");
        assert!(merged.len() > 4_000_000, "{} bytes", merged.len());
    }

    #[test]
    fn the_largest_module_of_a_component_is_found() {
        let component =
            wat::parse_str("(component (core module) (core module (func)) (core module))");
        let found = largest(&component.expect("a component")).expect("a module");
        assert_eq!(found, wat::parse_str("(module (func))").expect("a module"));
        assert_eq!(largest(&found).expect("a module"), found);
    }
}
