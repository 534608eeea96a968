//! Instances: making them, and finding their exports.

use super::context::{AsContext, AsContextMut, StoreContext};
use super::describe::ModuleExport;
use super::exec;
use super::func::Func;
use super::items::{Export, Extern, Global, Memory, Table, Tag, new_memory, new_table, new_tag};
use super::limiter::Counted;
use super::module::Module;
use super::store::Store;
use super::typed::{TypedFunc, WasmParams, WasmResults};
use crate::code::module::{ConstExpr, ConstOp, ExternIndex, ExternType, ModuleData, SegmentMode};
use crate::error::{Error, ErrorKind, OutOfMemory, Result, Trap};
use crate::fallible::{Grow, Shared, filled, try_collect};
use crate::machine::driver::init_memory;
use crate::store::{CoreInstance, FuncEntity, FuncKind, StoreInner};
use alloc::vec::Vec;

/// An instance of a core module.
///
/// # Panics
/// Every method panics if the instance is another store's.
///
/// ```
/// use cellule::{Engine, Instance, Module, Store};
///
/// # fn main() -> cellule::Result<()> {
/// let engine = Engine::default();
/// let text = r#"(module
///     (func (export "double") (param i32) (result i32) (i32.shl (local.get 0) (i32.const 1))))"#;
/// let module = Module::new(&engine, wat::parse_str(text).expect("valid text"))?;
/// let mut store = Store::new(&engine, ());
/// let instance = Instance::new(&mut store, &module, &[])?;
/// let double = instance.get_typed_func::<i32, i32>(&store, "double")?;
/// assert_eq!(double.call(&mut store, 21)?, 42);
/// assert!(instance.get_memory(&store, "memory").is_none());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Instance {
    pub(crate) store: u32,
    pub(crate) index: u32,
}

impl Instance {
    /// Instantiates a module with its imports in order, and runs its start function.
    ///
    /// # Errors
    /// Imports that are too few, too many or of another type; a limit; a trap.
    ///
    /// # Panics
    /// If an import is another store's.
    pub fn new(
        mut store: impl AsContextMut,
        module: &Module,
        imports: &[Extern],
    ) -> Result<Instance> {
        let expected = module.data.imports.len();
        if imports.len() != expected {
            let why = format_args!("{} imports given, {expected} expected", imports.len());
            return Err(Error::of(ErrorKind::Link, why));
        }
        instantiate(store.as_context_mut().0, module, imports)
    }

    fn data<'a, T: 'static>(&self, store: &'a Store<T>) -> &'a CoreInstance {
        &store.inner.instances[store.own(self.store, self.index)]
    }

    fn item<T: 'static>(&self, store: &Store<T>, index: ExternIndex) -> Extern {
        let instance = self.data(store);
        let id = store.id;
        match index {
            ExternIndex::Func(at) => Extern::Func(Func {
                store: id,
                entity: instance.funcs[at as usize],
            }),
            ExternIndex::Global(at) => Extern::Global(Global {
                store: id,
                index: instance.globals[at as usize],
            }),
            ExternIndex::Memory(at) => Extern::Memory(Memory {
                store: id,
                index: instance.memories[at as usize],
            }),
            ExternIndex::Table(at) => Extern::Table(Table {
                store: id,
                index: instance.tables[at as usize],
            }),
            ExternIndex::Tag(at) => Extern::Tag(Tag {
                store: id,
                index: instance.tags[at as usize],
            }),
        }
    }

    /// All exports in order.
    pub fn exports<'a, T: 'static>(
        &self,
        store: impl Into<StoreContext<'a, T>>,
    ) -> impl ExactSizeIterator<Item = Export<'a>> + 'a {
        let store: &'a Store<T> = store.into().0;
        let this = *self;
        let exports = &this.data(store).module.exports;
        exports.iter().map(move |export| Export {
            name: &export.name,
            item: this.item(store, export.index),
        })
    }

    /// An export by name.
    pub fn get_export(&self, store: impl AsContext, name: &str) -> Option<Extern> {
        let store = store.as_context().0;
        let exports = &self.data(store).module.exports;
        let export = exports.iter().find(|export| &*export.name == name)?;
        Some(self.item(store, export.index))
    }

    /// The module that it is of.
    pub fn module(&self, store: impl AsContext) -> Module {
        let store = store.as_context().0;
        Module {
            engine: store.engine().clone(),
            data: self.data(store).module.clone(),
        }
    }

    /// An export by its place in the module; `None` if the instance is of another one.
    pub fn get_module_export(
        &self,
        store: impl AsContext,
        export: &ModuleExport,
    ) -> Option<Extern> {
        let store = store.as_context().0;
        let module = &self.data(store).module;
        if !Shared::ptr_eq(module, &export.module.data) {
            return None;
        }
        Some(self.item(store, module.exports[export.index as usize].index))
    }

    /// An exported function by name.
    pub fn get_func(&self, store: impl AsContext, name: &str) -> Option<Func> {
        self.get_export(store, name)?.into_func()
    }

    /// An exported function by name, with its type known to the compiler.
    ///
    /// # Errors
    /// If there is no such function, or its type is another.
    pub fn get_typed_func<P: WasmParams, R: WasmResults>(
        &self,
        store: impl AsContext,
        name: &str,
    ) -> Result<TypedFunc<P, R>> {
        let store = store.as_context();
        let Some(func) = self.get_func(&store, name) else {
            let why = format_args!("there is no exported function `{name}`");
            return Err(Error::of(ErrorKind::Type, why));
        };
        func.typed(&store)
    }

    /// An exported memory by name.
    pub fn get_memory(&self, store: impl AsContext, name: &str) -> Option<Memory> {
        self.get_export(store, name)?.into_memory()
    }

    /// An exported table by name.
    pub fn get_table(&self, store: impl AsContext, name: &str) -> Option<Table> {
        self.get_export(store, name)?.into_table()
    }

    /// An exported global by name.
    pub fn get_global(&self, store: impl AsContext, name: &str) -> Option<Global> {
        self.get_export(store, name)?.into_global()
    }

    /// An exported tag by name.
    pub fn get_tag(&self, store: impl AsContext, name: &str) -> Option<Tag> {
        self.get_export(store, name)?.into_tag()
    }
}

/// Instantiates a module with its imports in order, and runs its start function.
pub(crate) fn instantiate<T: 'static>(
    store: &mut Store<T>,
    module: &Module,
    imports: &[Extern],
) -> Result<Instance> {
    let (instance, start) = prepare(store, module, imports, 0, false)?;
    while store.inner.fuel_on && store.inner.fuel < 0 {
        if !store.refuel() {
            return Err(Trap::OutOfFuel.into());
        }
    }
    if let Some(start) = start {
        exec::call(store, start, &[], |_, _| ())?;
    }
    Ok(instance)
}

/// Makes an instance whose references belong to `arena`; its start function, if there is one, is left
/// to be run. Fuel that isn't there becomes debt. `later`: its memories may be made when they are needed.
pub(crate) fn prepare<T: 'static>(
    store: &mut Store<T>,
    module: &Module,
    imports: &[Extern],
    arena: u32,
    later: bool,
) -> Result<(Instance, Option<u32>)> {
    if !super::engine::Engine::same(&store.engine, &module.engine) {
        return Err(Error::of(
            ErrorKind::Type,
            "the module is of another engine than the store",
        ));
    }
    store.may_add(Counted::Instance)?;
    let data = module.data.clone();
    // Room for all that the index spaces name, so that nothing below has to grow them.
    let mut instance = CoreInstance {
        module: data.clone(),
        funcs: Vec::with_room(data.func_types.len())?,
        memories: Vec::with_room(data.memories.len())?,
        tables: Vec::with_room(data.tables.len())?,
        globals: Vec::with_room(data.globals.len())?,
        tags: Vec::with_room(data.tags.len())?,
        arena,
        func_refs: filled(0, data.func_types.len())?,
        dropped_data: filled(false, data.data.len())?,
        elements: Vec::with_room(data.elements.len())?,
    };
    store
        .inner
        .funcs
        .try_reserve(data.funcs.len())
        .map_err(OutOfMemory::from)?;
    for (import, item) in data.imports.iter().zip(imports) {
        let expected = data.extern_type(import.index);
        if arena == 0 && !matches(store, item, &expected) {
            let why = format_args!(
                "incompatible import type of `{}` `{}`: expected {expected}",
                import.module, import.name
            );
            return Err(Error::of(ErrorKind::Link, why));
        }
        match item {
            Extern::Func(func) => instance.funcs.push(func.entity),
            Extern::Global(global) => instance.globals.push(global.index),
            Extern::Memory(memory) => instance.memories.push(memory.index),
            Extern::Table(table) => instance.tables.push(table.index),
            Extern::Tag(tag) => instance.tags.push(tag.index),
        }
    }
    let index = store.inner.instances.len() as u32;
    for (at, decl) in data.funcs.iter().enumerate() {
        let ty = &data.types[decl.ty as usize];
        let func = data.imported_funcs + at as u32;
        let kind = FuncKind::Wasm {
            instance: index,
            func,
        };
        store.inner.funcs.push(FuncEntity::new(
            data.type_ids[decl.ty as usize],
            ty.param_slots() as u16,
            ty.result_slots() as u16,
            kind,
        ));
        instance.funcs.push(store.inner.funcs.len() as u32 - 1);
    }
    for ty in &data.memories[data.imported_memories as usize..] {
        instance.memories.push(new_memory(store, *ty, later)?);
    }
    for &ty in &data.tags[data.imported_tags as usize..] {
        let carries = data.types[ty as usize].clone();
        instance.tags.push(new_tag(store, carries)?);
    }
    store.inner.instances.try_push(instance)?;
    fill_globals(&mut store.inner, index, &data)?;
    for (ty, init) in &data.tables[data.imported_tables as usize..] {
        let inner = &mut store.inner;
        let value = match init {
            Some(init) => evaluate(inner, index, init)?,
            None => 0,
        };
        let id = new_table(store, *ty, value as u32)?;
        store.inner.instances[index as usize].tables.push(id);
    }
    fill(&mut store.inner, index, &data)?;
    let start = data
        .start
        .map(|start| store.inner.instances[index as usize].funcs[start as usize]);
    let instance = Instance {
        store: store.id,
        index,
    };
    Ok((instance, start))
}

fn fill_globals(inner: &mut StoreInner, index: u32, data: &ModuleData) -> Result<(), OutOfMemory> {
    for (at, init) in data.global_inits.iter().enumerate() {
        let ty = data.globals[data.imported_globals as usize + at];
        let value = [evaluate(inner, index, init)?, upper(inner, index, init)];
        let id = inner.new_global(ty, value)?;
        inner.instances[index as usize].globals.push(id);
    }
    Ok(())
}

/// The upper half of a vector that a validated constant expression gives: a constant or a global's value.
/// Of anything else zero.
fn upper(inner: &StoreInner, index: u32, expr: &ConstExpr) -> u64 {
    match **expr {
        [ConstOp::Const(_), ConstOp::High(high)] => high,
        [ConstOp::GlobalGet(at)] => {
            let id = inner.instances[index as usize].globals[at as usize] as usize;
            let cells = inner.global_types[id].content.slots();
            inner.globals[id..id + cells].get(1).copied().unwrap_or(0)
        }
        _ => 0,
    }
}

/// Segments, which refer to the instance's functions.
fn fill(inner: &mut StoreInner, index: u32, data: &ModuleData) -> Result<()> {
    let own = index as usize;
    for element in &data.elements {
        let passive = matches!(element.mode, SegmentMode::Passive);
        let items = element.items.iter().filter(|_| passive);
        let items = items.map(|item| Ok(evaluate(inner, index, item)? as u32));
        let items = try_collect::<_, OutOfMemory>(items)?;
        inner.instances[own].elements.push(items);
    }
    for element in &data.elements {
        if let SegmentMode::Active {
            index: table,
            offset,
        } = &element.mode
        {
            let to = evaluate(inner, index, offset)?;
            let id = inner.instances[own].tables[*table as usize] as usize;
            let to = inner.tables[id].operand(to);
            let count = element.items.len() as u32;
            inner.spend(count.into());
            inner.tables[id].span(to, count.into())?;
            for (at, item) in element.items.iter().enumerate() {
                let value = evaluate(inner, index, item)? as u32;
                inner.tables[id].elements[to as usize + at] = value;
            }
        }
    }
    for (at, segment) in data.data.iter().enumerate() {
        if let SegmentMode::Active {
            index: memory,
            offset,
        } = &segment.mode
        {
            let to = evaluate(inner, index, offset)?;
            let id = inner.instances[own].memories[*memory as usize] as usize;
            let to = inner.memories[id].operand(to);
            let length = u32::try_from(segment.bytes.len()).map_err(|_| Trap::MemoryOutOfBounds)?;
            inner.spend(i64::from(length / 8));
            let id = inner.instances[own].memories[*memory as usize];
            if !inner.note_segment(index, id, at, (to, length))? {
                init_memory(inner, own, *memory as usize, at, (to, 0, length))?;
            }
            inner.instances[own].dropped_data[at] = true;
        }
    }
    Ok(())
}

/// The value of a validated constant expression.
fn evaluate(inner: &mut StoreInner, index: u32, expr: &ConstExpr) -> Result<u64, OutOfMemory> {
    let mut operand = |op: &ConstOp| {
        Ok::<_, OutOfMemory>(match op {
            ConstOp::Const(value) => Some(*value),
            ConstOp::GlobalGet(at) => {
                let id = inner.instances[index as usize].globals[*at as usize];
                Some(inner.globals[id as usize])
            }
            ConstOp::RefNull => Some(0),
            ConstOp::RefFunc(func) => Some(inner.func_ref(index, *func)?.into()),
            _ => None,
        })
    };
    // Nearly all of them are one operand.
    if let [op] | [op, ConstOp::High(_)] = &**expr {
        return Ok(operand(op)?.unwrap_or(0));
    }
    let mut stack: Vec<u64> = Vec::new();
    for op in expr {
        let value = match (operand(op)?, op) {
            (Some(value), _) => value,
            (None, binary) => {
                let (y, x) = (stack.pop().unwrap_or(0), stack.pop().unwrap_or(0));
                let (a, b) = (x as u32, y as u32);
                match binary {
                    ConstOp::I32Add => a.wrapping_add(b).into(),
                    ConstOp::I32Sub => a.wrapping_sub(b).into(),
                    ConstOp::I32Mul => a.wrapping_mul(b).into(),
                    ConstOp::I64Add => x.wrapping_add(y),
                    ConstOp::I64Sub => x.wrapping_sub(y),
                    _ => x.wrapping_mul(y),
                }
            }
        };
        stack.try_push(value)?;
    }
    Ok(stack.pop().unwrap_or(0))
}

/// Whether an item can be imported as `expected`. Sizes count as they are now.
fn matches<T: 'static>(store: &Store<T>, item: &Extern, expected: &ExternType) -> bool {
    match (item, expected) {
        (Extern::Func(func), ExternType::Func(ty)) => func.ty(store) == *ty,
        (Extern::Global(global), ExternType::Global(ty)) => {
            store.inner.global_types[store.own(global.store, global.index)].fits(ty)
        }
        (Extern::Memory(memory), ExternType::Memory(ty)) => {
            let memory = &store.inner.memories[store.own(memory.store, memory.index)];
            memory.ty.fits(memory.pages(), ty)
        }
        (Extern::Table(table), ExternType::Table(ty)) => {
            let table = &store.inner.tables[store.own(table.store, table.index)];
            table.ty.fits(table.elements.len() as u64, ty)
        }
        (Extern::Tag(tag), ExternType::Tag(ty)) => tag.ty(store) == *ty,
        _ => false,
    }
}
