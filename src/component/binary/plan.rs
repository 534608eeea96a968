//! What a component's binary says, one definition after the other: the input of flattening.
//!
//! A [`Plan`] belongs to one component of the binary, nested or not, however often it is
//! instantiated. Its steps stand in the order of the binary and name what earlier steps defined by
//! index, one index space for each sort as the specification has it.

use crate::tables::{CoreSpace, Encoding, ModuleId};
use alloc::boxed::Box;
use alloc::vec::Vec;
use wasmparser::component_types::{
    ComponentAnyTypeId, ComponentEntityType, ComponentFuncTypeId, ComponentInstanceTypeId,
    ComponentTypeId, ResourceId,
};

/// A component of the binary, by the order in which their ends were read.
pub(super) type PlanId = u32;

/// One component of the binary.
#[derive(Debug, Default)]
pub(super) struct Plan<'a> {
    pub steps: Vec<Step<'a>>,
    /// The component's type, as the component around it knows it; none for the root.
    pub ty: Option<ComponentTypeId>,
    /// Modules of enclosing components that it, or one inside it, uses.
    pub captured_modules: Vec<Capture>,
    /// Components of enclosing components, likewise.
    pub captured_components: Vec<Capture>,
    /// Its name in the binary's name section.
    pub name: Option<&'a str>,
}

/// Where a captured definition is found when the component is defined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Capture {
    /// In the index space of the component around it.
    Local(u32),
    /// Among those that the component around it captured itself.
    Captured(u32),
}

/// A step, and where in the binary it is.
#[derive(Debug)]
pub(super) struct Step<'a> {
    pub offset: u32,
    pub kind: StepKind<'a>,
}

/// A definition named by its index.
#[derive(Clone, Copy, Debug)]
pub(super) enum Item {
    Func(u32),
    Module(u32),
    Instance(u32),
    Component(u32),
    Type(ComponentAnyTypeId),
}

/// Canonical options, with indices into the core index spaces.
#[derive(Clone, Copy, Debug)]
pub(super) struct CanonOptions {
    pub encoding: Encoding,
    pub memory: Option<u32>,
    /// The memory is addressed by 64 bits.
    pub wide: bool,
    pub realloc: Option<u32>,
    pub post_return: Option<u32>,
}

/// A definition.
#[derive(Debug)]
pub(super) enum StepKind<'a> {
    Import {
        name: &'a str,
        ty: ComponentEntityType,
    },
    Lift {
        core: u32,
        ty: ComponentFuncTypeId,
        options: CanonOptions,
    },
    Lower {
        func: u32,
        ty: ComponentFuncTypeId,
        options: CanonOptions,
    },
    Resource {
        id: ResourceId,
        dtor: Option<u32>,
    },
    ResourceNew(ResourceId),
    ResourceRep(ResourceId),
    ResourceDrop(ResourceId),
    ErrorContextNew(CanonOptions),
    ErrorContextMessage(CanonOptions),
    ErrorContextDrop,
    Module(ModuleId),
    InstantiateModule {
        module: u32,
        args: Box<[(&'a str, u32)]>,
    },
    /// A core instance made of definitions.
    CoreBag(Box<[(&'a str, CoreSpace, u32)]>),
    Component(PlanId),
    Instantiate {
        component: u32,
        args: Box<[(&'a str, Item)]>,
        /// The component's type as this component knows it.
        ty: ComponentTypeId,
        /// The type of the instance that comes of it.
        instance_ty: ComponentInstanceTypeId,
    },
    /// An instance made of definitions.
    Bag(Box<[(&'a str, Item)]>),
    AliasCore {
        instance: u32,
        space: CoreSpace,
        name: &'a str,
    },
    Alias {
        instance: u32,
        name: &'a str,
    },
    /// An alias of a module of an enclosing component, or of this one.
    OuterModule(Capture),
    /// An alias of a component of an enclosing component, or of this one.
    OuterComponent(Capture),
    Export {
        name: &'a str,
        item: Item,
        ty: ComponentEntityType,
    },
}
