//! Bytes → one [`Plan`] for each component and one [`ModuleData`] for each core module of the binary.
//!
//! Walks the payloads with the validator in lock step: a definition is noted only after the section
//! it stands in was found valid, so indices and types can be looked up without further checks.
//! Components nested in each other are a stack on the heap here.

use super::plan::*;
use crate::code::module::ModuleData;
use crate::error::{Error, ErrorKind, Result};
use crate::fallible::{Shared, copied};
use crate::tables::{CoreSpace, Encoding, ModuleId};
use crate::wasm::Engine;
use crate::wasm::decode::{ModuleDecoder, invalid};
use crate::wasm::sections::{self, Valid};
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::ops::Range;
use hashbrown::HashMap;
use wasmparser::component_types::{ComponentAnyTypeId, ComponentEntityType};
use wasmparser::{
    CanonicalFunction, CanonicalOption, ComponentAlias, ComponentExternalKind, ComponentInstance,
    ComponentName, ComponentOuterAliasKind, ComponentType, Encoding as BinaryEncoding,
    ExternalKind, FromReader, Instance, KnownCustom, Parser, Payload, SectionLimited, Validator,
    WasmFeatures,
};

/// What a binary holds.
pub(super) struct Parsed<'a> {
    /// The binary, as its modules keep it.
    pub bytes: Shared<Vec<u8>>,
    /// Components; the last one is the root.
    pub plans: Vec<Plan<'a>>,
    pub modules: Vec<ModuleData>,
    /// Where each module is in the binary.
    pub module_ranges: Vec<Range<u32>>,
    /// Types of the whole binary.
    pub types: Box<wasmparser::types::Types>,
}

/// A component whose end hasn't been read yet.
#[derive(Default)]
struct Open<'a> {
    plan: Plan<'a>,
    /// Sizes of the index spaces that captures name.
    modules: u32,
    components: u32,
    types: u32,
    instances: u32,
    captured_modules: Captures,
    captured_components: Captures,
}

/// What a component uses of those around it, each once.
#[derive(Default)]
struct Captures {
    known: HashMap<Capture, u32>,
    list: Vec<Capture>,
}

impl Captures {
    fn add(&mut self, capture: Capture) -> u32 {
        *self.known.entry(capture).or_insert_with(|| {
            self.list.push(capture);
            self.list.len() as u32 - 1
        })
    }
}

struct Walk<'a, 'e> {
    engine: &'e Engine,
    bytes: Shared<Vec<u8>>,
    validator: Box<Validator>,
    open: Vec<Open<'a>>,
    module: Option<Box<ModuleDecoder>>,
    parsed: Vec<Plan<'a>>,
    modules: Vec<ModuleData>,
    module_ranges: Vec<Range<u32>>,
    /// Captures so far, against the limit of steps.
    captures: u32,
}

/// Parses and validates a binary.
#[inline(never)]
pub(super) fn parse<'a>(
    engine: &Engine,
    bytes: &'a [u8],
    features: WasmFeatures,
) -> Result<Parsed<'a>> {
    if u32::try_from(bytes.len()).is_err() {
        return Err(Error::of(ErrorKind::Limit, "a binary of 4 GiB or more"));
    }
    let mut walk = Walk {
        engine,
        bytes: Shared::new(copied(bytes)?)?,
        validator: sections::validator(features),
        open: Vec::new(),
        module: None,
        parsed: Vec::new(),
        modules: Vec::new(),
        module_ranges: Vec::new(),
        captures: 0,
    };
    let mut parser = Parser::new(0);
    parser.set_features(features);
    for payload in parser.parse_all(bytes) {
        let payload = payload.map_err(invalid)?;
        let valid = sections::validate(&mut walk.validator, &payload).map_err(invalid)?;
        if let Some(types) = walk.payload(payload, valid)? {
            return Ok(Parsed {
                bytes: walk.bytes,
                plans: walk.parsed,
                modules: walk.modules,
                module_ranges: walk.module_ranges,
                types,
            });
        }
    }
    Err(Error::at(
        ErrorKind::Malformed,
        "the binary ends before its component does",
        bytes.len() as u64,
    ))
}

fn unsupported(what: &str, offset: u64) -> Error {
    Error::at(ErrorKind::Unsupported, what, offset)
}

impl<'a> Walk<'a, '_> {
    /// Takes a payload; the types of the binary if it ended the root.
    #[inline(never)]
    fn payload(
        &mut self,
        payload: Payload<'a>,
        valid: Valid<'a>,
    ) -> Result<Option<Box<wasmparser::types::Types>>> {
        if let Some(decoder) = &mut self.module {
            let is_end = matches!(payload, Payload::End(_));
            decoder.payload(payload, valid)?;
            if is_end && let Some(decoder) = self.module.take() {
                self.modules.push(decoder.finish());
            }
            return Ok(None);
        }
        match payload {
            Payload::Version {
                encoding: BinaryEncoding::Module,
                range,
                ..
            } => {
                let why = "a core module where a component is expected";
                return Err(Error::at(ErrorKind::Type, why, range.start));
            }
            Payload::Version { .. } => self.open.push(Open::default()),
            Payload::ModuleSection {
                unchecked_range, ..
            } => self.module_section(unchecked_range),
            Payload::End(offset) => {
                if let Some(types) = self.end(valid, offset as u32) {
                    return Ok(Some(types));
                }
            }
            Payload::ComponentStartSection { range, .. } => {
                return Err(unsupported("component start functions", range.start));
            }
            Payload::CustomSection(section) => {
                if let KnownCustom::ComponentName(names) = section.as_known() {
                    self.names(names);
                }
            }
            section => self.definitions(section)?,
        }
        Ok(None)
    }

    /// The sections that define something in the component being read.
    #[inline(never)]
    fn definitions(&mut self, section: Payload<'a>) -> Result<()> {
        match section {
            Payload::ComponentTypeSection(section) => self.each(section, Self::ty),
            Payload::ComponentImportSection(section) => self.each(section, Self::import),
            Payload::ComponentCanonicalSection(section) => self.each(section, Self::canonical),
            Payload::InstanceSection(section) => self.each(section, Self::core_instance),
            Payload::ComponentInstanceSection(section) => self.each(section, Self::instance),
            Payload::ComponentAliasSection(section) => self.each(section, Self::alias),
            Payload::ComponentExportSection(section) => self.each(section, Self::export),
            _ => Ok(()),
        }
    }

    #[inline(never)]
    fn each<T: FromReader<'a>>(
        &mut self,
        section: SectionLimited<'a, T>,
        note: fn(&mut Self, T, u64) -> Result<()>,
    ) -> Result<()> {
        for item in section.into_iter_with_offsets() {
            let (offset, item) = item.map_err(invalid)?;
            note(self, item, offset)?;
        }
        Ok(())
    }

    /// The component being read. There is one whenever a component's section was found valid.
    fn current(&mut self) -> &mut Open<'a> {
        if self.open.is_empty() {
            self.open.push(Open::default());
        }
        let last = self.open.len() - 1;
        &mut self.open[last]
    }

    fn step(&mut self, offset: u64, kind: StepKind<'a>) {
        let offset = offset as u32;
        self.current().plan.steps.push(Step { offset, kind });
    }

    /// Types of the component being read. The validator has some while it reads a component.
    fn types(&self, offset: u64) -> Result<wasmparser::types::TypesRef<'_>> {
        let none = || {
            Error::at(
                ErrorKind::Invalid,
                "a definition outside a component",
                offset,
            )
        };
        self.validator.types(0).ok_or_else(none)
    }

    #[inline(never)]
    fn module_section(&mut self, range: Range<u64>) {
        let id = ModuleId(self.module_ranges.len() as u32);
        self.module_ranges
            .push(range.start as u32..range.end as u32);
        self.module = Some(Box::new(ModuleDecoder::new(
            self.engine,
            self.bytes.clone(),
        )));
        self.step(range.start, StepKind::Module(id));
        self.current().modules += 1;
    }

    /// Ends the component being read; the binary's types if it was the root.
    #[inline(never)]
    fn end(&mut self, valid: Valid, offset: u32) -> Option<Box<wasmparser::types::Types>> {
        let ended = self.open.pop()?;
        let mut plan = ended.plan;
        plan.captured_modules = ended.captured_modules.list;
        plan.captured_components = ended.captured_components.list;
        let id = self.parsed.len() as PlanId;
        let Some(parent) = self.open.last_mut() else {
            self.parsed.push(plan);
            return match valid {
                Valid::End(types) => Some(types),
                _ => None,
            };
        };
        let kind = StepKind::Component(id);
        parent.plan.steps.push(Step { offset, kind });
        let index = parent.components;
        parent.components += 1;
        plan.ty = self
            .validator
            .types(0)
            .map(|types| types.component_at(index));
        self.parsed.push(plan);
        None
    }

    /// Only the component's own name; a name section that is damaged is ignored.
    #[inline(never)]
    fn names(&mut self, names: wasmparser::ComponentNameSectionReader<'a>) {
        for name in names {
            if let Ok(ComponentName::Component { name, .. }) = name {
                self.current().plan.name = Some(name);
            }
        }
    }

    fn ty(&mut self, ty: ComponentType<'a>, offset: u64) -> Result<()> {
        let index = self.new_type();
        if let ComponentType::Resource { rep, dtor } = ty {
            if rep != wasmparser::ValType::I32 {
                // The specification doesn't say what a borrow of such a one is in core values.
                let what = "component-model memory64: resources that `i64` represents";
                return Err(unsupported(what, offset));
            }
            let id = self.resource_at(index, offset)?;
            self.step(offset, StepKind::Resource { id, dtor });
        }
        Ok(())
    }

    /// The next index of the space of types.
    fn new_type(&mut self) -> u32 {
        let open = self.current();
        open.types += 1;
        open.types - 1
    }

    fn resource_at(
        &self,
        index: u32,
        offset: u64,
    ) -> Result<wasmparser::component_types::ResourceId> {
        match self.types(offset)?.component_any_type_at(index) {
            ComponentAnyTypeId::Resource(id) => Ok(id.resource()),
            _ => Err(Error::at(ErrorKind::Invalid, "not a resource type", offset)),
        }
    }

    /// Counts a definition in the index spaces that are counted here.
    fn count(&mut self, kind: ComponentExternalKind) {
        let open = self.current();
        match kind {
            ComponentExternalKind::Module => open.modules += 1,
            ComponentExternalKind::Component => open.components += 1,
            ComponentExternalKind::Type => open.types += 1,
            ComponentExternalKind::Instance => open.instances += 1,
            ComponentExternalKind::Func | ComponentExternalKind::Value => {}
        }
    }

    fn import(&mut self, import: wasmparser::ComponentImport<'a>, offset: u64) -> Result<()> {
        let types = self.types(offset)?;
        let Some(item) = types.component_item_for_import(import.name.name) else {
            return Err(Error::at(ErrorKind::Invalid, "an unknown import", offset));
        };
        if matches!(item.ty, ComponentEntityType::Value(_)) {
            return Err(unsupported("values", offset));
        }
        let kind = StepKind::Import {
            name: import.name.name,
            ty: item.ty,
        };
        self.step(offset, kind);
        self.count(import.ty.kind());
        Ok(())
    }

    fn export(&mut self, export: wasmparser::ComponentExport<'a>, offset: u64) -> Result<()> {
        let item = self.item(export.kind, export.index, offset)?;
        let types = self.types(offset)?;
        let Some(declared) = types.component_item_for_export(export.name.name) else {
            return Err(Error::at(ErrorKind::Invalid, "an unknown export", offset));
        };
        let kind = StepKind::Export {
            name: export.name.name,
            item,
            ty: declared.ty,
        };
        self.step(offset, kind);
        self.count(export.kind);
        Ok(())
    }

    fn item(&self, kind: ComponentExternalKind, index: u32, offset: u64) -> Result<Item> {
        Ok(match kind {
            ComponentExternalKind::Func => Item::Func(index),
            ComponentExternalKind::Module => Item::Module(index),
            ComponentExternalKind::Instance => Item::Instance(index),
            ComponentExternalKind::Component => Item::Component(index),
            ComponentExternalKind::Type => {
                Item::Type(self.types(offset)?.component_any_type_at(index))
            }
            ComponentExternalKind::Value => return Err(unsupported("values", offset)),
        })
    }

    fn canonical(&mut self, canon: CanonicalFunction, offset: u64) -> Result<()> {
        let kind = match canon {
            CanonicalFunction::Lift {
                core_func_index,
                type_index,
                options,
            } => match self.types(offset)?.component_any_type_at(type_index) {
                ComponentAnyTypeId::Func(ty) => StepKind::Lift {
                    core: core_func_index,
                    ty,
                    options: self.canon_options(&options, offset)?,
                },
                _ => return Err(Error::at(ErrorKind::Invalid, "not a function type", offset)),
            },
            CanonicalFunction::Lower {
                func_index,
                options,
            } => StepKind::Lower {
                func: func_index,
                ty: self.types(offset)?.component_function_at(func_index),
                options: self.canon_options(&options, offset)?,
            },
            CanonicalFunction::ResourceNew { resource } => {
                StepKind::ResourceNew(self.resource_at(resource, offset)?)
            }
            CanonicalFunction::ResourceRep { resource } => {
                StepKind::ResourceRep(self.resource_at(resource, offset)?)
            }
            CanonicalFunction::ResourceDrop { resource } => {
                StepKind::ResourceDrop(self.resource_at(resource, offset)?)
            }
            CanonicalFunction::ErrorContextNew { options } => {
                StepKind::ErrorContextNew(self.canon_options(&options, offset)?)
            }
            CanonicalFunction::ErrorContextDebugMessage { options } => {
                StepKind::ErrorContextMessage(self.canon_options(&options, offset)?)
            }
            CanonicalFunction::ErrorContextDrop => StepKind::ErrorContextDrop,
            _ => return Err(unsupported("component-model async built-ins", offset)),
        };
        self.step(offset, kind);
        Ok(())
    }

    fn canon_options(&self, options: &[CanonicalOption], offset: u64) -> Result<CanonOptions> {
        let mut out = CanonOptions {
            encoding: Encoding::Utf8,
            memory: None,
            wide: false,
            realloc: None,
            post_return: None,
        };
        for option in options {
            match *option {
                CanonicalOption::UTF8 => out.encoding = Encoding::Utf8,
                CanonicalOption::UTF16 => out.encoding = Encoding::Utf16,
                CanonicalOption::CompactUTF16 => out.encoding = Encoding::CompactUtf16,
                CanonicalOption::Memory(memory) => {
                    out.memory = Some(memory);
                    out.wide = self.types(offset)?.memory_at(memory).memory64;
                }
                CanonicalOption::Realloc(func) => out.realloc = Some(func),
                CanonicalOption::PostReturn(func) => out.post_return = Some(func),
                CanonicalOption::Async | CanonicalOption::Callback(_) => {
                    return Err(unsupported("component-model async", offset));
                }
                CanonicalOption::CoreType(_) | CanonicalOption::Gc => {
                    return Err(unsupported("component-model gc", offset));
                }
            }
        }
        Ok(out)
    }

    fn core_instance(&mut self, instance: Instance<'a>, offset: u64) -> Result<()> {
        let kind = match instance {
            Instance::Instantiate { module_index, args } => StepKind::InstantiateModule {
                module: module_index,
                args: args.iter().map(|arg| (arg.name, arg.index)).collect(),
            },
            Instance::FromExports(exports) => {
                let defs = exports
                    .iter()
                    .map(|export| (export.name, core_space(export.kind), export.index));
                StepKind::CoreBag(defs.collect())
            }
        };
        self.step(offset, kind);
        Ok(())
    }

    fn instance(&mut self, instance: ComponentInstance<'a>, offset: u64) -> Result<()> {
        let kind = match instance {
            ComponentInstance::Instantiate {
                component_index,
                args,
            } => {
                let index = self.current().instances;
                let args = args.iter().map(|arg| {
                    let item = self.item(arg.kind, arg.index, offset)?;
                    Ok((arg.name, item))
                });
                let args = args.collect::<Result<Box<[_]>>>()?;
                let types = self.types(offset)?;
                StepKind::Instantiate {
                    component: component_index,
                    args,
                    ty: types.component_at(component_index),
                    instance_ty: types.component_instance_at(index),
                }
            }
            ComponentInstance::FromExports(exports) => {
                let items = exports.iter().map(|export| {
                    let item = self.item(export.kind, export.index, offset)?;
                    Ok((export.name.name, item))
                });
                StepKind::Bag(items.collect::<Result<Box<[_]>>>()?)
            }
        };
        self.current().instances += 1;
        self.step(offset, kind);
        Ok(())
    }

    fn alias(&mut self, alias: ComponentAlias<'a>, offset: u64) -> Result<()> {
        let kind = match alias {
            ComponentAlias::InstanceExport {
                kind,
                instance_index,
                name,
            } => {
                if kind == ComponentExternalKind::Value {
                    return Err(unsupported("values", offset));
                }
                self.count(kind);
                StepKind::Alias {
                    instance: instance_index,
                    name,
                }
            }
            ComponentAlias::CoreInstanceExport {
                kind,
                instance_index,
                name,
            } => StepKind::AliasCore {
                instance: instance_index,
                space: core_space(kind),
                name,
            },
            ComponentAlias::Outer { kind, count, index } => match kind {
                ComponentOuterAliasKind::CoreModule => {
                    let capture =
                        self.outer(count, index, offset, |open| &mut open.captured_modules)?;
                    self.current().modules += 1;
                    StepKind::OuterModule(capture)
                }
                ComponentOuterAliasKind::Component => {
                    let capture =
                        self.outer(count, index, offset, |open| &mut open.captured_components)?;
                    self.current().components += 1;
                    StepKind::OuterComponent(capture)
                }
                // Types that are aliased this way mean the same everywhere.
                ComponentOuterAliasKind::Type => {
                    self.new_type();
                    return Ok(());
                }
                ComponentOuterAliasKind::CoreType => return Ok(()),
            },
        };
        self.step(offset, kind);
        Ok(())
    }

    /// Hands a definition of an enclosing component down to the one being read, from level to level.
    fn outer(
        &mut self,
        count: u32,
        index: u32,
        offset: u64,
        space: for<'o> fn(&'o mut Open<'a>) -> &'o mut Captures,
    ) -> Result<Capture> {
        let mut capture = Capture::Local(index);
        let inner = self.open.len().saturating_sub(count as usize);
        for open in &mut self.open[inner..] {
            let next = space(open).add(capture);
            self.captures += 1;
            capture = Capture::Captured(next);
        }
        if self.captures > self.engine.config().limits.component_steps {
            let why = "outer aliases pass through too many components";
            return Err(Error::at(ErrorKind::Limit, why, offset));
        }
        Ok(capture)
    }
}

fn core_space(kind: ExternalKind) -> CoreSpace {
    match kind {
        ExternalKind::Func | ExternalKind::FuncExact => CoreSpace::Func,
        ExternalKind::Table => CoreSpace::Table,
        ExternalKind::Memory => CoreSpace::Memory,
        ExternalKind::Global => CoreSpace::Global,
        ExternalKind::Tag => CoreSpace::Tag,
    }
}
