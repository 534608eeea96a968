//! Plans → tables: instantiation run symbolically.
//!
//! Each component instance is a [`Frame`] on a stack on the heap, and its plan's steps are executed
//! on *definitions* instead of values: an alias looks a name up, `with` arguments are handed to the
//! inner frame, an instance is a bag of named definitions. What has an effect at run time is noted in
//! the tables; everything else vanishes.
//!
//! The work is that of a real instantiation, which nested components can make exponential in the size
//! of the binary. So component instances, core instances and steps are counted against the limits.

use super::convert::{Converter, Scope};
use super::imports::{Imports, NodeId};
use super::parse::Parsed;
use super::plan::*;
use crate::code::module::ExternIndex;
use crate::error::{Error, ErrorKind, Result};
use crate::limits::Limits;
use crate::tables::*;
use crate::wasm::Module;
use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use hashbrown::{HashMap, HashSet};
use wasmparser::component_types as wp;

/// A bag of named definitions: what an instance is.
pub(super) type BagId = u32;
/// A component with what it captured where it was defined.
pub(super) type ClosureId = u32;

/// A component function.
#[derive(Clone, Copy)]
pub(super) enum FuncDef {
    Lifted(FuncId),
    Imported(NodeId, wp::ComponentFuncTypeId),
}

/// A core module.
#[derive(Clone, Copy)]
pub(super) enum ModuleDef {
    Static(ModuleId),
    Imported(NodeId, wp::ComponentCoreModuleTypeId),
}

/// A definition of a component.
#[derive(Clone, Copy)]
pub(super) enum Def {
    Func(FuncDef),
    Module(ModuleDef),
    Instance(BagId),
    Component(ClosureId),
    Resource(ResourceId),
    /// Any other type: the validator knows what it is wherever it is used.
    Type,
}

/// What an instance is made of.
pub(super) enum Bag<'a> {
    /// Sorted by name.
    Items(Vec<(&'a str, Def)>),
    /// Imported by the root.
    Import(NodeId, wp::ComponentInstanceTypeId),
}

pub(super) struct Closure {
    pub plan: PlanId,
    pub modules: Vec<ModuleDef>,
    /// Earlier ones.
    pub components: Vec<ClosureId>,
}

/// What flattening begins with.
pub(super) struct Outset {
    /// Components that are known before, each after those that it captured.
    pub closures: Vec<Closure>,
    pub root: ClosureId,
    /// What the root's imports of components are, by the names that lead to them; if there are
    /// such imports and none is given, only what the root declares becomes tables.
    pub given: HashMap<Vec<String>, ClosureId>,
}

impl Outset {
    /// The root of a binary.
    pub fn of_binary(parsed: &Parsed) -> Outset {
        let root = Closure {
            plan: (parsed.plans.len() as PlanId).saturating_sub(1),
            modules: Vec::new(),
            components: Vec::new(),
        };
        Outset {
            closures: alloc::vec![root],
            root: 0,
            given: HashMap::new(),
        }
    }
}

/// A core instance, within its component instance.
enum CoreInstance<'a> {
    Module(CoreInstanceId, ModuleId),
    Imported(CoreInstanceId),
    /// Sorted by name.
    Bag(Vec<(&'a str, CoreDefId)>),
}

/// A component instance that is being instantiated: its index spaces.
struct Frame<'a> {
    closure: ClosureId,
    /// The next step of its plan.
    next: usize,
    instance: InstanceId,
    /// Sorted by name.
    args: Vec<(&'a str, Def)>,
    /// Indexed by [`CoreSpace`].
    core: [Vec<CoreDefId>; 5],
    core_instances: Vec<CoreInstance<'a>>,
    modules: Vec<ModuleDef>,
    funcs: Vec<FuncDef>,
    instances: Vec<BagId>,
    components: Vec<ClosureId>,
    exports: Vec<(&'a str, Def)>,
}

pub(super) struct Flattener<'a, 'p> {
    plans: &'p [Plan<'a>],
    modules: &'p [Module],
    limits: Limits,
    steps: u32,
    /// Where the step being executed is in the binary.
    pub offset: u64,
    pub convert: Converter,
    pub imports: Imports,
    pub bags: Vec<Bag<'a>>,
    pub closures: Vec<Closure>,
    pub given: HashMap<Vec<String>, ClosureId>,
    /// The rows of components that the root exports.
    pub templates: HashMap<ClosureId, TemplateId>,
    frames: Vec<Frame<'a>>,
    /// For each frame, what the validator's types mean in it; the root's is the first.
    pub scopes: Vec<Scope>,
    /// For each module, its exports' positions sorted by name, once they are asked for.
    module_exports: Vec<Option<Vec<u32>>>,
    resolved: HashSet<OptionsId>,
}

/// Flattens what was parsed; `modules` are its modules and those that something captured.
pub(super) fn flatten(
    parsed: Parsed,
    modules: &[Module],
    outset: Outset,
    limits: Limits,
) -> Result<ComponentTables> {
    let Parsed {
        plans,
        module_ranges,
        types,
        ..
    } = parsed;
    let mut flattener = Flattener {
        plans: &plans,
        modules,
        limits,
        steps: 0,
        offset: 0,
        convert: Converter::new(types),
        imports: Imports::default(),
        bags: Vec::new(),
        closures: outset.closures,
        given: outset.given,
        templates: HashMap::new(),
        frames: Vec::new(),
        scopes: Vec::new(),
        module_exports: modules.iter().map(|_| None).collect(),
        resolved: HashSet::new(),
    };
    for at in 0..modules.len() {
        // One that was captured lies in no binary that is at hand.
        let range = module_ranges.get(at).cloned().unwrap_or_default();
        flattener.tables().modules.push(ModuleRow {
            ty: ModuleTypeId::NONE,
            start: range.start,
            end: range.end,
        });
    }
    flattener.run(outset.root)?;
    Ok(flattener.convert.builder.finish())
}

impl<'a, 'p> Flattener<'a, 'p> {
    pub fn tables(&mut self) -> &mut ComponentTables {
        &mut self.convert.builder.tables
    }

    pub fn error(&self, kind: ErrorKind, message: &str) -> Error {
        Error::at(kind, message, self.offset)
    }

    /// A definition that validation guarantees isn't there.
    pub fn missing(&self) -> Error {
        self.error(ErrorKind::Invalid, "a definition that does not exist")
    }

    /// Counts work.
    pub fn work(&mut self, amount: usize) -> Result<()> {
        let amount = u32::try_from(amount).unwrap_or(u32::MAX);
        self.steps = self.steps.saturating_add(amount);
        if self.steps > self.limits.component_steps {
            let why = "instantiation takes more steps than the limit allows";
            return Err(self.error(ErrorKind::Limit, why));
        }
        Ok(())
    }

    fn run(&mut self, root: ClosureId) -> Result<()> {
        let plans = self.plans;
        let Some(plan) = plans.get(self.closures[root as usize].plan as usize) else {
            return Err(self.missing());
        };
        self.enter(root, InstanceId::NONE, Vec::new(), Scope::default())?;
        if self.given.is_empty() && self.imports_components(plan)? {
            return self.declare(plan);
        }
        loop {
            let frame = self.frame();
            let at = frame.next;
            frame.next += 1;
            let closure = frame.closure;
            let plan = &plans[self.closures[closure as usize].plan as usize];
            if let Some(step) = plan.steps.get(at) {
                self.offset = step.offset.into();
                self.work(1)?;
                self.step(&step.kind)?;
            } else if self.frames.len() > 1 {
                self.leave(plans)?;
            } else {
                return self.finish_root(plan);
            }
        }
    }

    fn frame(&mut self) -> &mut Frame<'a> {
        let last = self.frames.len() - 1;
        &mut self.frames[last]
    }

    /// What the validator's types mean in the frame on top.
    fn scope(&mut self) -> (&mut Converter, &mut Scope) {
        let last = self.scopes.len() - 1;
        (&mut self.convert, &mut self.scopes[last])
    }

    fn new_instance(&mut self, parent: InstanceId, name: NameId) -> Result<InstanceId> {
        let instances = &mut self.tables().instances;
        let instance = InstanceId(instances.len() as u32);
        instances.push(InstanceRow { parent, name });
        if instance.0 >= self.limits.component_instances {
            let why = "more component instances than the limit allows";
            return Err(self.error(ErrorKind::Limit, why));
        }
        Ok(instance)
    }

    /// The component instance that stands for the host, made when it is needed first.
    pub fn relay(&mut self) -> Result<InstanceId> {
        if let Some(known) = self.tables().relay.some() {
            return Ok(known);
        }
        let relay = self.new_instance(InstanceId::NONE, NameId::NONE)?;
        self.tables().relay = relay;
        Ok(relay)
    }

    /// Begins a component instance.
    fn enter(
        &mut self,
        closure: ClosureId,
        parent: InstanceId,
        args: Vec<(&'a str, Def)>,
        scope: Scope,
    ) -> Result<()> {
        let plan = self.closures[closure as usize].plan;
        let name = self.plans[plan as usize].name;
        let name = self.convert.builder.optional_name(name);
        let instance = self.new_instance(parent, name)?;
        self.scopes.push(scope);
        self.frames.push(Frame {
            closure,
            next: 0,
            instance,
            args,
            core: Default::default(),
            core_instances: Vec::new(),
            modules: Vec::new(),
            funcs: Vec::new(),
            instances: Vec::new(),
            components: Vec::new(),
            exports: Vec::new(),
        });
        Ok(())
    }

    fn step(&mut self, step: &'p StepKind<'a>) -> Result<()> {
        match step {
            StepKind::Import { name, ty } => self.import(name, ty),
            StepKind::Lift { core, ty, options } => self.lift(*core, *ty, options),
            StepKind::Lower { func, ty, options } => self.lower(*func, *ty, options),
            StepKind::Resource { id, dtor } => self.define_resource(*id, *dtor),
            StepKind::ResourceNew(id) => self.builtin(TrampolineKind::ResourceNew, *id),
            StepKind::ResourceRep(id) => self.builtin(TrampolineKind::ResourceRep, *id),
            StepKind::ResourceDrop(id) => self.builtin(TrampolineKind::ResourceDrop, *id),
            StepKind::ErrorContextNew(options) => {
                self.error_context(TrampolineKind::ErrorContextNew, Some(options))
            }
            StepKind::ErrorContextMessage(options) => {
                self.error_context(TrampolineKind::ErrorContextMessage, Some(options))
            }
            StepKind::ErrorContextDrop => {
                self.error_context(TrampolineKind::ErrorContextDrop, None)
            }
            StepKind::Module(id) => {
                self.frame().modules.push(ModuleDef::Static(*id));
                Ok(())
            }
            StepKind::InstantiateModule { module, args } => self.instantiate_module(*module, args),
            StepKind::CoreBag(defs) => self.core_bag(defs),
            StepKind::Component(plan) => self.component(*plan),
            StepKind::Instantiate {
                component, args, ..
            } => self.instantiate(*component, args),
            StepKind::Bag(items) => {
                let bag = self.bag(items)?;
                self.frame().instances.push(bag);
                Ok(())
            }
            StepKind::AliasCore {
                instance,
                space,
                name,
            } => {
                let def = self.core_export(*instance, *space, name)?;
                self.frame().core[*space as usize].push(def);
                Ok(())
            }
            StepKind::Alias { instance, name } => {
                let bag = self.frame().instances[*instance as usize];
                let def = self.lookup(bag, name)?;
                self.define(def);
                Ok(())
            }
            StepKind::OuterModule(capture) => {
                let module = self.captured_module(*capture);
                self.frame().modules.push(module);
                Ok(())
            }
            StepKind::OuterComponent(capture) => {
                let component = self.captured_component(*capture);
                self.frame().components.push(component);
                Ok(())
            }
            StepKind::Export { name, item, .. } => {
                let def = self.def(*item);
                self.define(def);
                self.frame().exports.push((name, def));
                Ok(())
            }
        }
    }

    /// Appends a definition to its index space.
    fn define(&mut self, def: Def) {
        let frame = self.frame();
        match def {
            Def::Func(func) => frame.funcs.push(func),
            Def::Module(module) => frame.modules.push(module),
            Def::Instance(bag) => frame.instances.push(bag),
            Def::Component(closure) => frame.components.push(closure),
            Def::Resource(_) | Def::Type => {}
        }
    }

    /// What an index names.
    fn def(&mut self, item: Item) -> Def {
        let frame = self.frame();
        match item {
            Item::Func(index) => Def::Func(frame.funcs[index as usize]),
            Item::Module(index) => Def::Module(frame.modules[index as usize]),
            Item::Instance(index) => Def::Instance(frame.instances[index as usize]),
            Item::Component(index) => Def::Component(frame.components[index as usize]),
            Item::Type(wp::ComponentAnyTypeId::Resource(id)) => {
                let (convert, scope) = self.scope();
                Def::Resource(convert.resource(scope, id.resource()))
            }
            Item::Type(_) => Def::Type,
        }
    }

    fn import(&mut self, name: &'a str, ty: &wp::ComponentEntityType) -> Result<()> {
        let def = if self.frames.len() == 1 {
            self.root_import(name, ty)?
        } else {
            let args = &self.frame().args;
            match args.binary_search_by(|(arg, _)| arg.cmp(&name)) {
                Ok(at) => args[at].1,
                // Types without resources need no argument: they mean the same everywhere.
                Err(_) if matches!(ty, wp::ComponentEntityType::Type { .. }) => Def::Type,
                Err(_) => return Err(self.missing()),
            }
        };
        self.define(def);
        Ok(())
    }

    fn options(&mut self, options: &CanonOptions, sig: &CoreSignature) -> OptionsId {
        let frame = self.frame();
        let instance = frame.instance;
        let func = |index: Option<u32>| match index {
            Some(index) => frame.core[CoreSpace::Func as usize][index as usize],
            None => CoreDefId::NONE,
        };
        let (realloc, post_return) = (func(options.realloc), func(options.post_return));
        let memory = match options.memory {
            Some(index) => frame.core[CoreSpace::Memory as usize][index as usize],
            None => CoreDefId::NONE,
        };
        let sig = self.convert.builder.core_sig(sig);
        let id = self.convert.builder.option_set(OptionsRow {
            instance,
            encoding: options.encoding,
            memory,
            wide: options.wide,
            realloc,
            post_return,
            sig,
        });
        let any = [memory, realloc, post_return].map(CoreDefId::some);
        if any.iter().any(Option::is_some) && self.resolved.insert(id) {
            self.init(
                InitKind::Resolve,
                id.0,
                CoreInstanceId::NONE,
                Span::default(),
            );
        }
        id
    }

    fn init(&mut self, kind: InitKind, a: u32, core: CoreInstanceId, args: Span) {
        let instance = self.frame().instance;
        self.tables().inits.push(InitRow {
            kind,
            a,
            instance,
            core,
            args,
        });
    }

    fn lift(
        &mut self,
        core: u32,
        ty: wp::ComponentFuncTypeId,
        options: &CanonOptions,
    ) -> Result<()> {
        let (convert, scope) = self.scope();
        let ty = convert.func(scope, ty)?;
        if options.wide {
            convert.widen(ty)?;
        }
        let sig = convert.builder.tables.lift_signature(ty, options.wide);
        let options = self.options(options, &sig);
        let core = self.frame().core[CoreSpace::Func as usize][core as usize];
        let func = self.convert.builder.func(FuncRow {
            kind: FuncKind::Lifted,
            ty,
            core,
            options,
            leaf: LeafId::NONE,
        });
        self.frame().funcs.push(FuncDef::Lifted(func));
        Ok(())
    }

    fn lower(
        &mut self,
        func: u32,
        ty: wp::ComponentFuncTypeId,
        options: &CanonOptions,
    ) -> Result<()> {
        let (convert, scope) = self.scope();
        let ty = convert.func(scope, ty)?;
        let def = self.frame().funcs[func as usize];
        let (kind, callee) = match def {
            FuncDef::Lifted(func) => (TrampolineKind::Adapter, self.tables().func(func).options),
            FuncDef::Imported(..) => (TrampolineKind::Lower, OptionsId::NONE),
        };
        let callee = callee.some().map(|callee| self.tables().option(callee));
        let convert = &mut self.convert;
        if options.wide || callee.is_some_and(|callee| callee.wide) {
            convert.widen(ty)?;
        }
        let signature = convert.builder.tables.lower_signature(ty, options.wide);
        let options = self.options(options, &signature);
        let instance = self.frame().instance;
        let row = TrampolineRow {
            kind,
            sig: self.tables().option(options).sig,
            instance,
            func: self.func(def)?,
            ty,
            options,
            resource: ResourceId::NONE,
        };
        self.define_trampoline(row);
        Ok(())
    }

    /// The row of a function; an imported one becomes a leaf.
    pub fn func(&mut self, def: FuncDef) -> Result<FuncId> {
        let (node, ty) = match def {
            FuncDef::Lifted(func) => return Ok(func),
            FuncDef::Imported(node, ty) => (node, ty),
        };
        let ty = self.convert.func(&mut self.scopes[0], ty)?;
        let tables = &mut self.convert.builder.tables;
        let leaf = self.imports.leaf(tables, node, LeafKind::Func, ty.0);
        Ok(self.convert.builder.func(FuncRow {
            kind: FuncKind::Imported,
            ty,
            core: CoreDefId::NONE,
            options: OptionsId::NONE,
            leaf,
        }))
    }

    /// A trampoline as a core function.
    pub fn trampoline(&mut self, row: TrampolineRow) -> CoreDefId {
        let id = self.convert.builder.trampoline(row);
        self.convert.builder.core_def(CoreDefRow {
            kind: CoreDefKind::Trampoline,
            space: CoreSpace::Func,
            a: id.0,
            b: 0,
        })
    }

    fn define_trampoline(&mut self, row: TrampolineRow) {
        let def = self.trampoline(row);
        self.frame().core[CoreSpace::Func as usize].push(def);
    }

    fn define_resource(&mut self, id: wp::ResourceId, dtor: Option<u32>) -> Result<()> {
        let frame = self.frame();
        let owner = frame.instance;
        let dtor = match dtor {
            Some(index) => frame.core[CoreSpace::Func as usize][index as usize],
            None => CoreDefId::NONE,
        };
        let rows = &mut self.tables().resources;
        let resource = ResourceId(rows.len() as u32);
        rows.push(ResourceRow {
            leaf: LeafId::NONE,
            owner,
            dtor,
            name: NameId::NONE,
        });
        self.scope().1.resources.insert(id, resource);
        let none = (CoreInstanceId::NONE, Span::default());
        self.init(InitKind::Define, resource.0, none.0, none.1);
        Ok(())
    }

    fn builtin(&mut self, kind: TrampolineKind, id: wp::ResourceId) -> Result<()> {
        let i32s = alloc::vec![CoreType::I32];
        let results = match kind {
            TrampolineKind::ResourceDrop => Vec::new(),
            _ => i32s.clone(),
        };
        let sig = CoreSignature {
            params: i32s,
            results,
        };
        let (convert, scope) = self.scope();
        let resource = convert.resource(scope, id);
        let sig = convert.builder.core_sig(&sig);
        let instance = self.frame().instance;
        self.define_trampoline(TrampolineRow {
            kind,
            sig,
            instance,
            func: FuncId::NONE,
            ty: FuncTypeId::NONE,
            options: OptionsId::NONE,
            resource,
        });
        Ok(())
    }

    fn error_context(
        &mut self,
        kind: TrampolineKind,
        options: Option<&CanonOptions>,
    ) -> Result<()> {
        let pointer = CoreType::pointer(options.is_some_and(|options| options.wide));
        let (params, results) = match kind {
            TrampolineKind::ErrorContextNew => (alloc::vec![pointer; 2], 1),
            TrampolineKind::ErrorContextMessage => (alloc::vec![CoreType::I32, pointer], 0),
            _ => (alloc::vec![CoreType::I32], 0),
        };
        let sig = CoreSignature {
            params,
            results: alloc::vec![CoreType::I32; results],
        };
        let options = options.map(|options| self.options(options, &sig));
        let sig = self.convert.builder.core_sig(&sig);
        let instance = self.frame().instance;
        self.define_trampoline(TrampolineRow {
            kind,
            sig,
            instance,
            func: FuncId::NONE,
            ty: FuncTypeId::NONE,
            options: options.unwrap_or_default(),
            resource: ResourceId::NONE,
        });
        Ok(())
    }

    fn instantiate_module(&mut self, module: u32, args: &[(&'a str, u32)]) -> Result<()> {
        let tables = self.tables();
        let core = CoreInstanceId(tables.core_instances);
        tables.core_instances += 1;
        if core.0 >= self.limits.core_instances {
            let why = "more core instances than the limit allows";
            return Err(self.error(ErrorKind::Limit, why));
        }
        self.work(args.len())?;
        let mut args = args.to_vec();
        args.sort_unstable();
        match self.frame().modules[module as usize] {
            ModuleDef::Static(id) => {
                let span = self.module_args(id, &args)?;
                self.init(InitKind::Instantiate, id.0, core, span);
                let instance = CoreInstance::Module(core, id);
                self.frame().core_instances.push(instance);
            }
            ModuleDef::Imported(node, ty) => {
                let (leaf, span) = self.imported_module_args(node, ty, &args)?;
                self.init(InitKind::InstantiateImported, leaf.0, core, span);
                let instance = CoreInstance::Imported(core);
                self.frame().core_instances.push(instance);
            }
        }
        Ok(())
    }

    /// What a core import is bound to, by the sorted arguments.
    fn core_arg(
        &mut self,
        args: &[(&'a str, u32)],
        module: &str,
        name: &str,
        space: CoreSpace,
    ) -> Result<CoreDefId> {
        match args.binary_search_by(|(arg, _)| (*arg).cmp(module)) {
            Ok(at) => self.core_export(args[at].1, space, name),
            Err(_) => Err(self.missing()),
        }
    }

    fn module_args(&mut self, module: ModuleId, args: &[(&'a str, u32)]) -> Result<Span> {
        let modules = self.modules;
        let imports = &modules[module.index()].data.imports;
        self.work(imports.len())?;
        let start = self.tables().args.len() as u32;
        for import in imports {
            let space = match import.index {
                ExternIndex::Func(_) => CoreSpace::Func,
                ExternIndex::Table(_) => CoreSpace::Table,
                ExternIndex::Memory(_) => CoreSpace::Memory,
                ExternIndex::Global(_) => CoreSpace::Global,
                ExternIndex::Tag(_) => CoreSpace::Tag,
            };
            let def = self.core_arg(args, &import.module, &import.name, space)?;
            self.tables().args.push(def);
        }
        let len = imports.len() as u32;
        Ok(Span { start, len })
    }

    fn imported_module_args(
        &mut self,
        node: NodeId,
        ty: wp::ComponentCoreModuleTypeId,
        args: &[(&'a str, u32)],
    ) -> Result<(LeafId, Span)> {
        let ty = self.convert.module(ty, self.offset)?;
        let tables = &mut self.convert.builder.tables;
        let leaf = self.imports.leaf(tables, node, LeafKind::Module, ty.0);
        let imports = tables.core_externs(tables.module_type(ty).imports).to_vec();
        self.work(imports.len())?;
        let start = self.tables().named_args.len() as u32;
        for import in &imports {
            let tables = self.tables();
            let module = tables.name(import.module).to_owned();
            let name = tables.name(import.name).to_owned();
            let space = match import.kind {
                CoreKind::Func => CoreSpace::Func,
                CoreKind::Table => CoreSpace::Table,
                CoreKind::Memory => CoreSpace::Memory,
                CoreKind::Global => CoreSpace::Global,
                CoreKind::Tag => CoreSpace::Tag,
            };
            let def = self.core_arg(args, &module, &name, space)?;
            self.tables().named_args.push(NamedArgRow {
                module: import.module,
                name: import.name,
                def,
            });
        }
        let len = imports.len() as u32;
        Ok((leaf, Span { start, len }))
    }

    fn core_bag(&mut self, defs: &[(&'a str, CoreSpace, u32)]) -> Result<()> {
        self.work(defs.len())?;
        let frame = self.frame();
        let def = |(name, space, index): &(&'a str, CoreSpace, u32)| {
            (*name, frame.core[*space as usize][*index as usize])
        };
        let mut bag: Vec<_> = defs.iter().map(def).collect();
        bag.sort_unstable();
        frame.core_instances.push(CoreInstance::Bag(bag));
        Ok(())
    }

    /// An export of a core instance by name.
    fn core_export(&mut self, instance: u32, space: CoreSpace, name: &str) -> Result<CoreDefId> {
        let (kind, core, b) = match &self.frame().core_instances[instance as usize] {
            CoreInstance::Bag(defs) => {
                let at = defs.binary_search_by(|(def, _)| (*def).cmp(name));
                return match at {
                    Ok(at) => Ok(defs[at].1),
                    Err(_) => Err(self.missing()),
                };
            }
            CoreInstance::Module(core, module) => {
                let (core, module) = (*core, *module);
                let position = self.module_export(module, name)?;
                (CoreDefKind::Export, core, position)
            }
            CoreInstance::Imported(core) => {
                let core = *core;
                let name = self.convert.builder.name(name);
                (CoreDefKind::ExportByName, core, name.0)
            }
        };
        Ok(self.convert.builder.core_def(CoreDefRow {
            kind,
            space,
            a: core.0,
            b,
        }))
    }

    /// The position of a module's export.
    fn module_export(&mut self, module: ModuleId, name: &str) -> Result<u32> {
        let exports = &self.modules[module.index()].data.exports;
        let sorted = self.module_exports[module.index()].get_or_insert_with(|| {
            let mut sorted: Vec<u32> = (0..exports.len() as u32).collect();
            sorted.sort_unstable_by_key(|at| &*exports[*at as usize].name);
            sorted
        });
        let found = sorted.binary_search_by_key(&name, |at| &*exports[*at as usize].name);
        match found {
            Ok(at) => Ok(sorted[at]),
            Err(_) => Err(self.missing()),
        }
    }

    fn captured_module(&mut self, capture: Capture) -> ModuleDef {
        let frame = self.frame();
        match capture {
            Capture::Local(index) => frame.modules[index as usize],
            Capture::Captured(index) => {
                let closure = frame.closure;
                self.closures[closure as usize].modules[index as usize]
            }
        }
    }

    fn captured_component(&mut self, capture: Capture) -> ClosureId {
        let frame = self.frame();
        match capture {
            Capture::Local(index) => frame.components[index as usize],
            Capture::Captured(index) => {
                let closure = frame.closure;
                self.closures[closure as usize].components[index as usize]
            }
        }
    }

    /// Defines a nested component: what it captures is known now.
    fn component(&mut self, plan: PlanId) -> Result<()> {
        let plans = self.plans;
        let inner = &plans[plan as usize];
        self.work(inner.captured_modules.len() + inner.captured_components.len())?;
        let modules = inner.captured_modules.iter();
        let modules = modules.map(|at| self.captured_module(*at)).collect();
        let components = inner.captured_components.iter();
        let components = components.map(|at| self.captured_component(*at)).collect();
        let id = self.closures.len() as ClosureId;
        self.closures.push(Closure {
            plan,
            modules,
            components,
        });
        self.frame().components.push(id);
        Ok(())
    }

    /// Definitions by name, sorted.
    fn items(&mut self, items: &[(&'a str, Item)]) -> Result<Vec<(&'a str, Def)>> {
        self.work(items.len())?;
        let mut defs: Vec<_> = items
            .iter()
            .map(|(name, item)| (*name, self.def(*item)))
            .collect();
        defs.sort_unstable_by_key(|(name, _)| *name);
        Ok(defs)
    }

    fn bag(&mut self, items: &[(&'a str, Item)]) -> Result<BagId> {
        let defs = self.items(items)?;
        self.bags.push(Bag::Items(defs));
        Ok(self.bags.len() as BagId - 1)
    }

    /// Begins to instantiate a component; its resources' meaning comes of the arguments.
    fn instantiate(&mut self, component: u32, args: &[(&'a str, Item)]) -> Result<()> {
        let args = self.items(args)?;
        let closure = self.frame().components[component as usize];
        let plan = self.closures[closure as usize].plan;
        let Some(ty) = self.plans[plan as usize].ty else {
            return Err(self.missing());
        };
        let imported = self.convert.types[ty].imported_resources.clone();
        self.work(imported.len())?;
        let mut scope = Scope::default();
        for (id, path) in &imported {
            let Some((&first, rest)) = path.split_first() else {
                return Err(self.missing());
            };
            let Some((name, item)) = self.convert.types[ty].imports.get_index(first) else {
                return Err(self.missing());
            };
            let Ok(at) = args.binary_search_by(|(arg, _)| (*arg).cmp(name)) else {
                return Err(self.missing());
            };
            let resource = self.follow(args[at].1, item.ty, rest)?.0;
            scope.resources.insert(*id, resource);
        }
        let parent = self.frame().instance;
        self.enter(closure, parent, args, scope)
    }

    /// Follows a path of positions in exports of `ty` from `def` to a resource: what it is, and the
    /// id that `ty` gives it.
    fn follow(
        &mut self,
        mut def: Def,
        mut ty: wp::ComponentEntityType,
        path: &[usize],
    ) -> Result<(ResourceId, wp::ResourceId)> {
        self.work(path.len())?;
        for &position in path {
            let (Def::Instance(bag), wp::ComponentEntityType::Instance(id)) = (def, ty) else {
                return Err(self.missing());
            };
            let exports = &self.convert.types[id].exports;
            let Some((name, item)) = exports.get_index(position) else {
                return Err(self.missing());
            };
            (ty, def) = (item.ty, self.lookup(bag, &name.clone())?);
        }
        match (def, ty) {
            (
                Def::Resource(resource),
                wp::ComponentEntityType::Type {
                    created: wp::ComponentAnyTypeId::Resource(id),
                    ..
                },
            ) => Ok((resource, id.resource())),
            _ => Err(self.missing()),
        }
    }

    /// Ends a component instance: its exports become an instance of the frame below.
    fn leave(&mut self, plans: &'p [Plan<'a>]) -> Result<()> {
        let (Some(frame), Some(_)) = (self.frames.pop(), self.scopes.pop()) else {
            return Err(self.missing());
        };
        let mut exports = frame.exports;
        exports.sort_unstable_by_key(|(name, _)| *name);
        let bag = self.bags.len() as BagId;
        self.bags.push(Bag::Items(exports));
        // The step that began it is the one before the next.
        let below = self.frame();
        below.instances.push(bag);
        let at = below.next - 1;
        let closure = below.closure;
        let plan = &plans[self.closures[closure as usize].plan as usize];
        let StepKind::Instantiate {
            ty, instance_ty, ..
        } = plan.steps[at].kind
        else {
            return Err(self.missing());
        };
        self.offset = plan.steps[at].offset.into();
        let defined = self.convert.types[ty].defined_resources.clone();
        self.work(defined.len())?;
        for (_, path) in &defined {
            let ty = wp::ComponentEntityType::Instance(instance_ty);
            let (resource, id) = self.follow(Def::Instance(bag), ty, path)?;
            self.scope().1.resources.insert(id, resource);
        }
        Ok(())
    }

    /// A definition of an instance by name.
    pub fn lookup(&mut self, bag: BagId, name: &str) -> Result<Def> {
        match &self.bags[bag as usize] {
            Bag::Items(defs) => match defs.binary_search_by(|(def, _)| (*def).cmp(name)) {
                Ok(at) => Ok(defs[at].1),
                Err(_) => Err(self.missing()),
            },
            Bag::Import(node, ty) => self.imported(*node, *ty, name),
        }
    }

    /// The root's type, where another component of the binary is around it.
    pub fn root_type(&self) -> Option<wp::ComponentTypeId> {
        let root = self.frames.first()?;
        self.plans[self.closures[root.closure as usize].plan as usize].ty
    }

    /// What the root exports, in order.
    pub fn root_defs(&mut self) -> Vec<(&'a str, Def)> {
        core::mem::take(&mut self.frame().exports)
    }
}
