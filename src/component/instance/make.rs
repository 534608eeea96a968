//! Instantiation: a tree's state, then the initializers one by one.

use super::{Binding, Instance, InstancePre, lost};
use crate::code::module::ExternIndex;
use crate::component::abi::cross::{is_bytes, scalar_rule};
use crate::component::run;
use crate::error::{Error, ErrorKind, OutOfMemory, Result};
use crate::fallible::{Grow, Shared, boxed, collect, try_collect};
use crate::machine::Thread;
use crate::store::components::*;
use crate::store::handles::{HandleTable, ResourceTag};
use crate::store::later::LATER;
use crate::store::relay::Relay;
use crate::store::scalar::{Scalar, ScalarAdapter};
use crate::store::{Callee, FuncEntity, FuncKind, RefArena, ResourceType, StoreInner};
use crate::tables::{
    ComponentTables, CoreDefId, CoreDefKind, Encoding, InitKind, InitRow, LeafId, ModuleId,
    OptionsId, ResourceId, Span, TrampolineId, TrampolineKind, TrampolineRow, TypeId, TypeKind,
    TypeRow,
};
use crate::wasm::exec::{self, Progress};
use crate::wasm::instance::prepare;
use crate::wasm::{
    Engine, Extern, Func, Global, HostDtor, HostResource, Memory, Module, Store, Table, Tag,
};
use alloc::boxed::Box;
use alloc::vec::Vec;

/// An instance that is being made.
pub(super) struct Making<T: 'static> {
    pre: InstancePre<T>,
    tree: u32,
    /// The next initializer.
    next: usize,
    /// A start function that is running.
    start: Option<Box<Thread>>,
    before: Sizes,
    /// How much the store held after the last initializer.
    after: Sizes,
    /// A host function that a start function called made something else meanwhile: undoing must leave
    /// everything then.
    mixed: bool,
}

/// How much a store held.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Sizes {
    instances: usize,
    funcs: usize,
    memories: usize,
    tables: usize,
    globals: usize,
    trees: usize,
    components: usize,
    guest_resources: usize,
}

impl Sizes {
    fn of<T: 'static>(store: &Store<T>) -> Sizes {
        let inner = &store.inner;
        Sizes {
            instances: inner.instances.len(),
            funcs: inner.funcs.len(),
            memories: inner.memories.len(),
            tables: inner.tables.len(),
            globals: inner.globals.len(),
            trees: inner.trees.len(),
            components: inner.components.len(),
            guest_resources: inner.guest_resources.len(),
        }
    }

    fn truncate<T: 'static>(self, store: &mut Store<T>) {
        let inner = &mut store.inner;
        while inner.handles.len() > self.components
            && let Some(gone) = inner.handles.pop()
        {
            for context in gone.error_contexts() {
                inner.release_error_context(context);
            }
        }
        inner.instances.truncate(self.instances);
        inner.funcs.truncate(self.funcs);
        inner.forget_memories(self.memories);
        inner.forget_tables(self.tables);
        inner.globals.truncate(self.globals);
        inner.global_types.truncate(self.globals);
        inner.trees.truncate(self.trees);
        inner.components.truncate(self.components);
        inner.arenas.truncate(self.components);
        inner.guest_resources.truncate(self.guest_resources);
        store.origins.truncate(self.trees);
        store.component_hosts.truncate(self.trees);
    }
}

impl<T: 'static> Making<T> {
    /// Makes the tree's state.
    pub fn begin(store: &mut Store<T>, pre: &InstancePre<T>) -> Result<Making<T>> {
        if !Engine::same(&store.engine, pre.engine()) {
            let why = "the component is of another engine than the store";
            return Err(Error::of(ErrorKind::Type, why));
        }
        store.natives = Some(run::natives());
        let before = Sizes::of(store);
        reserve(&mut store.inner, pre)?;
        let tree = match new_tree(store, pre) {
            Ok(tree) => tree,
            Err(error) => {
                before.truncate(store);
                return Err(error);
            }
        };
        let after = Sizes::of(store);
        Ok(Making {
            pre: pre.clone(),
            tree,
            next: 0,
            start: None,
            before,
            after,
            mixed: false,
        })
    }

    /// Goes on until all is made, fuel runs out, or a host function is to be awaited.
    pub fn advance(&mut self, store: &mut Store<T>) -> Result<Progress> {
        let tables = self.pre.0.component.tables().clone();
        loop {
            if let Some(thread) = &mut self.start {
                let limit = store.inner.limits.host_recursion;
                store.depth.enter(limit)?;
                let progress = exec::drive(store, thread);
                store.depth.leave();
                match progress? {
                    Progress::Done => {}
                    stopped => return Ok(stopped),
                }
                self.end_start(store);
            }
            if store.inner.fuel_on && store.inner.fuel < 0 {
                return Ok(Progress::OutOfFuel);
            }
            let Some(init) = tables.inits.get(self.next) else {
                bind_all(&mut store.inner, self.tree)?;
                return Ok(Progress::Done);
            };
            self.next += 1;
            store.inner.spend(1);
            self.init(store, &tables, *init)?;
            self.after = Sizes::of(store);
        }
    }

    fn init(
        &mut self,
        store: &mut Store<T>,
        tables: &ComponentTables,
        init: InitRow,
    ) -> Result<()> {
        match init.kind {
            InitKind::Instantiate => {
                let module = self.pre.0.component.modules().get(ModuleId(init.a).index());
                let module = module.ok_or_else(|| lost("a module"))?.clone();
                let args = arguments(store, self.tree, tables, init.args)?;
                self.instantiate(store, &module, &args, init)
            }
            InitKind::InstantiateImported => {
                let Some(Binding::Module(module)) = self.pre.0.bindings.get(LeafId(init.a).index())
                else {
                    return Err(lost("an imported module"));
                };
                let module = module.clone();
                let args = named_arguments(store, self.tree, tables, &module, init.args)?;
                self.instantiate(store, &module, &args, init)
            }
            InitKind::Resolve => resolve_options(&mut store.inner, self.tree, OptionsId(init.a)),
            InitKind::Define => {
                let resource = ResourceId(init.a);
                let Some(dtor) = tables.resource(resource).dtor.some() else {
                    return Ok(());
                };
                let inner = &mut store.inner;
                let dtor = bound_func(inner, self.tree, dtor)?;
                let tag = inner.trees[self.tree as usize].resources[resource.index()];
                let number = tag.guest_number().ok_or_else(|| lost("a resource"))?;
                inner.guest_resources[number as usize].dtor = dtor;
                Ok(())
            }
        }
    }

    /// Makes a core instance, and begins its start function.
    fn instantiate(
        &mut self,
        store: &mut Store<T>,
        module: &Module,
        args: &[Extern],
        init: InitRow,
    ) -> Result<()> {
        let first = store.inner.trees[self.tree as usize].first_instance;
        // Each component instance has an arena of references of its own, under its number.
        let arena = first + init.instance.0;
        let later = LATER && !store.inner.trees[self.tree as usize].awake;
        let (instance, start) = prepare(store, module, args, arena, later)?;
        // There is room for as many as there are initializers.
        store.inner.trees[self.tree as usize]
            .core
            .push(instance.index);
        let Some(start) = start else {
            return Ok(());
        };
        store.inner.make_memories(self.tree)?;
        let mut thread = store.take_thread()?;
        thread.start(&mut store.inner, start, &[])?;
        self.start = Some(thread);
        Ok(())
    }

    /// A start function waits for an asynchronous host function: calls and awaits it.
    pub async fn await_host(&mut self, store: &mut Store<T>) -> Result<()> {
        let Some(thread) = &mut self.start else {
            return Err(lost("a start function"));
        };
        run::await_host(store, thread).await
    }

    /// As [`Making::await_host`]; the host function has to be done at once.
    pub fn call_host_now(&mut self, store: &mut Store<T>) -> Result<()> {
        let Some(thread) = &mut self.start else {
            return Err(lost("a start function"));
        };
        run::call_host_now(store, thread)
    }

    /// A start function is over: what the store holds more than before it, a host function made.
    fn end_start(&mut self, store: &mut Store<T>) {
        if let Some(thread) = self.start.take() {
            self.mixed |= Sizes::of(store) != self.after;
            store.give_back(thread);
        }
    }

    /// Takes what was made out of the store again, if nothing else was made since.
    pub fn undo(&mut self, store: &mut Store<T>) {
        self.end_start(store);
        if !self.mixed {
            self.before.truncate(store);
        } else if let Some(tree) = store.inner.trees.get_mut(self.tree as usize) {
            tree.locked = true;
        }
    }

    /// The instance that is made.
    pub fn instance(&self, store: &Store<T>) -> Instance {
        Instance {
            store: store.id,
            tree: self.tree,
        }
    }
}

/// Room for what the initializers will make, in one step each.
fn reserve<T: 'static>(inner: &mut StoreInner, pre: &InstancePre<T>) -> Result<()> {
    let tables = pre.component().tables();
    let modules = tables.inits.iter().filter_map(|init| match init.kind {
        InitKind::Instantiate => pre.component().modules().get(ModuleId(init.a).index()),
        InitKind::InstantiateImported => match pre.0.bindings.get(LeafId(init.a).index()) {
            Some(Binding::Module(module)) => Some(module),
            _ => None,
        },
        _ => None,
    });
    let (mut instances, mut funcs, mut globals) = (0, tables.trampolines.len(), 0);
    for module in modules {
        instances += 1;
        funcs += module.data.funcs.len();
        globals += module.data.global_inits.len();
    }
    let components = tables.instances.len();
    let room = inner
        .funcs
        .try_reserve(funcs)
        .and_then(|()| inner.instances.try_reserve(instances))
        .and_then(|()| inner.globals.try_reserve(globals))
        .and_then(|()| inner.global_types.try_reserve(globals))
        .and_then(|()| inner.components.try_reserve(components))
        .and_then(|()| inner.handles.try_reserve(components))
        .and_then(|()| inner.arenas.try_reserve(components));
    Ok(room.map_err(OutOfMemory::from)?)
}

/// The state of a tree before its initializers.
fn new_tree<T: 'static>(store: &mut Store<T>, pre: &InstancePre<T>) -> Result<u32> {
    let tables = pre.0.component.tables();
    let tree = store.inner.trees.len() as u32;
    let first_instance = store.inner.components.len() as u32;
    for _ in &tables.instances {
        // `reserve` has made room for them.
        store.inner.components.push(ComponentInstance {
            tree,
            may_leave: true,
        });
        store.inner.handles.push(HandleTable::default());
        store.inner.arenas.push(RefArena::default());
    }
    let resources = bind_resources(store, pre, first_instance)?;
    let relay = match tables.relay.some() {
        Some(instance) => store.inner.new_relay(first_instance + instance.0)?,
        None => Relay::NONE,
    };
    let options = tables.options.iter().map(|row| BoundOptions {
        instance: first_instance + row.instance.0,
        encoding: row.encoding,
        wide: row.wide,
        memory: match tables.relay.some() {
            Some(instance) if instance == row.instance => relay.memory,
            _ => NONE,
        },
        realloc: NONE,
        post_return: NONE,
    });
    let options = collect(options)?;
    let types = resources.iter();
    let types = types.map(|tag| store.inner.resource_type(store.id, *tag));
    let resource_types = match resources.is_empty() {
        true => None,
        false => Some(Shared::new(collect(types)?)?),
    };
    let made = Tree {
        tables: tables.clone(),
        locked: false,
        awake: false,
        active: 0,
        first_instance,
        core: Vec::with_room(tables.core_instances as usize)?,
        options,
        resources,
        trampolines: Vec::new(),
        resource_types,
        relay,
    };
    store.origins.try_push(boxed(pre.clone())?)?;
    store.component_hosts.try_push(pre.0.closures.clone())?;
    store.inner.trees.try_push(made)?;
    let trampolines = 0..tables.trampolines.len() as u32;
    let trampolines =
        trampolines.map(|index| new_trampoline(store, pre, tree, TrampolineId(index)));
    let trampolines = collect(trampolines)?;
    store.inner.trees[tree as usize].trampolines = trampolines;
    Ok(tree)
}

fn bind_resources<T: 'static>(
    store: &mut Store<T>,
    pre: &InstancePre<T>,
    first_instance: u32,
) -> Result<Vec<ResourceTag>> {
    let rows = &pre.component().tables().resources;
    let tags = rows.iter().map(|row| {
        if let Some(leaf) = row.leaf.some()
            && let Some(Binding::Resource(ty, dtor)) = pre.0.bindings.get(leaf.index())
        {
            return host_resource(store, *ty, dtor);
        }
        store.inner.guest_resources.try_push(GuestResource {
            instance: first_instance + row.owner.some().map_or(0, |owner| owner.0),
            dtor: NONE,
        })?;
        let number = store.inner.guest_resources.len() as u32 - 1;
        Ok(tag(ResourceTag::guest(number)))
    });
    try_collect(tags)
}

/// A store doesn't live to see more resource types than there are numbers.
fn tag(tag: Option<ResourceTag>) -> ResourceTag {
    match tag {
        Some(tag) => tag,
        None => unreachable!("2³¹ resource types in one store"),
    }
}

/// The tag of a type that the host provides: the guest's own, if it is one of this store.
fn host_resource<T: 'static>(
    store: &mut Store<T>,
    ty: ResourceType,
    dtor: &HostDtor<T>,
) -> Result<ResourceTag> {
    if let Some(tag) = ty.guest_tag(store.id) {
        return Ok(tag);
    }
    let known = store.inner.host_types.iter().position(|known| *known == ty);
    let number = match known {
        Some(number) => number,
        None => {
            let resource = HostResource { dtor: dtor.clone() };
            store
                .inner
                .host_types
                .try_reserve(1)
                .map_err(OutOfMemory::from)?;
            store.host_resources.try_push(resource)?;
            store.inner.host_types.push(ty);
            store.host_resources.len() - 1
        }
    };
    store.host_resources[number].dtor = dtor.clone();
    Ok(tag(ResourceTag::host(number as u32)))
}

/// A trampoline as a function of the store; what an adapter calls is bound later.
fn new_trampoline<T: 'static>(
    store: &mut Store<T>,
    pre: &InstancePre<T>,
    tree: u32,
    id: TrampolineId,
) -> BoundTrampoline {
    let tables = pre.0.component.tables();
    let row = tables.trampoline(id);
    let sig = tables.core_sig(row.sig);
    let inner = &mut store.inner;
    let kind = match row.kind {
        TrampolineKind::Lower => FuncKind::Host(Callee::Native { tree, index: id.0 }.into()),
        _ => FuncKind::Native { tree, index: id.0 },
    };
    inner.funcs.push(FuncEntity::new(
        pre.0.component.sig_id(row.sig),
        sig.params.len as u16,
        sig.results.len as u16,
        kind,
    ));
    let bound = &inner.trees[tree as usize];
    let lowers = matches!(row.kind, TrampolineKind::Lower | TrampolineKind::Adapter);
    let func = row.func.some().map(|func| tables.func(func));
    let target = match func {
        Some(func) if row.kind == TrampolineKind::Lower => func.leaf.0,
        _ => NONE,
    };
    let (params, result) = match row.ty.some() {
        Some(ty) => (tables.func_type(ty).params, tables.func_type(ty).result),
        None => Default::default(),
    };
    let wide = |options: OptionsId| options.some().is_some_and(|row| tables.option(row).wide);
    let caller_wide = wide(row.options);
    let callee_wide = func.is_some_and(|func| wide(func.options));
    BoundTrampoline {
        kind: row.kind,
        entity: inner.funcs.len() as u32 - 1,
        instance: bound.first_instance + row.instance.0,
        ty: row.ty,
        params: tables.passed(params, caller_wide),
        result: tables.passed(result, caller_wide),
        caller: row.options.0,
        callee: func.map_or(NONE, |func| func.options.0),
        target,
        callee_params: 0,
        callee_results: 0,
        params_in_memory: lowers && tables.params_in_memory(row.ty),
        result_in_memory: lowers && tables.result_in_memory(row.ty),
        lends: lowers && tables.ty(params).has(TypeRow::HAS_BORROW),
        scalar: None,
        straight: false,
        mixed: row.kind == TrampolineKind::Adapter && caller_wide != callee_wide,
        same_memory: false,
        resource: match row.resource.some() {
            Some(resource) => bound.resources[resource.index()],
            None => ResourceTag::NONE,
        },
    }
}

/// What a core definition is, if what it names has been made; an adapter needs to be bound before.
fn entity(inner: &StoreInner, tree: u32, id: CoreDefId) -> Option<ExternIndex> {
    let tree = &inner.trees[tree as usize];
    let def = tree.tables.core_def(id);
    let instance = |number: u32| {
        inner
            .instances
            .get(*tree.core.get(number as usize)? as usize)
    };
    let (instance, index) = match def.kind {
        CoreDefKind::Trampoline => {
            return Some(ExternIndex::Func(tree.trampolines[def.a as usize].entity));
        }
        CoreDefKind::Export => {
            let instance = instance(def.a)?;
            (instance, instance.module.exports.get(def.b as usize)?.index)
        }
        CoreDefKind::ExportByName => {
            let instance = instance(def.a)?;
            let name = tree.tables.name(crate::tables::NameId(def.b));
            let mut exports = instance.module.exports.iter();
            (
                instance,
                exports.find(|export| &*export.name == name)?.index,
            )
        }
    };
    Some(match index {
        ExternIndex::Func(at) => ExternIndex::Func(instance.funcs[at as usize]),
        ExternIndex::Table(at) => ExternIndex::Table(instance.tables[at as usize]),
        ExternIndex::Memory(at) => ExternIndex::Memory(instance.memories[at as usize]),
        ExternIndex::Global(at) => ExternIndex::Global(instance.globals[at as usize]),
        ExternIndex::Tag(at) => ExternIndex::Tag(instance.tags[at as usize]),
    })
}

/// The function that a core definition is.
pub(super) fn func_entity(inner: &StoreInner, tree: u32, id: CoreDefId) -> Option<u32> {
    match entity(inner, tree, id)? {
        ExternIndex::Func(entity) => Some(entity),
        _ => None,
    }
}

/// Binds a definition that is an adapter, and all that it leads to, to what they call. A chain of
/// adapters can be as long as a component has functions, so this is a loop.
fn bind(inner: &mut StoreInner, tree: u32, id: CoreDefId) -> Result<()> {
    let mut chain: Vec<u32> = Vec::new();
    let mut id = id;
    loop {
        let own = &inner.trees[tree as usize];
        let def = own.tables.core_def(id);
        if def.kind != CoreDefKind::Trampoline {
            break;
        }
        let bound = own.trampolines[def.a as usize];
        if bound.kind != TrampolineKind::Adapter || bound.target != NONE {
            break;
        }
        let row = own.tables.trampoline(TrampolineId(def.a));
        chain.try_push(def.a)?;
        id = own.tables.func(row.func).core;
    }
    for index in chain.into_iter().rev() {
        let own = &inner.trees[tree as usize];
        let row = own.tables.trampoline(TrampolineId(index));
        let core = own.tables.func(row.func).core;
        let target = func_entity(inner, tree, core).ok_or_else(|| lost("a function"))?;
        let callee = inner.funcs[target as usize];
        let scalar = scalar_adapter(&own.tables, row, own.tables.func(row.func).options)?;
        let own = &mut inner.trees[tree as usize];
        let bound = &mut own.trampolines[index as usize];
        bound.target = target;
        bound.scalar = scalar;
        bound.callee_params = callee.params;
        bound.callee_results = callee.results;
    }
    Ok(())
}

/// The rules of an adapter that passes scalars alone and has nothing to clean up.
fn scalar_adapter(
    tables: &ComponentTables,
    row: TrampolineRow,
    callee: OptionsId,
) -> Result<Option<ScalarAdapter>, OutOfMemory> {
    let func = tables.func_type(row.ty);
    if tables.params_in_memory(row.ty)
        || tables.result_in_memory(row.ty)
        || tables.option(callee).post_return.some().is_some()
    {
        return Ok(None);
    }
    let results = match func.result.some() {
        Some(result) => scalars(tables, result)?,
        None => Some(Vec::new()),
    };
    let (Some(params), Some(results)) = (scalars(tables, func.params)?, results) else {
        return Ok(None);
    };
    let result = results.first().copied();
    Ok(Some(ScalarAdapter::new(
        &params,
        result.unwrap_or(Scalar::Bits64),
    )))
}

/// Whether an adapter's parameters are flat, and they and the result are scalars, or strings and lists that
/// move as bytes.
fn is_straight(tables: &ComponentTables, bound: &BoundTrampoline) -> bool {
    let utf8 = [bound.caller, bound.callee]
        .iter()
        .all(|options| tables.option(OptionsId(*options)).encoding == Encoding::Utf8);
    let run = |row: TypeRow| match row.kind {
        TypeKind::String => utf8,
        TypeKind::List | TypeKind::Map => is_bytes(tables.ty(row.element())),
        _ => false,
    };
    let params = tables.fields(tables.ty(bound.params).span()).iter();
    let mut params = params.map(|field| tables.ty(field.ty));
    let result = bound.result.some().map(|result| tables.ty(result));
    !bound.mixed
        && !bound.params_in_memory
        && params.all(|row| scalar_rule(row.kind).is_some() || run(row))
        && result.is_none_or(|row| match bound.result_in_memory {
            true => run(row),
            false => scalar_rule(row.kind).is_some(),
        })
}

/// The rules for a type's flat values, if all of them are scalars.
fn scalars(tables: &ComponentTables, ty: TypeId) -> Result<Option<Vec<Scalar>>, OutOfMemory> {
    let mut rules: Vec<Scalar> = Vec::new();
    let mut open = collect([ty])?;
    while let Some(ty) = open.pop() {
        let row = tables.ty(ty);
        match row.kind {
            TypeKind::Record | TypeKind::Tuple => {
                let fields = tables.fields(row.span()).iter();
                open.try_extend(fields.rev().map(|field| field.ty))?;
            }
            kind => match scalar_rule(kind) {
                Some(rule) => rules.try_push(rule)?,
                None => return Ok(None),
            },
        }
    }
    Ok(Some(rules))
}

/// After all initializers: adapters that only the host can reach, and whether both sides of one share
/// a memory.
fn bind_all(inner: &mut StoreInner, tree: u32) -> Result<()> {
    let tables = inner.trees[tree as usize].tables.clone();
    for func in &tables.funcs {
        if let Some(core) = func.core.some() {
            bind(inner, tree, core)?;
        }
    }
    let own = &mut inner.trees[tree as usize];
    for bound in &mut own.trampolines {
        if bound.kind == TrampolineKind::Adapter {
            let caller = own.options[bound.caller as usize].memory;
            bound.same_memory =
                caller != NONE && caller == own.options[bound.callee as usize].memory;
            bound.straight = !bound.same_memory && is_straight(&own.tables, bound);
        }
    }
    Ok(())
}

/// The function that a definition is, bound.
fn bound_func(inner: &mut StoreInner, tree: u32, id: CoreDefId) -> Result<u32> {
    bind(inner, tree, id)?;
    func_entity(inner, tree, id).ok_or_else(|| lost("a function"))
}

fn resolve_options(inner: &mut StoreInner, tree: u32, id: OptionsId) -> Result<()> {
    let row = inner.trees[tree as usize].tables.option(id);
    let mut func = |def: CoreDefId| match def.some() {
        Some(def) => bound_func(inner, tree, def),
        None => Ok(NONE),
    };
    let realloc = func(row.realloc)?;
    let post_return = func(row.post_return)?;
    let memory = match row
        .memory
        .some()
        .and_then(|memory| entity(inner, tree, memory))
    {
        Some(ExternIndex::Memory(memory)) => memory,
        _ => NONE,
    };
    let options = &mut inner.trees[tree as usize].options[id.index()];
    options.memory = memory;
    options.realloc = realloc;
    options.post_return = post_return;
    Ok(())
}

/// A definition as an argument of a core instantiation.
fn argument<T: 'static>(store: &mut Store<T>, tree: u32, id: CoreDefId) -> Result<Extern> {
    bind(&mut store.inner, tree, id)?;
    let found = entity(&store.inner, tree, id).ok_or_else(|| lost("a definition"))?;
    let store = store.id;
    Ok(match found {
        ExternIndex::Func(entity) => Extern::Func(Func { store, entity }),
        ExternIndex::Table(index) => Extern::Table(Table { store, index }),
        ExternIndex::Memory(index) => Extern::Memory(Memory { store, index }),
        ExternIndex::Global(index) => Extern::Global(Global { store, index }),
        ExternIndex::Tag(index) => Extern::Tag(Tag { store, index }),
    })
}

fn arguments<T: 'static>(
    store: &mut Store<T>,
    tree: u32,
    tables: &ComponentTables,
    span: Span,
) -> Result<Vec<Extern>> {
    let args = tables.args[span.range()].iter();
    try_collect(args.map(|def| argument(store, tree, *def)))
}

/// The arguments of an imported module, in the order in which it imports them.
fn named_arguments<T: 'static>(
    store: &mut Store<T>,
    tree: u32,
    tables: &ComponentTables,
    module: &Module,
    span: Span,
) -> Result<Vec<Extern>> {
    let rows = &tables.named_args[span.range()];
    let wanted = module.imports().map(|import| {
        let (space, name) = (import.module(), import.name());
        let mut rows = rows.iter();
        let row =
            rows.find(|row| tables.name(row.module) == space && tables.name(row.name) == name);
        row.map(|row| row.def).ok_or_else(|| lost("an argument"))
    });
    let wanted: Vec<CoreDefId> = try_collect(wanted)?;
    try_collect(wanted.into_iter().map(|def| argument(store, tree, def)))
}
