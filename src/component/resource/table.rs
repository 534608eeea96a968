//! A host's own store of resources: values addressed by the 32-bit representations that guests'
//! handles carry.
//!
//! Entries may have parents: a parent can't be deleted while it has children, so that a host never
//! finds a child's base gone. What a representation names is checked on every access, since a
//! guest's resource type alone doesn't prove that the entry is of the Rust type.

use super::Resource;
use crate::fallible::boxed;
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::any::Any;
use core::fmt;

/// What can go wrong with a [`ResourceTable`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ResourceTableError {
    /// The table has reached its capacity.
    Full,
    /// The host has no memory for another entry.
    OutOfMemory,
    /// No entry has this representation.
    NotPresent,
    /// The entry is of another Rust type.
    WrongType,
    /// The entry can't be deleted: it has children.
    HasChildren,
}

impl fmt::Display for ResourceTableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ResourceTableError::Full => "resource table has no free keys",
            ResourceTableError::OutOfMemory => "no memory for another entry of the resource table",
            ResourceTableError::NotPresent => "resource not present",
            ResourceTableError::WrongType => "resource is of another type",
            ResourceTableError::HasChildren => "resource has children",
        })
    }
}

impl core::error::Error for ResourceTableError {}

enum Slot {
    Free { next: Option<u32> },
    Taken(Entry),
}

/// Children are a list through their own entries: so a parent's have an order, however many they are, come and go at
/// once, and take no room that there might not be.
struct Entry {
    value: Box<dyn Any + Send>,
    parent: Option<u32>,
    /// The first and the last child.
    children: Option<(u32, u32)>,
    /// The parent's child before this one.
    before: Option<u32>,
    /// The parent's child behind this one.
    behind: Option<u32>,
}

/// Values by representation, with parents and children.
///
/// ```
/// use cellule::component::{ResourceTable, ResourceTableError};
///
/// let mut table = ResourceTable::new();
/// let folder = table.push("folder".to_string())?;
/// let file = table.push_child(7u64, &folder)?;
/// assert_eq!(table.get(&file)?, &7);
/// assert_eq!(table.iter_children(&folder)?.count(), 1);
/// // A parent stays as long as it has children.
/// let folder_again = cellule::component::Resource::<String>::new_own(folder.rep());
/// assert_eq!(table.delete(folder_again), Err(ResourceTableError::HasChildren));
/// table.delete(file)?;
/// assert_eq!(table.delete(folder)?, "folder");
/// assert!(table.is_empty());
/// # Ok::<(), ResourceTableError>(())
/// ```
pub struct ResourceTable {
    slots: Vec<Slot>,
    free: Option<u32>,
    taken: usize,
    max_capacity: usize,
}

impl Default for ResourceTable {
    fn default() -> ResourceTable {
        ResourceTable::new()
    }
}

impl fmt::Debug for ResourceTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResourceTable")
            .field("entries", &self.taken)
            .finish_non_exhaustive()
    }
}

impl ResourceTable {
    /// An empty table.
    pub const fn new() -> ResourceTable {
        ResourceTable {
            slots: Vec::new(),
            free: None,
            taken: 0,
            max_capacity: 1 << 20,
        }
    }

    /// An empty table with room for so many entries.
    pub fn with_capacity(capacity: usize) -> ResourceTable {
        ResourceTable {
            slots: Vec::with_capacity(capacity),
            ..ResourceTable::new()
        }
    }

    /// Whether it has no entry.
    pub fn is_empty(&self) -> bool {
        self.taken == 0
    }

    /// How many entries it may have: a bound on what guests can make a host keep.
    pub fn max_capacity(&self) -> usize {
        self.max_capacity
    }

    /// Sets how many entries it may have. Entries that exist stay.
    pub fn set_max_capacity(&mut self, max: usize) {
        self.max_capacity = max;
    }

    /// Adds a value and returns the handle that owns it.
    ///
    /// # Errors
    ///
    /// If the table is full, or the host has no memory.
    pub fn push<T: Send + 'static>(&mut self, value: T) -> Result<Resource<T>, ResourceTableError> {
        self.push_entry(value).map(Resource::new_own)
    }

    /// Adds a value as the child of an entry.
    ///
    /// # Errors
    ///
    /// If the table is full, the parent isn't in it, or the host has no memory.
    pub fn push_child<T: Send + 'static, U: 'static>(
        &mut self,
        value: T,
        parent: &Resource<U>,
    ) -> Result<Resource<T>, ResourceTableError> {
        self.entry(parent.rep())?;
        let child = self.push_entry(value)?;
        self.link(child, parent.rep())?;
        Ok(Resource::new_own(child))
    }

    /// Makes an entry the child of another.
    ///
    /// # Errors
    ///
    /// If either isn't in the table.
    ///
    /// # Panics
    ///
    /// If it has a parent already.
    pub fn add_child<T: 'static, U: 'static>(
        &mut self,
        child: Resource<T>,
        parent: Resource<U>,
    ) -> Result<(), ResourceTableError> {
        self.entry(parent.rep())?;
        let entry = self.entry(child.rep())?;
        assert!(entry.parent.is_none(), "the entry has a parent");
        self.link(child.rep(), parent.rep())
    }

    /// Takes an entry from its parent; it stays in the table.
    ///
    /// # Errors
    ///
    /// If it isn't in the table.
    ///
    /// # Panics
    ///
    /// If it isn't a child of that parent.
    pub fn remove_child<T: 'static, U: 'static>(
        &mut self,
        child: Resource<T>,
        parent: Resource<U>,
    ) -> Result<(), ResourceTableError> {
        let entry = self.entry(child.rep())?;
        let known = Some(parent.rep());
        assert_eq!(entry.parent, known, "the entry is no child of that parent");
        self.unlink(child.rep())
    }

    /// Makes an entry without a parent the last child of another.
    fn link(&mut self, child: u32, parent: u32) -> Result<(), ResourceTableError> {
        let children = &mut self.entry_mut(parent)?.children;
        let last = children.map(|(_, last)| last);
        *children = Some((children.map_or(child, |(first, _)| first), child));
        if let Some(last) = last {
            self.entry_mut(last)?.behind = Some(child);
        }
        let entry = self.entry_mut(child)?;
        entry.parent = Some(parent);
        entry.before = last;
        Ok(())
    }

    /// Takes an entry from its parent, if it has one.
    fn unlink(&mut self, child: u32) -> Result<(), ResourceTableError> {
        let entry = self.entry_mut(child)?;
        let (before, behind) = (entry.before.take(), entry.behind.take());
        let Some(parent) = entry.parent.take() else {
            return Ok(());
        };
        if let Some(before) = before {
            self.entry_mut(before)?.behind = behind;
        }
        if let Some(behind) = behind {
            self.entry_mut(behind)?.before = before;
        }
        let children = &mut self.entry_mut(parent)?.children;
        if let Some((first, last)) = *children {
            let first = if first == child { behind } else { Some(first) };
            let last = if last == child { before } else { Some(last) };
            *children = first.zip(last);
        }
        Ok(())
    }

    fn push_entry<T: Send + 'static>(&mut self, value: T) -> Result<u32, ResourceTableError> {
        if self.taken >= self.max_capacity {
            return Err(ResourceTableError::Full);
        }
        let slot = Slot::Taken(Entry {
            value: boxed(value).map_err(|_| ResourceTableError::OutOfMemory)?,
            parent: None,
            children: None,
            before: None,
            behind: None,
        });
        let rep = match self.free {
            Some(rep) => {
                let place = self
                    .slots
                    .get_mut(rep as usize)
                    .ok_or(ResourceTableError::Full)?;
                if let Slot::Free { next } = *place {
                    self.free = next;
                }
                *place = slot;
                rep
            }
            None => {
                let rep = u32::try_from(self.slots.len()).map_err(|_| ResourceTableError::Full)?;
                self.slots
                    .try_reserve(1)
                    .map_err(|_| ResourceTableError::OutOfMemory)?;
                self.slots.push(slot);
                rep
            }
        };
        self.taken += 1;
        Ok(rep)
    }

    fn entry(&self, rep: u32) -> Result<&Entry, ResourceTableError> {
        match self.slots.get(rep as usize) {
            Some(Slot::Taken(entry)) => Ok(entry),
            _ => Err(ResourceTableError::NotPresent),
        }
    }

    fn entry_mut(&mut self, rep: u32) -> Result<&mut Entry, ResourceTableError> {
        match self.slots.get_mut(rep as usize) {
            Some(Slot::Taken(entry)) => Ok(entry),
            _ => Err(ResourceTableError::NotPresent),
        }
    }

    /// The value behind a handle.
    ///
    /// # Errors
    ///
    /// If there is none or it isn't a `T`.
    pub fn get<T: 'static>(&self, key: &Resource<T>) -> Result<&T, ResourceTableError> {
        self.get_any(key.rep())?
            .downcast_ref()
            .ok_or(ResourceTableError::WrongType)
    }

    /// The value behind a handle, to change it.
    ///
    /// # Errors
    ///
    /// If there is none or it isn't a `T`.
    pub fn get_mut<T: 'static>(&mut self, key: &Resource<T>) -> Result<&mut T, ResourceTableError> {
        self.get_any_mut(key.rep())?
            .downcast_mut()
            .ok_or(ResourceTableError::WrongType)
    }

    /// The value with a representation, whatever its type.
    ///
    /// # Errors
    ///
    /// If there is none.
    pub fn get_any(&self, rep: u32) -> Result<&dyn Any, ResourceTableError> {
        Ok(&*self.entry(rep)?.value)
    }

    /// The value with a representation, whatever its type, to change it.
    ///
    /// # Errors
    ///
    /// If there is none.
    pub fn get_any_mut(&mut self, rep: u32) -> Result<&mut dyn Any, ResourceTableError> {
        Ok(&mut *self.entry_mut(rep)?.value)
    }

    /// Removes an entry and returns its value.
    ///
    /// # Errors
    ///
    /// If there is none, it isn't a `T`, or it has children. It stays in the table then.
    pub fn delete<T: 'static>(&mut self, key: Resource<T>) -> Result<T, ResourceTableError> {
        let rep = key.rep();
        let entry = self.entry(rep)?;
        if !entry.value.is::<T>() {
            return Err(ResourceTableError::WrongType);
        }
        if entry.children.is_some() {
            return Err(ResourceTableError::HasChildren);
        }
        self.unlink(rep)?;
        let place = self
            .slots
            .get_mut(rep as usize)
            .ok_or(ResourceTableError::NotPresent)?;
        let freed = core::mem::replace(place, Slot::Free { next: self.free });
        self.free = Some(rep);
        self.taken -= 1;
        let Slot::Taken(entry) = freed else {
            return Err(ResourceTableError::NotPresent);
        };
        match entry.value.downcast() {
            Ok(value) => Ok(*value),
            Err(_) => Err(ResourceTableError::WrongType),
        }
    }

    /// The values of an entry's children, in the order in which they became such.
    ///
    /// # Errors
    ///
    /// If the parent isn't in the table.
    pub fn iter_children<T: 'static>(
        &self,
        parent: &Resource<T>,
    ) -> Result<impl Iterator<Item = &(dyn Any + Send)> + use<'_, T>, ResourceTableError> {
        let entry = |rep: u32| self.entry(rep).ok();
        let first = self.entry(parent.rep())?.children.map(|(first, _)| first);
        let children =
            core::iter::successors(first.and_then(entry), move |child| entry(child.behind?));
        Ok(children.map(|entry| &*entry.value))
    }

    /// All values, whatever their types, to change them.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut (dyn Any + Send)> {
        self.slots.iter_mut().filter_map(|slot| match slot {
            Slot::Taken(entry) => Some(&mut *entry.value),
            Slot::Free { .. } => None,
        })
    }

    /// The values with the representations that are a map's keys, to change them, each with the map's
    /// value; an error in place of one that isn't there.
    pub fn iter_entries<T>(
        &mut self,
        map: BTreeMap<u32, T>,
    ) -> impl Iterator<Item = (Result<&mut dyn Any, ResourceTableError>, T)> {
        let mut slots = self.slots.iter_mut();
        let mut next = 0;
        map.into_iter().map(move |(rep, with)| {
            // Keys come in order, so each slot is passed once.
            let rep = rep as usize;
            let slot = slots.nth(rep - next);
            next = rep + 1;
            match slot {
                Some(Slot::Taken(entry)) => (Ok(&mut *entry.value as &mut dyn Any), with),
                _ => (Err(ResourceTableError::NotPresent), with),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::{String, ToString};

    #[test]
    fn values_are_found_again_by_handle_and_leave_on_delete() {
        let mut table = ResourceTable::new();
        let text = table.push("depot".to_string()).unwrap();
        table.get_mut(&text).unwrap().push('!');
        assert_eq!(table.get(&text).unwrap(), "depot!");
        let again = Resource::<String>::new_borrow(text.rep());
        assert_eq!(table.delete(text), Ok("depot!".to_string()));
        assert_eq!(table.get(&again), Err(ResourceTableError::NotPresent));
        assert!(table.is_empty());
        assert_eq!(table.push(1u8).unwrap().rep(), again.rep());
    }

    #[test]
    fn a_representation_of_another_type_is_an_error_and_the_entry_stays() {
        let mut table = ResourceTable::new();
        let number = table.push(5u32).unwrap();
        let forged = Resource::<String>::new_own(number.rep());
        assert_eq!(table.get(&forged), Err(ResourceTableError::WrongType));
        assert_eq!(table.delete(forged), Err(ResourceTableError::WrongType));
        assert_eq!(table.get(&number), Ok(&5));
    }

    #[test]
    fn a_parent_outlives_its_children() {
        let mut table = ResourceTable::new();
        let parent = table.push(1u32).unwrap();
        let first = table.push_child(2u64, &parent).unwrap();
        let second = table.push_child(3u64, &parent).unwrap();
        let values = table.iter_children(&parent).unwrap();
        let values: Vec<_> = values.filter_map(|any| any.downcast_ref::<u64>()).collect();
        assert_eq!(values, [&2, &3]);
        let same = Resource::<u32>::new_own(parent.rep());
        assert_eq!(table.delete(same), Err(ResourceTableError::HasChildren));
        assert_eq!(table.delete(first), Ok(2));
        assert_eq!(table.delete(second), Ok(3));
        assert_eq!(table.delete(parent), Ok(1));
    }

    #[test]
    fn a_child_needs_a_parent_that_is_there() {
        let mut table = ResourceTable::new();
        let gone = Resource::<u32>::new_own(9);
        assert_eq!(
            table.push_child(1u8, &gone).unwrap_err(),
            ResourceTableError::NotPresent
        );
        assert!(table.is_empty());
    }

    #[test]
    fn a_full_table_refuses_and_takes_again_after_a_delete() {
        let mut table = ResourceTable::new();
        table.set_max_capacity(1);
        let only = table.push(1u8).unwrap();
        assert_eq!(table.push(2u8).unwrap_err(), ResourceTableError::Full);
        table.delete(only).unwrap();
        assert!(table.push(3u8).is_ok());
    }

    #[test]
    fn handles_and_tables_can_go_to_another_thread() {
        fn assert_send<T: Send>() {}
        assert_send::<ResourceTable>();
        assert_send::<Resource<*const u8>>();
    }
}
