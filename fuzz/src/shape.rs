//! The shape of a module with typed references to functions: what it imports and exports. It is what `wasm-smith`
//! is given so that all its types are functions'.

use crate::random::Random;
use wasm_encoder::{
    CodeSection, ConstExpr, EntityType, ExportKind, ExportSection, Function, FunctionSection,
    GlobalSection, GlobalType, HeapType, ImportSection, MemorySection, MemoryType, Module, RefType,
    TableSection, TableType, TypeSection, ValType,
};

/// A module with a function of each of a few types, tables and globals of references to them, and a memory.
pub fn module(random: &mut Random) -> Vec<u8> {
    let count = 1 + random.below(4) as u32;
    let (mut types, mut functions, mut code) = (
        TypeSection::new(),
        FunctionSection::new(),
        CodeSection::new(),
    );
    for ty in 0..count {
        let params: Vec<ValType> = (0..random.below(4)).map(|_| value(random, ty)).collect();
        let results: Vec<ValType> = (0..random.below(3)).map(|_| value(random, ty)).collect();
        types.ty().function(params, results);
    }
    let (mut imports, mut exports) = (ImportSection::new(), ExportSection::new());
    let imported = random.below(3) as u32;
    for number in 0..imported {
        let ty = random.below(count.into()) as u32;
        imports.import("host", &format!("f{number}"), EntityType::Function(ty));
    }
    for ty in 0..count {
        functions.function(ty);
        let mut body = Function::new([]);
        body.instructions().unreachable().end();
        code.function(&body);
        exports.export(&format!("run{ty}"), ExportKind::Func, imported + ty);
    }
    let mut tables = TableSection::new();
    tables.table(table(RefType::FUNCREF));
    tables.table(table(reference(random, count)));
    exports.export("any", ExportKind::Table, 0);
    exports.export("some", ExportKind::Table, 1);
    let mut memories = MemorySection::new();
    memories.memory(MemoryType {
        minimum: 1,
        maximum: Some(2),
        memory64: false,
        shared: false,
        page_size_log2: None,
    });
    exports.export("memory", ExportKind::Memory, 0);
    let mut globals = GlobalSection::new();
    let held = reference(random, count);
    let ty = GlobalType {
        val_type: ValType::Ref(held),
        mutable: true,
        shared: false,
    };
    globals.global(ty, &ConstExpr::ref_null(held.heap_type));
    exports.export("held", ExportKind::Global, 0);
    let mut module = Module::new();
    module
        .section(&types)
        .section(&imports)
        .section(&functions)
        .section(&tables);
    module
        .section(&memories)
        .section(&globals)
        .section(&exports)
        .section(&code);
    module.finish()
}

fn table(element_type: RefType) -> TableType {
    TableType {
        element_type,
        table64: false,
        minimum: 4,
        maximum: Some(20),
        shared: false,
    }
}

/// A reference to functions of one of the first types.
fn reference(random: &mut Random, types: u32) -> RefType {
    RefType {
        nullable: true,
        heap_type: HeapType::Concrete(random.below(types.into()) as u32),
    }
}

/// The type of a parameter or a result of the type with this number.
fn value(random: &mut Random, ty: u32) -> ValType {
    match random.below(8) {
        0..=1 if ty > 0 => ValType::Ref(reference(random, ty)),
        2 => ValType::FUNCREF,
        3 => ValType::F64,
        4 => ValType::I64,
        5 => ValType::F32,
        _ => ValType::I32,
    }
}
