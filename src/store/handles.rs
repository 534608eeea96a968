//! The handle table of a component instance, and the scopes that bound borrows.
//!
//! Run time, plain data. One table serves an instance whatever its handles are of: an entry knows
//! its resource type, which every access checks, because types are generative and an index of one
//! is worth nothing as an index of another. Index 0 is never valid; freed indices are given out
//! again last in, first out, which guests can observe.
//!
//! A call that takes a `borrow` has a scope. It counts the borrow handles that the callee got, which
//! must be gone when the callee returns, and remembers the handles that the caller lent, which
//! can't be dropped or given away before that.

use crate::error::OutOfMemory;
use crate::fallible::Grow;
use alloc::vec::Vec;
use core::fmt;

/// The most handles of one table, as the specification has it.
const MAX_INDEX: u32 = (1 << 28) - 1;

/// A resource type of one store. The top bit tells the host's from the guests'.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ResourceTag(u32);

impl ResourceTag {
    const HOST: u32 = 1 << 31;
    /// Stands where there is none: no type has this tag.
    pub const NONE: ResourceTag = ResourceTag(u32::MAX);
    /// Stands for what is no resource but an error context.
    const ERROR_CONTEXT: ResourceTag = ResourceTag(u32::MAX - 1);

    /// The guest-defined type with this number; `None` beyond the numbers there are.
    pub fn guest(number: u32) -> Option<ResourceTag> {
        (number < Self::HOST).then_some(ResourceTag(number))
    }

    /// The host-defined type with this number; `None` beyond the numbers there are.
    pub fn host(number: u32) -> Option<ResourceTag> {
        let last = Self::ERROR_CONTEXT.0 & !Self::HOST;
        (number < last).then_some(ResourceTag(number | Self::HOST))
    }

    /// The number of a guest-defined type.
    pub fn guest_number(self) -> Option<u32> {
        (self.0 & Self::HOST == 0).then_some(self.0)
    }

    /// The number of a host-defined type.
    pub fn host_number(self) -> Option<u32> {
        (self.0 & Self::HOST != 0).then_some(self.0 & !Self::HOST)
    }

    fn noun(self) -> &'static str {
        if self == Self::ERROR_CONTEXT {
            "error-context"
        } else if self.0 & Self::HOST != 0 {
            "host-defined resource"
        } else {
            "guest-defined resource"
        }
    }
}

/// Why a handle can't be used so. The texts contain the ones the official test scripts expect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HandleError {
    Unknown {
        index: u32,
    },
    WrongType {
        index: u32,
        expected: ResourceTag,
        found: ResourceTag,
    },
    /// An owned handle is dropped or given away while it is lent.
    Lent,
    /// A borrow is dropped while it is lent on.
    LentOn,
    /// A borrow is used where an owned handle is needed.
    NotOwned {
        index: u32,
    },
    /// A call returned before it dropped its borrows.
    BorrowsRemain,
    /// The table is full.
    Full,
    /// The host has no memory for another one.
    OutOfMemory,
}

impl From<OutOfMemory> for HandleError {
    fn from(_: OutOfMemory) -> HandleError {
        HandleError::OutOfMemory
    }
}

impl fmt::Display for HandleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            HandleError::Unknown { index } => write!(f, "unknown handle index {index}"),
            HandleError::WrongType {
                index,
                expected,
                found,
            } => {
                let differs = if expected.noun() == found.noun() {
                    "a different "
                } else {
                    ""
                };
                write!(
                    f,
                    "handle index {index} used with the wrong type, expected {} but found {differs}{}",
                    expected.noun(),
                    found.noun()
                )
            }
            HandleError::Lent => f.write_str("cannot remove owned resource while borrowed"),
            HandleError::LentOn => f.write_str("cannot remove borrow while it is lent on"),
            HandleError::NotOwned { index } => {
                write!(
                    f,
                    "cannot lift own resource from a borrow: handle index {index}"
                )
            }
            HandleError::BorrowsRemain => {
                f.write_str("borrow handles still remain at the end of the call")
            }
            HandleError::Full => f.write_str("no room for another handle in the handle table"),
            HandleError::OutOfMemory => OutOfMemory.fmt(f),
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Entry {
    /// Unused; the next unused index, 0 at the end.
    Free { next: u32 },
    Own {
        ty: ResourceTag,
        rep: u32,
        lends: u32,
    },
    Borrow {
        ty: ResourceTag,
        rep: u32,
        lends: u32,
        scope: ScopeId,
    },
    /// Its number in the store.
    ErrorContext { id: u32 },
}

/// What left a table when a handle was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dropped {
    /// The resource itself: its destructor has to run with this representation.
    Own { rep: u32 },
    /// A borrow of this scope, which has to be told.
    Borrow { scope: ScopeId },
}

/// The handles of one component instance.
#[derive(Debug, Default)]
pub(crate) struct HandleTable {
    /// Entry of index i + 1.
    entries: Vec<Entry>,
    /// First unused index, 0 for none.
    free: u32,
}

impl HandleTable {
    /// A new owned handle.
    pub fn insert_own(&mut self, ty: ResourceTag, rep: u32) -> Result<u32, HandleError> {
        self.insert(Entry::Own { ty, rep, lends: 0 })
    }

    /// A new handle of an error context.
    pub fn insert_error_context(&mut self, id: u32) -> Result<u32, HandleError> {
        self.insert(Entry::ErrorContext { id })
    }

    /// The error context that a handle names.
    pub fn error_context(&mut self, index: u32) -> Result<u32, HandleError> {
        match *self.entry(index, ResourceTag::ERROR_CONTEXT)? {
            Entry::ErrorContext { id } => Ok(id),
            _ => Err(HandleError::Unknown { index }),
        }
    }

    /// `error-context.drop`: what the handle named.
    pub fn drop_error_context(&mut self, index: u32) -> Result<u32, HandleError> {
        let id = self.error_context(index)?;
        self.release(index);
        Ok(id)
    }

    /// All error contexts that handles name, each as often as it is named.
    pub fn error_contexts(&self) -> impl Iterator<Item = u32> + '_ {
        self.entries.iter().filter_map(|entry| match entry {
            Entry::ErrorContext { id } => Some(*id),
            _ => None,
        })
    }

    fn insert(&mut self, entry: Entry) -> Result<u32, HandleError> {
        if let Some(slot) = (self.free as usize).checked_sub(1) {
            let index = self.free;
            if let Some(free @ &mut Entry::Free { next }) = self.entries.get_mut(slot) {
                *free = entry;
                self.free = next;
                return Ok(index);
            }
        }
        let index = self.entries.len() as u32 + 1;
        if index > MAX_INDEX {
            return Err(HandleError::Full);
        }
        self.entries.try_push(entry)?;
        Ok(index)
    }

    /// The highest index that the next handle can have.
    pub fn next_index(&self) -> u32 {
        self.entries.len() as u32 + 1
    }

    /// How many handles there are.
    #[cfg(feature = "stats")]
    pub fn count(&self) -> usize {
        let free = |entry: &&Entry| !matches!(entry, Entry::Free { .. });
        self.entries.iter().filter(free).count()
    }

    /// The entry at `index`, if it is a handle of type `expected`.
    fn entry(&mut self, index: u32, expected: ResourceTag) -> Result<&mut Entry, HandleError> {
        let entry = (index as usize)
            .checked_sub(1)
            .and_then(|slot| self.entries.get_mut(slot))
            .ok_or(HandleError::Unknown { index })?;
        let found = match *entry {
            Entry::Free { .. } => return Err(HandleError::Unknown { index }),
            Entry::Own { ty, .. } | Entry::Borrow { ty, .. } => ty,
            Entry::ErrorContext { .. } => ResourceTag::ERROR_CONTEXT,
        };
        if found == expected {
            return Ok(entry);
        }
        Err(HandleError::WrongType {
            index,
            expected,
            found,
        })
    }

    pub fn release(&mut self, index: u32) {
        if let Some(entry) = (index as usize)
            .checked_sub(1)
            .and_then(|at| self.entries.get_mut(at))
        {
            *entry = Entry::Free { next: self.free };
            self.free = index;
        }
    }

    /// `resource.rep`: the representation behind an owned or borrowed handle.
    pub fn rep(&mut self, index: u32, ty: ResourceTag) -> Result<u32, HandleError> {
        match *self.entry(index, ty)? {
            Entry::Own { rep, .. } | Entry::Borrow { rep, .. } => Ok(rep),
            _ => Err(HandleError::Unknown { index }),
        }
    }

    /// Lifting `own`: the resource leaves the table.
    pub fn take_own(&mut self, index: u32, ty: ResourceTag) -> Result<u32, HandleError> {
        match *self.entry(index, ty)? {
            Entry::Own { lends: 1.., .. } => Err(HandleError::Lent),
            Entry::Own { rep, .. } => {
                self.release(index);
                Ok(rep)
            }
            _ => Err(HandleError::NotOwned { index }),
        }
    }

    /// `resource.drop`.
    pub fn drop_handle(&mut self, index: u32, ty: ResourceTag) -> Result<Dropped, HandleError> {
        let dropped = match *self.entry(index, ty)? {
            Entry::Own { lends: 1.., .. } => return Err(HandleError::Lent),
            Entry::Own { rep, .. } => Dropped::Own { rep },
            Entry::Borrow { lends: 1.., .. } => return Err(HandleError::LentOn),
            Entry::Borrow { scope, .. } => Dropped::Borrow { scope },
            _ => return Err(HandleError::Unknown { index }),
        };
        self.release(index);
        Ok(dropped)
    }

    /// Releases the borrows of a scope, for a table that no guest can drop them from.
    fn release_borrows(&mut self, of: ScopeId) -> u32 {
        let borrowed = |entry: &Entry| matches!(entry, Entry::Borrow { scope, .. } if *scope == of);
        let mut released = 0;
        for index in 1..=self.entries.len() as u32 {
            if borrowed(&self.entries[index as usize - 1]) {
                self.release(index);
                released += 1;
            }
        }
        released
    }

    /// Lifting `borrow`. The handle counts the loan, also one that is a borrow itself; see [`Scopes::lend`].
    fn lend(&mut self, index: u32, ty: ResourceTag) -> Result<u32, HandleError> {
        match self.entry(index, ty)? {
            Entry::Own { rep, lends, .. } | Entry::Borrow { rep, lends, .. } => {
                *lends = lends.checked_add(1).ok_or(HandleError::Full)?;
                Ok(*rep)
            }
            _ => Err(HandleError::Unknown { index }),
        }
    }

    fn give_back(&mut self, index: u32) {
        let entry = (index as usize)
            .checked_sub(1)
            .and_then(|at| self.entries.get_mut(at));
        if let Some(Entry::Own { lends, .. } | Entry::Borrow { lends, .. }) = entry {
            *lends = lends.saturating_sub(1);
        }
    }
}

/// A scope's place in its thread's stack of scopes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ScopeId(u32);

#[derive(Clone, Copy, Debug)]
struct Scope {
    /// Borrow handles that the callee still holds.
    borrows: u32,
    /// Where this scope's loans begin in the stack of loans.
    mark: u32,
}

/// The scopes of the calls that are running on one thread of execution, innermost last, and what
/// they have lent: the same handle as often as it was lent.
#[derive(Debug, Default)]
pub(crate) struct Scopes {
    scopes: Vec<Scope>,
    /// Number of the table and index in it.
    loans: Vec<(u32, u32)>,
}

impl Scopes {
    /// Whether no call is running that borrows could belong to.
    pub fn is_empty(&self) -> bool {
        self.scopes.is_empty()
    }

    /// Begins a call. Its arguments are lifted and lowered inside.
    pub fn enter(&mut self) -> Result<ScopeId, HandleError> {
        let id = ScopeId(u32::try_from(self.scopes.len()).map_err(|_| HandleError::Full)?);
        let mark = u32::try_from(self.loans.len()).map_err(|_| HandleError::Full)?;
        self.scopes.try_push(Scope { borrows: 0, mark })?;
        Ok(id)
    }

    /// Lifts a `borrow` argument of the innermost call from table `table` of `tables`.
    pub fn lend(
        &mut self,
        tables: &mut [HandleTable],
        table: u32,
        index: u32,
        ty: ResourceTag,
    ) -> Result<u32, HandleError> {
        let handles = tables
            .get_mut(table as usize)
            .ok_or(HandleError::Unknown { index })?;
        self.loans.try_reserve(1).map_err(OutOfMemory::from)?;
        let rep = handles.lend(index, ty)?;
        self.loans.push((table, index));
        Ok(rep)
    }

    /// Lowers a `borrow` argument of the innermost call into the callee's table.
    pub fn insert_borrow(
        &mut self,
        handles: &mut HandleTable,
        ty: ResourceTag,
        rep: u32,
    ) -> Result<u32, HandleError> {
        let last = self.scopes.len().wrapping_sub(1);
        let scope = self.scopes.get_mut(last).ok_or(HandleError::Full)?;
        let borrows = scope.borrows.checked_add(1).ok_or(HandleError::Full)?;
        let index = handles.insert(Entry::Borrow {
            ty,
            rep,
            lends: 0,
            scope: ScopeId(last as u32),
        })?;
        scope.borrows = borrows;
        Ok(index)
    }

    /// Tells a scope that one of its borrow handles was dropped.
    pub fn borrow_dropped(&mut self, scope: ScopeId) {
        if let Some(scope) = self.scopes.get_mut(scope.0 as usize) {
            scope.borrows = scope.borrows.saturating_sub(1);
        }
    }

    /// The innermost call's task returns: before its results reach the caller, its borrows must be
    /// gone.
    pub fn check_return(&self) -> Result<(), HandleError> {
        match self.scopes.last() {
            Some(Scope { borrows: 1.., .. }) => Err(HandleError::BorrowsRemain),
            _ => Ok(()),
        }
    }

    /// Drops what the innermost call holds in a table that no guest can drop it from.
    pub fn drop_borrows(&mut self, handles: &mut HandleTable) {
        let Some(last) = self.scopes.len().checked_sub(1) else {
            return;
        };
        let released = handles.release_borrows(ScopeId(last as u32));
        let borrows = &mut self.scopes[last].borrows;
        *borrows = borrows.saturating_sub(released);
    }

    /// How often handles are lent that haven't been given back.
    #[cfg(feature = "stats")]
    pub fn loans(&self) -> usize {
        self.loans.len()
    }

    /// How many scopes there are, for [`Scopes::exit_to`].
    pub fn depth(&self) -> usize {
        self.scopes.len()
    }

    /// Ends the calls that began since there were `depth` scopes: also those that nobody ended because a
    /// trap went through them.
    pub fn exit_to(&mut self, depth: usize, tables: &mut [HandleTable]) {
        while self.scopes.len() > depth {
            self.exit(tables);
        }
    }

    /// Ends the innermost call, however it ended, and gives back what it lent.
    pub fn exit(&mut self, tables: &mut [HandleTable]) {
        let Some(Scope { mark, .. }) = self.scopes.pop() else {
            return;
        };
        for (table, index) in self.loans.drain(mark as usize..) {
            if let Some(handles) = tables.get_mut(table as usize) {
                handles.give_back(index);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    fn guest(number: u32) -> ResourceTag {
        ResourceTag::guest(number).unwrap()
    }

    #[test]
    fn indices_start_at_one_and_are_reused_last_in_first_out() {
        let mut table = HandleTable::default();
        let ty = guest(0);
        for expected in 1..=3 {
            assert_eq!(table.insert_own(ty, 10 * expected), Ok(expected));
        }
        assert_eq!(table.drop_handle(1, ty), Ok(Dropped::Own { rep: 10 }));
        assert_eq!(table.take_own(3, ty), Ok(30));
        assert_eq!(table.insert_own(ty, 40), Ok(3));
        assert_eq!(table.insert_own(ty, 50), Ok(1));
        assert_eq!(table.insert_own(ty, 60), Ok(4));
        assert_eq!(table.rep(1, ty), Ok(50));
    }

    #[test]
    fn an_index_that_is_no_handle_is_unknown_by_number() {
        let mut table = HandleTable::default();
        let ty = guest(0);
        table.insert_own(ty, 1).unwrap();
        table.drop_handle(1, ty).unwrap();
        for index in [0, 1, 2, u32::MAX] {
            let error = HandleError::Unknown { index };
            assert_eq!(table.rep(index, ty), Err(error));
            assert_eq!(table.take_own(index, ty), Err(error));
            assert_eq!(table.drop_handle(index, ty), Err(error));
            assert_eq!(table.lend(index, ty), Err(error));
            assert_eq!(
                error.to_string(),
                alloc::format!("unknown handle index {index}")
            );
        }
    }

    #[test]
    fn a_handle_of_another_type_is_refused_and_stays() {
        let mut table = HandleTable::default();
        let host = ResourceTag::host(0).unwrap();
        table.insert_own(guest(0), 7).unwrap();
        assert_eq!(
            table.drop_handle(1, guest(1)).unwrap_err().to_string(),
            "handle index 1 used with the wrong type, expected guest-defined resource \
             but found a different guest-defined resource"
        );
        assert_eq!(
            table.rep(1, host).unwrap_err().to_string(),
            "handle index 1 used with the wrong type, expected host-defined resource \
             but found guest-defined resource"
        );
        assert_eq!(table.rep(1, guest(0)), Ok(7));
    }

    #[test]
    fn a_handle_lent_twice_is_free_again_only_after_both_loans() {
        let mut tables = [HandleTable::default(), HandleTable::default()];
        let mut scopes = Scopes::default();
        let ty = guest(0);
        tables[0].insert_own(ty, 7).unwrap();
        scopes.enter().unwrap();
        assert_eq!(scopes.lend(&mut tables, 0, 1, ty), Ok(7));
        scopes.enter().unwrap();
        assert_eq!(scopes.lend(&mut tables, 0, 1, ty), Ok(7));
        assert_eq!(scopes.lend(&mut tables, 0, 1, ty), Ok(7));
        scopes.exit(&mut tables);
        assert_eq!(tables[0].take_own(1, ty), Err(HandleError::Lent));
        let error = tables[0].drop_handle(1, ty).unwrap_err();
        assert_eq!(
            error.to_string(),
            "cannot remove owned resource while borrowed"
        );
        scopes.exit(&mut tables);
        assert_eq!(tables[0].take_own(1, ty), Ok(7));
    }

    #[test]
    fn a_call_returns_only_when_its_borrows_are_dropped() {
        let mut table = HandleTable::default();
        let mut scopes = Scopes::default();
        let ty = guest(0);
        let outer = scopes.enter().unwrap();
        assert_eq!(scopes.insert_borrow(&mut table, ty, 7), Ok(1));
        scopes.enter().unwrap();
        assert_eq!(scopes.check_return(), Ok(()));
        scopes.exit(&mut []);
        let error = scopes.check_return().unwrap_err();
        assert_eq!(
            error.to_string(),
            "borrow handles still remain at the end of the call"
        );
        assert_eq!(
            table.drop_handle(1, ty),
            Ok(Dropped::Borrow { scope: outer })
        );
        scopes.borrow_dropped(outer);
        assert_eq!(scopes.check_return(), Ok(()));
    }

    #[test]
    fn a_borrow_that_is_lent_on_is_neither_given_away_nor_dropped_before_it_is_back() {
        let mut tables = [HandleTable::default()];
        let mut scopes = Scopes::default();
        let ty = guest(0);
        let scope = scopes.enter().unwrap();
        scopes.insert_borrow(&mut tables[0], ty, 7).unwrap();
        scopes.enter().unwrap();
        assert_eq!(scopes.lend(&mut tables, 0, 1, ty), Ok(7));
        assert_eq!(tables[0].drop_handle(1, ty), Err(HandleError::LentOn));
        scopes.exit(&mut tables);
        assert_eq!(
            tables[0].take_own(1, ty),
            Err(HandleError::NotOwned { index: 1 })
        );
        assert_eq!(tables[0].drop_handle(1, ty), Ok(Dropped::Borrow { scope }));
    }

    #[test]
    fn lending_from_a_table_that_is_not_there_is_an_error() {
        let mut scopes = Scopes::default();
        scopes.enter().unwrap();
        assert!(scopes.lend(&mut [], 3, 1, guest(0)).is_err());
        assert!(
            Scopes::default()
                .insert_borrow(&mut HandleTable::default(), guest(0), 1)
                .is_err()
        );
    }
}
