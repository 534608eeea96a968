//! The store's plain data: what a running program consists of, addressed by index.
//!
//! Rooms above bring the behaviour; this one only holds the state and the few operations that
//! belong to one entity alone. Nothing here is `unsafe` and nothing points at anything else.
#![forbid(unsafe_code)]

mod callee;
pub(crate) mod components;
#[cfg(feature = "stats")]
pub(crate) mod counts;
pub(crate) mod error_contexts;
pub(crate) mod exceptions;
pub(crate) mod handles;
pub(crate) mod later;
pub(crate) mod relay;
mod resource_type;
pub(crate) mod scalar;

use crate::code::module::{FuncType, GlobalType, MemoryType, ModuleData, TableType};
use crate::error::{OutOfMemory, Trap};
use crate::fallible::Shared;
use crate::fallible::Zeroed;
use crate::limits::Limits;
use alloc::string::String;
use alloc::vec::Vec;
pub(crate) use callee::{Callee, CalleeWord};
use components::{BoundOptions, ComponentInstance, GuestResource, Tree};
use error_contexts::ErrorContexts;
use exceptions::Exceptions;
use handles::{HandleError, HandleTable, Scopes};
use hashbrown::HashMap;
use later::Unmade;
pub use resource_type::ResourceType;
use scalar::ScalarAdapter;

/// What runs when a function is called.
#[derive(Clone, Copy, Debug)]
pub(crate) enum FuncKind {
    /// A function that `instance`'s module defines.
    Wasm { instance: u32, func: u32 },
    /// The embedder's closure, or a function of the host's that a component imports.
    Host(CalleeWord),
    /// Another function that the component runtime provides: trampoline `index` of a tree.
    Native { tree: u32, index: u32 },
}

/// A function of the store.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FuncEntity {
    /// The engine's number of its type.
    pub ty: u32,
    /// Parameters and results in slots.
    pub params: u16,
    pub results: u16,
    pub kind: FuncKind,
    /// The arena where it got a reference first, and that.
    home: (u32, u32),
}

impl FuncEntity {
    /// Without a reference.
    pub fn new(ty: u32, params: u16, results: u16, kind: FuncKind) -> FuncEntity {
        FuncEntity {
            ty,
            params,
            results,
            kind,
            home: (0, 0),
        }
    }
}

/// A reference's target: an index into the arena, plus one, is what slots and tables hold.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ArenaFunc {
    pub ty: u32,
    /// The instance, or `HOST`.
    pub instance: u32,
    pub func: u32,
    pub entity: u32,
}

/// In [`ArenaFunc::instance`]: not a WebAssembly function.
pub(crate) const HOST: u32 = u32::MAX;

/// References of one isolation domain; a forged one reaches nothing outside.
#[derive(Debug, Default)]
pub(crate) struct RefArena {
    pub funcs: Vec<ArenaFunc>,
    /// The references of entities that got one in another arena before.
    known: HashMap<u32, u32>,
}

/// A linear memory.
#[derive(Debug)]
pub(crate) struct MemoryEntity {
    pub ty: MemoryType,
    pub bytes: Zeroed,
    pub unmade: Unmade,
}

impl MemoryEntity {
    /// Without bytes.
    pub fn empty(ty: MemoryType) -> MemoryEntity {
        MemoryEntity {
            ty,
            bytes: Zeroed::default(),
            unmade: Unmade::default(),
        }
    }

    /// Size in pages.
    pub fn pages(&self) -> u64 {
        self.bytes.len() as u64 >> self.ty.page_size_log2
    }

    /// An operand that is an address, a length or a size.
    pub fn operand(&self, slot: u64) -> u64 {
        if self.ty.memory64 {
            slot
        } else {
            u64::from(slot as u32)
        }
    }

    /// Grows by `delta` pages; the old size, or `None` where the type, a limit or the host's memory
    /// doesn't allow it. `total` is what all memories of the store take.
    fn grow(&mut self, delta: u64, limits: &Limits, total: &mut usize) -> Option<u64> {
        let old = self.pages();
        let (bytes, all) = self.growth(delta, limits, *total)?;
        if !self.bytes.grow(bytes) {
            return None;
        }
        *total = all;
        Some(old)
    }

    /// What growing by `delta` pages would make of its size and of `total`, if it is allowed.
    fn growth(&self, delta: u64, limits: &Limits, total: usize) -> Option<(usize, usize)> {
        let new = self.pages().checked_add(delta)?;
        let bytes = usize::try_from(new.checked_mul(self.ty.page_size())?).ok()?;
        let more = bytes - self.bytes.len();
        let all = total.checked_add(more)?;
        let allowed = new <= self.ty.most_pages()
            && bytes <= limits.memory_bytes
            && (more == 0 || all <= limits.total_memory_bytes);
        allowed.then_some((bytes, all))
    }

    pub fn range(&self, start: u64, len: u64) -> Result<core::ops::Range<usize>, Trap> {
        let end = start.checked_add(len).ok_or(Trap::MemoryOutOfBounds)?;
        if end > self.bytes.len() as u64 {
            return Err(Trap::MemoryOutOfBounds);
        }
        Ok(start as usize..end as usize)
    }

    /// `memory.fill`.
    pub fn fill(&mut self, at: u64, value: u8, len: u64) -> Result<(), Trap> {
        let range = self.range(at, len)?;
        self.bytes[range].fill(value);
        Ok(())
    }

    /// `memory.init`: `source` is what is left of the segment.
    pub fn init(&mut self, at: u64, source: &[u8], from: u32, len: u32) -> Result<(), Trap> {
        let source = (from as usize)
            .checked_add(len as usize)
            .and_then(|end| source.get(from as usize..end))
            .ok_or(Trap::MemoryOutOfBounds)?;
        let range = self.range(at, len.into())?;
        self.bytes[range].copy_from_slice(source);
        Ok(())
    }
}

/// A table.
#[derive(Debug)]
pub(crate) struct TableEntity {
    pub ty: TableType,
    pub elements: Vec<u32>,
}

impl TableEntity {
    /// Grows by `delta` elements; the old size, or `None` where it may not. `total` counts the
    /// elements of all tables of the store.
    fn grow(&mut self, delta: u64, value: u32, limits: &Limits, total: &mut usize) -> Option<u64> {
        let old = self.elements.len();
        let (new, all) = self.growth(delta, limits, *total)?;
        self.elements.try_reserve_exact(new - old).ok()?;
        self.elements.resize(new, value);
        *total = all;
        Some(old as u64)
    }

    /// What growing by `delta` elements would make of its size and of `total`, if it is allowed.
    fn growth(&self, delta: u64, limits: &Limits, total: usize) -> Option<(usize, usize)> {
        let new = (self.elements.len() as u64).checked_add(delta)?;
        let delta = usize::try_from(delta).ok()?;
        let all = total.checked_add(delta)?;
        // Always fewer than 2^32, so that the greatest index of 32 bits is none.
        let allowed = new <= self.ty.maximum.unwrap_or(u64::MAX)
            && new <= limits.table_elements.into()
            && (delta == 0 || all <= limits.total_table_elements);
        allowed.then_some((new as usize, all))
    }

    /// The elements `start..start + len`.
    pub fn span(&mut self, start: u64, len: u64) -> Result<&mut [u32], Trap> {
        let end = start.checked_add(len).ok_or(Trap::TableOutOfBounds)?;
        let number = |x: u64| usize::try_from(x).map_err(|_| Trap::TableOutOfBounds);
        self.elements
            .get_mut(number(start)?..number(end)?)
            .ok_or(Trap::TableOutOfBounds)
    }

    /// An operand that is an index, a length or a size.
    pub fn operand(&self, slot: u64) -> u64 {
        if self.ty.table64 {
            slot
        } else {
            u64::from(slot as u32)
        }
    }
}

/// A core instance: the module, and which entities of the store its index spaces name.
#[derive(Debug)]
pub(crate) struct CoreInstance {
    pub module: Shared<ModuleData>,
    /// Entities of all functions, imported ones first.
    pub funcs: Vec<u32>,
    pub memories: Vec<u32>,
    pub tables: Vec<u32>,
    pub globals: Vec<u32>,
    pub tags: Vec<u32>,
    pub arena: u32,
    /// Reference of each function, 0 where none has been made.
    pub func_refs: Vec<u32>,
    pub dropped_data: Vec<bool>,
    /// Each element segment's references, made when the instance is.
    pub elements: Vec<Vec<u32>>,
}

/// What a call through an adapter that needs no state goes to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Direct {
    /// The core function's entity.
    pub target: u32,
    /// What happens to the values on the way.
    pub adapter: ScalarAdapter,
    /// Fuel for what crosses.
    pub cost: i64,
}

/// Where a call of a host function began.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HostCallMark {
    scopes: usize,
    borrows: usize,
}

/// Makes sure that the next handle of the host's table has a generation.
pub(crate) fn room_for_generation(
    generations: &mut Vec<u32>,
    host: &handles::HandleTable,
) -> Result<(), OutOfMemory> {
    let wanted = host.next_index() as usize + 1;
    if generations.len() < wanted {
        generations.try_reserve(wanted - generations.len())?;
        generations.resize(wanted, 0);
    }
    Ok(())
}

/// All entities of a store.
#[derive(Debug, Default)]
pub(crate) struct StoreInner {
    pub instances: Vec<CoreInstance>,
    pub funcs: Vec<FuncEntity>,
    pub memories: Vec<MemoryEntity>,
    pub tables: Vec<TableEntity>,
    /// Cells of globals: two in a row for one that holds a vector.
    pub globals: Vec<u64>,
    /// The type of each cell's global.
    pub global_types: Vec<GlobalType>,
    /// Tags, by what exceptions with them carry: the parameters.
    pub tags: Vec<FuncType>,
    pub exceptions: Exceptions,
    pub arenas: Vec<RefArena>,
    /// Instantiated components.
    pub trees: Vec<Tree>,
    /// Component instances of all trees; number 0 is the host.
    pub components: Vec<ComponentInstance>,
    /// The handles of each of them.
    pub handles: Vec<HandleTable>,
    /// What handles of error contexts name.
    pub error_contexts: ErrorContexts,
    /// What calls have lent and not got back.
    pub scopes: Scopes,
    /// Resource types that guests define, by their tags' numbers.
    pub guest_resources: Vec<GuestResource>,
    /// For each handle of the host's, how often its index was given out.
    pub generations: Vec<u32>,
    /// Borrows that host functions hold, which end with their calls.
    pub host_borrows: Vec<u32>,
    /// A copy of a memory that is both source and destination of a crossing.
    pub snapshot: Vec<u8>,
    /// The host's resource types, by their tags' numbers.
    pub host_types: Vec<ResourceType>,
    /// What is left; below zero is debt. Meaningless when `fuel_on` isn't set.
    pub fuel: i64,
    pub fuel_on: bool,
    /// What the bulk operation costs that there wasn't enough fuel for.
    pub wanted: u64,
    /// Growth is the driver loop's to allow: the embedder has set a limiter.
    pub limited: bool,
    /// Bytes of all memories and elements of all tables.
    pub memory_total: usize,
    pub table_total: usize,
    /// Executions of instructions, where they are counted.
    #[cfg(feature = "stats")]
    pub counts: counts::Counts,
    pub limits: Limits,
}

impl StoreInner {
    /// A new global with as much of `value` as it takes; the number of its first cell.
    pub fn new_global(&mut self, ty: GlobalType, value: [u64; 2]) -> Result<u32, OutOfMemory> {
        let first = self.globals.len() as u32;
        let cells = &value[..ty.content.slots()];
        self.globals.try_reserve(cells.len())?;
        self.global_types.try_reserve(cells.len())?;
        for cell in cells {
            self.globals.push(*cell);
            self.global_types.push(ty);
        }
        Ok(first)
    }

    /// The reference to function `func` of `instance`, made once.
    pub fn func_ref(&mut self, instance: u32, func: u32) -> Result<u32, OutOfMemory> {
        let inst = &self.instances[instance as usize];
        let known = inst.func_refs[func as usize];
        if known != 0 {
            return Ok(known);
        }
        let (entity, arena) = (inst.funcs[func as usize], inst.arena);
        let made = self.intern(arena, entity)?;
        self.instances[instance as usize].func_refs[func as usize] = made;
        Ok(made)
    }

    /// A reference to any function of the store, in `arena`.
    pub fn intern(&mut self, arena: u32, entity: u32) -> Result<u32, OutOfMemory> {
        let FuncEntity { ty, kind, home, .. } = self.funcs[entity as usize];
        if home.0 == arena && home.1 != 0 {
            return Ok(home.1);
        }
        let (instance, func) = match kind {
            FuncKind::Wasm { instance, func } => (instance, func),
            FuncKind::Host(_) | FuncKind::Native { .. } => (HOST, 0),
        };
        let RefArena { funcs, known } = &mut self.arenas[arena as usize];
        funcs.try_reserve(1)?;
        let made = funcs.len() as u32 + 1;
        if home.1 == 0 {
            self.funcs[entity as usize].home = (arena, made);
        } else if let Some(known) = known.get(&entity) {
            return Ok(*known);
        } else {
            known.try_reserve(1)?;
            known.insert(entity, made);
        }
        funcs.push(ArenaFunc {
            ty,
            instance,
            func,
            entity,
        });
        Ok(made)
    }

    /// Grows a memory by `delta` pages: its old size, or `None` where it may not.
    pub fn grow_memory(&mut self, id: usize, delta: u64) -> Option<u64> {
        self.memories[id].grow(delta, &self.limits, &mut self.memory_total)
    }

    /// Grows a table by `delta` elements: its old size, or `None` where it may not.
    pub fn grow_table(&mut self, id: usize, delta: u64, value: u32) -> Option<u64> {
        self.tables[id].grow(delta, value, &self.limits, &mut self.table_total)
    }

    /// A new memory of its least size; `None` where a limit doesn't allow that.
    pub fn new_memory(&mut self, ty: MemoryType) -> Result<Option<u32>, OutOfMemory> {
        let mut memory = MemoryEntity::empty(ty);
        let growth = memory.growth(ty.minimum, &self.limits, self.memory_total);
        let Some((bytes, total)) = growth else {
            return Ok(None);
        };
        self.memories.try_reserve(1)?;
        if !memory.bytes.grow(bytes) {
            return Err(OutOfMemory);
        }
        self.memory_total = total;
        self.memories.push(memory);
        Ok(Some(self.memories.len() as u32 - 1))
    }

    /// A new table of its least size; `None` where a limit doesn't allow that.
    pub fn new_table(&mut self, ty: TableType, value: u32) -> Result<Option<u32>, OutOfMemory> {
        let elements = Vec::new();
        let mut table = TableEntity { ty, elements };
        let Some((new, total)) = table.growth(ty.minimum, &self.limits, self.table_total) else {
            return Ok(None);
        };
        self.tables.try_reserve(1)?;
        table.elements.try_reserve_exact(new)?;
        table.elements.resize(new, value);
        self.table_total = total;
        self.tables.push(table);
        Ok(Some(self.tables.len() as u32 - 1))
    }

    /// Gives back the tables from this number on.
    pub fn forget_tables(&mut self, from: usize) {
        for table in self.tables.drain(from..) {
            self.table_total = self.table_total.saturating_sub(table.elements.len());
        }
    }

    /// Fuel that has to be added before a thread that ran out of it can go on; at least 1.
    pub fn missing_fuel(&self) -> u64 {
        match u64::try_from(self.fuel) {
            Ok(left) => self.wanted.saturating_sub(left).max(1),
            Err(_) => self.fuel.unsigned_abs(),
        }
    }

    /// The entity that a reference names; `None` for null and for what the arena doesn't hold.
    pub fn deref(&self, arena: u32, reference: u32) -> Option<&ArenaFunc> {
        self.arenas[arena as usize]
            .funcs
            .get((reference as usize).checked_sub(1)?)
    }

    /// The core function behind a trampoline that a call goes straight to, if its caller may leave its
    /// instance: an adapter of scalars.
    pub fn direct_target(&self, tree: u32, index: u32) -> Option<Direct> {
        let bound = &self.trees[tree as usize].trampolines[index as usize];
        let adapter = bound.scalar?;
        let may_leave = self.components[bound.instance as usize].may_leave;
        may_leave.then_some(Direct {
            target: bound.target,
            adapter,
            cost: 1 + i64::from(bound.callee_results),
        })
    }

    /// A row of a tree's options. Options that name nothing where there is none, so that whoever makes no
    /// use of them doesn't look for them either.
    #[inline(always)]
    pub fn bound_options(&self, tree: u32, row: u32) -> BoundOptions {
        let options = self.trees.get(tree as usize).map(|tree| &tree.options);
        let options = options.and_then(|options| options.get(row as usize));
        options.copied().unwrap_or(BoundOptions::NOTHING)
    }

    /// Takes fuel for work that is done; what isn't there is debt.
    pub fn spend(&mut self, amount: i64) {
        if self.fuel_on {
            self.fuel = self.fuel.saturating_sub(amount);
        }
    }

    /// The type that a tag of the store with this number stands for.
    pub fn resource_type(&self, store: u32, tag: handles::ResourceTag) -> ResourceType {
        let host = tag.host_number();
        let host = host.and_then(|number| self.host_types.get(number as usize));
        host.copied()
            .unwrap_or_else(|| ResourceType::guest(store, tag))
    }

    /// The destructor of a guest's resource type, or [`components::NONE`].
    pub fn dtor(&self, tag: handles::ResourceTag) -> u32 {
        let number = tag.guest_number().unwrap_or(u32::MAX);
        let resource = self.guest_resources.get(number as usize);
        resource.map_or(components::NONE, |resource| resource.dtor)
    }

    /// Begins a call of a host function, with a scope if it is lent something.
    #[inline]
    pub fn enter_host_call(&mut self, lends: bool) -> Result<HostCallMark, HandleError> {
        let mark = HostCallMark {
            scopes: self.scopes.depth(),
            borrows: self.host_borrows.len(),
        };
        if lends {
            self.scopes.enter()?;
        }
        Ok(mark)
    }

    /// Ends a call of a host function: the borrows that it was given are gone, and so is what calls lent
    /// that it made and whose traps it swallowed.
    #[inline]
    pub fn leave_host_call(&mut self, mark: HostCallMark) {
        if self.host_borrows.len() > mark.borrows || self.scopes.depth() > mark.scopes {
            self.end_host_call(mark);
        }
    }

    #[cold]
    fn end_host_call(&mut self, mark: HostCallMark) {
        while self.host_borrows.len() > mark.borrows {
            if let Some(index) = self.host_borrows.pop() {
                self.handles[0].release(index);
                self.retire(index);
            }
        }
        self.scopes.exit_to(mark.scopes, &mut self.handles);
    }

    /// No call runs: ends those that were abandoned, with what they lent.
    pub fn end_abandoned_calls(&mut self) {
        self.leave_host_call(HostCallMark {
            scopes: 0,
            borrows: 0,
        });
    }

    /// A new error context, which one handle will name; `None` if a limit doesn't allow it.
    pub fn new_error_context(&mut self, message: String) -> Result<Option<u32>, OutOfMemory> {
        let cost = ErrorContexts::cost(&message);
        let total = self.memory_total.saturating_add(cost);
        if total > self.limits.total_memory_bytes {
            return Ok(None);
        }
        let id = self.error_contexts.add(message)?;
        self.memory_total = total;
        Ok(Some(id))
    }

    /// A handle of an error context is gone.
    pub fn release_error_context(&mut self, id: u32) {
        if let Some(cost) = self.error_contexts.release(id) {
            self.memory_total = self.memory_total.saturating_sub(cost);
        }
    }

    /// Makes sure that the host's next handle has a generation.
    pub fn room_for_host_handle(&mut self) -> Result<(), OutOfMemory> {
        room_for_generation(&mut self.generations, &self.handles[0])
    }

    /// Notes that an index of the host's handles is free, so that copies of it are told apart.
    pub fn retire(&mut self, index: u32) {
        if let Some(generation) = self.generations.get_mut(index as usize) {
            *generation = generation.wrapping_add(1);
        }
    }

    /// Takes `amount` of fuel for a bulk operation before it starts.
    pub fn charge(&mut self, amount: u64) -> Result<(), Trap> {
        if !self.fuel_on {
            return Ok(());
        }
        let amount = i64::try_from(amount).unwrap_or(i64::MAX);
        if self.fuel < amount {
            self.wanted = amount as u64;
            return Err(Trap::OutOfFuel);
        }
        self.fuel -= amount;
        Ok(())
    }
}
