//! What instantiated components consist of, as plain data: trees, component instances, resource
//! types, and the frames of calls from one component into another.
//!
//! A *tree* is what one instantiation of a root component made, nested instances included. Its
//! bound rows repeat the tables' rows with everything looked up once, when an instance is made: a
//! call through an adapter reads one [`BoundTrampoline`] and two [`BoundOptions`].

use super::ResourceType;
use super::handles::ResourceTag;
use super::relay::Relay;
use super::scalar::ScalarAdapter;
use crate::fallible::Shared;
use crate::tables::{ComponentTables, Encoding, FuncTypeId, TrampolineKind, TypeId};
use alloc::vec::Vec;

/// Stands where there is no entity.
pub(crate) const NONE: u32 = u32::MAX;

/// One instantiation of a root component.
#[derive(Debug)]
pub(crate) struct Tree {
    pub tables: Shared<ComponentTables>,
    /// A trap or an abandoned call has ended it: nothing enters any more.
    pub locked: bool,
    /// Its memories are made; else what enters it makes them first.
    pub awake: bool,
    /// Calls of the host's into it that are under way.
    pub active: u32,
    /// Number of its root's component instance; those nested in it follow in the tables' order.
    pub first_instance: u32,
    /// Core instances, by the tables' numbers, as far as they are made.
    pub core: Vec<u32>,
    /// By the tables' numbers.
    pub options: Vec<BoundOptions>,
    /// By the tables' numbers; unknown until they are defined.
    pub resources: Vec<ResourceTag>,
    /// By the tables' numbers.
    pub trampolines: Vec<BoundTrampoline>,
    /// What its resource types are, by the tables' numbers; none if there are none.
    pub resource_types: Option<Shared<Vec<ResourceType>>>,
    pub relay: Relay,
}

/// Options of a lift or lower with the entities that they name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BoundOptions {
    /// The component instance, as a number of the store.
    pub instance: u32,
    pub encoding: Encoding,
    /// Whether addresses and lengths have 64 bits.
    pub wide: bool,
    /// Entities, or [`NONE`].
    pub memory: u32,
    pub realloc: u32,
    pub post_return: u32,
}

impl BoundOptions {
    /// Options that name no entity.
    pub const NOTHING: BoundOptions = BoundOptions {
        instance: NONE,
        encoding: Encoding::Utf8,
        wide: false,
        memory: NONE,
        realloc: NONE,
        post_return: NONE,
    };
}

/// What a core function does that the component runtime provides.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BoundTrampoline {
    pub kind: TrampolineKind,
    /// The function as an entity.
    pub entity: u32,
    /// The component instance whose code may call it.
    pub instance: u32,
    /// The type that the caller sees.
    pub ty: FuncTypeId,
    /// Parameters' record and the result, or none, in the layout of the caller's memory.
    pub params: TypeId,
    pub result: TypeId,
    /// Rows of the tree's options.
    pub caller: u32,
    pub callee: u32,
    /// The function behind it: a host function's number in its tree, or a core function's entity.
    pub target: u32,
    /// Core values that the lifted function takes and returns.
    pub callee_params: u16,
    pub callee_results: u16,
    pub params_in_memory: bool,
    pub result_in_memory: bool,
    /// Some parameter is a borrow.
    pub lends: bool,
    /// The rules for an adapter of scalars alone, without `post-return`: it needs no state.
    pub scalar: Option<ScalarAdapter>,
    /// An adapter of values that all move as they are, so that it can work in a straight line.
    pub straight: bool,
    /// Caller and callee have pointers of different widths: the callee's types are the twins.
    pub mixed: bool,
    /// Source and destination are one memory, which `realloc` may change while it is read.
    pub same_memory: bool,
    pub resource: ResourceTag,
}

/// A component instance.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ComponentInstance {
    pub tree: u32,
    /// Whether its code may call what it imports: not while `realloc` or `post-return` runs.
    pub may_leave: bool,
}

impl ComponentInstance {
    /// The host stands first in the list of component instances, with the handles that it holds.
    pub const HOST: ComponentInstance = ComponentInstance {
        tree: NONE,
        may_leave: true,
    };
}

/// A resource type that a guest defines.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GuestResource {
    /// The component instance that implements it.
    pub instance: u32,
    /// The destructor's entity, or [`NONE`].
    pub dtor: u32,
}

/// What a native frame does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Parameters cross into the callee.
    Params,
    /// `realloc` in the callee has been called for the record of parameters.
    ParamsArea,
    /// The callee runs.
    Callee,
    /// The result crosses back.
    Result,
    /// `post-return` runs.
    PostReturn,
    /// A destructor runs.
    Dtor,
}

/// The state of an adapter's call: what it does next, and where.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NativeFrame {
    pub phase: Phase,
    /// Where on the thread's stack guest functions are called.
    pub base: u32,
    /// Where the crossing that runs began in the stack of cursors.
    pub cursors: u32,
    /// Whether the guest function that runs is a `realloc` that the crossing asked for.
    pub asked: bool,
    /// The callee's core result, kept for `post-return`.
    pub result: u64,
    /// Whether a scope of borrows was entered.
    pub scope: bool,
}

/// A call of `realloc`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    /// The address and the size; as whole words, because it is read back right after it was written.
    old: u64,
    old_size: u64,
    /// The alignment in the lower half, the size in the upper.
    new: u64,
}

impl Request {
    /// For `new_size` bytes in place of `old_size` at `old`.
    pub fn new(old: usize, old_size: u32, align: u32, new_size: u32) -> Request {
        Request {
            old: old as u64,
            old_size: old_size.into(),
            new: u64::from(align) | u64::from(new_size) << 32,
        }
    }

    /// Whether there is something in an old place.
    pub fn moves(self) -> bool {
        self.old_size != 0
    }

    pub fn align(self) -> u32 {
        self.new as u32
    }

    pub fn new_size(self) -> u32 {
        (self.new >> 32) as u32
    }

    /// The arguments of `realloc`.
    pub fn arguments(self) -> [u64; 4] {
        let align = u64::from(self.new as u32);
        [self.old, self.old_size, align, self.new >> 32]
    }
}

/// What a cursor is in the middle of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CursorKind {
    /// Fields of a record: `at` of `count`.
    Fields,
    /// Elements of a list whose room is there: `at` of `count`.
    Elements,
    /// Elements of a fixed-length list: `at` of `count`.
    Repeat,
    /// A list that waits for its room.
    ListRoom,
    /// A string that waits for its room; `at` is the step of its transcoding, `count` its form.
    StringRoom,
    /// A variant's payload.
    Payload,
    /// After a variant's payload: the flat slots up to `count` become zero.
    Pad,
}

/// One value in the middle of crossing from a source to a destination. Aligned so that what is read right
/// after it was written never lies in two lines of a cache.
#[derive(Clone, Copy, Debug)]
#[repr(align(16))]
pub(crate) struct Cursor {
    pub kind: CursorKind,
    /// Whether source and destination are flat slots; else they are addresses.
    pub flat: bool,
    pub ty: TypeId,
    pub at: u32,
    pub count: u32,
    /// Bytes of a string's source or of a list's destination, and of the room that was got.
    pub len: u32,
    pub room: u32,
    pub src: usize,
    pub dst: usize,
    /// Where a list's or string's pointer and length go when it is done.
    pub out: usize,
}
