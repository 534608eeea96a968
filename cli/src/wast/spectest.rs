//! The host's side of scripts: module `spectest`.

use cellule::{
    Error, Func, FuncType, Global, GlobalType, Linker, Memory, MemoryType, Store, Table, TableType,
    Val, ValType,
};

/// Defines `spectest` as the reference interpreter has it.
pub fn define_core(linker: &mut Linker<()>, store: &mut Store<()>) -> Result<(), Error> {
    use ValType::{F32, F64, FuncRef, I32, I64};
    const MODULE: &str = "spectest";
    let prints: [(&str, &[ValType]); 7] = [
        ("print", &[]),
        ("print_i32", &[I32]),
        ("print_i64", &[I64]),
        ("print_f32", &[F32]),
        ("print_f64", &[F64]),
        ("print_i32_f32", &[I32, F32]),
        ("print_f64_f64", &[F64, F64]),
    ];
    for (name, params) in prints {
        let ty = FuncType::new(params.iter().copied(), []);
        let func = Func::new(&mut *store, ty, |_, _, _| Ok(()));
        linker.define(MODULE, name, func)?;
    }
    let globals = [
        ("global_i32", Val::I32(666)),
        ("global_i64", Val::I64(666)),
        ("global_f32", Val::F32(0x4426_a666)),
        ("global_f64", Val::F64(0x4084_d4cc_cccc_cccd)),
    ];
    for (name, value) in globals {
        let ty = GlobalType {
            content: value.ty(),
            mutable: false,
        };
        linker.define(MODULE, name, Global::new(&mut *store, ty, value)?)?;
    }
    let tables = [
        ("table", TableType::new(FuncRef, 10, Some(20))),
        ("table64", TableType::new64(FuncRef, 10, Some(20))),
    ];
    for (name, ty) in tables {
        let table = Table::new(&mut *store, ty, Val::FuncRef(None))?;
        linker.define(MODULE, name, table)?;
    }
    let ty = MemoryType::new(1, Some(2));
    linker.define(MODULE, "memory", Memory::new(&mut *store, ty)?)?;
    Ok(())
}
