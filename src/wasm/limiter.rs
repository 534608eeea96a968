//! The embedder's say in how far guests may grow.

use super::store::Store;
use crate::code::module::{MemoryType, TableType};
use crate::error::{Error, ErrorKind, Result};
use crate::machine::driver::Growth;
use alloc::boxed::Box;

/// Finds the limiter in the embedder's data.
pub(crate) type Limiter<T> = Box<dyn (Fn(&mut T) -> &mut dyn ResourceLimiter) + Send + Sync>;

/// Decides on the growth of memories and tables, and on how many there may be; see
/// [`Store::limiter`]. The store's [`Limits`](crate::Limits) hold as well.
///
/// ```
/// use cellule::{Engine, Memory, MemoryType, ResourceLimiter, Result, Store};
///
/// # fn main() -> cellule::Result<()> {
/// /// Lets memories have one page each, and counts how often more was asked for.
/// #[derive(Default)]
/// struct OnePage {
///     refused: u32,
/// }
///
/// impl ResourceLimiter for OnePage {
///     fn memory_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> Result<bool> {
///         let fits = desired <= 65_536;
///         self.refused += u32::from(!fits);
///         Ok(fits)
///     }
///
///     fn table_growing(&mut self, _: usize, _: usize, _: Option<usize>) -> Result<bool> {
///         Ok(true)
///     }
/// }
///
/// let mut store = Store::new(&Engine::default(), OnePage::default());
/// store.limiter(|data| data);
/// let memory = Memory::new(&mut store, MemoryType::new(1, None))?;
/// assert!(memory.grow(&mut store, 1).is_err());
/// assert_eq!(store.data().refused, 1);
/// # Ok(())
/// # }
/// ```
pub trait ResourceLimiter {
    /// Whether a memory may grow from `current` to `desired` bytes; a new one grows from 0. `maximum` is
    /// its type's.
    ///
    /// # Errors
    /// An error stops the guest; `Ok(false)` makes `memory.grow` answer −1.
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> Result<bool>;

    /// A growth that was allowed was not possible.
    ///
    /// # Errors
    /// An error stops the guest.
    fn memory_grow_failed(&mut self, _error: Error) -> Result<()> {
        Ok(())
    }

    /// Whether a table may grow from `current` to `desired` elements; as for memories.
    ///
    /// # Errors
    /// An error stops the guest; `Ok(false)` makes `table.grow` answer −1.
    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> Result<bool>;

    /// A growth that was allowed was not possible.
    ///
    /// # Errors
    /// An error stops the guest.
    fn table_grow_failed(&mut self, _error: Error) -> Result<()> {
        Ok(())
    }

    /// The most core instances in the store.
    fn instances(&self) -> usize {
        10_000
    }

    /// The most tables in the store.
    fn tables(&self) -> usize {
        10_000
    }

    /// The most memories in the store.
    fn memories(&self) -> usize {
        10_000
    }
}

/// A [`ResourceLimiter`] of fixed numbers; see [`StoreLimitsBuilder`].
///
/// ```
/// use cellule::{Engine, Memory, MemoryType, Store, StoreLimits, StoreLimitsBuilder};
///
/// # fn main() -> cellule::Result<()> {
/// let limits: StoreLimits = StoreLimitsBuilder::new()
///     .memory_size(2 * 65_536)
///     .memories(1)
///     .build();
/// let mut store = Store::new(&Engine::default(), limits);
/// store.limiter(|limits| limits);
/// let memory = Memory::new(&mut store, MemoryType::new(1, None))?;
/// assert_eq!(memory.grow(&mut store, 1)?, 1);
/// assert!(memory.grow(&mut store, 1).is_err());
/// assert!(Memory::new(&mut store, MemoryType::new(1, None)).is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct StoreLimits {
    memory_size: Option<usize>,
    table_elements: Option<usize>,
    instances: usize,
    tables: usize,
    memories: usize,
    trap_on_grow_failure: bool,
}

impl Default for StoreLimits {
    fn default() -> StoreLimits {
        StoreLimits {
            memory_size: None,
            table_elements: None,
            instances: 10_000,
            tables: 10_000,
            memories: 10_000,
            trap_on_grow_failure: false,
        }
    }
}

/// Makes [`StoreLimits`].
#[derive(Clone, Debug, Default)]
pub struct StoreLimitsBuilder(StoreLimits);

impl StoreLimitsBuilder {
    /// No limits but 10,000 instances, tables and memories.
    pub fn new() -> StoreLimitsBuilder {
        StoreLimitsBuilder::default()
    }

    /// Bytes of each memory.
    #[must_use]
    pub fn memory_size(mut self, bytes: usize) -> Self {
        self.0.memory_size = Some(bytes);
        self
    }

    /// Elements of each table.
    #[must_use]
    pub fn table_elements(mut self, elements: usize) -> Self {
        self.0.table_elements = Some(elements);
        self
    }

    /// Core instances in the store.
    #[must_use]
    pub fn instances(mut self, count: usize) -> Self {
        self.0.instances = count;
        self
    }

    /// Tables in the store.
    #[must_use]
    pub fn tables(mut self, count: usize) -> Self {
        self.0.tables = count;
        self
    }

    /// Memories in the store.
    #[must_use]
    pub fn memories(mut self, count: usize) -> Self {
        self.0.memories = count;
        self
    }

    /// Whether growth beyond a limit stops the guest instead of answering −1.
    #[must_use]
    pub fn trap_on_grow_failure(mut self, on: bool) -> Self {
        self.0.trap_on_grow_failure = on;
        self
    }

    /// The limits.
    pub fn build(self) -> StoreLimits {
        self.0
    }
}

impl StoreLimits {
    fn judge(&self, what: &str, desired: usize, limit: Option<usize>) -> Result<bool> {
        let allowed = limit.is_none_or(|limit| desired <= limit);
        if !allowed && self.trap_on_grow_failure {
            let why = format_args!("forcing trap when growing {what} to {desired}");
            return Err(Error::of(ErrorKind::Limit, why));
        }
        Ok(allowed)
    }

    fn failed(&self, error: Error) -> Result<()> {
        match self.trap_on_grow_failure {
            true => Err(error.context("forcing a trap for a growth that failed")),
            false => Ok(()),
        }
    }
}

impl ResourceLimiter for StoreLimits {
    fn memory_growing(&mut self, _: usize, desired: usize, maximum: Option<usize>) -> Result<bool> {
        let allowed = self.judge("memory", desired, self.memory_size)?;
        Ok(allowed && maximum.is_none_or(|maximum| desired <= maximum))
    }

    fn memory_grow_failed(&mut self, error: Error) -> Result<()> {
        self.failed(error)
    }

    fn table_growing(&mut self, _: usize, desired: usize, maximum: Option<usize>) -> Result<bool> {
        let allowed = self.judge("table", desired, self.table_elements)?;
        Ok(allowed && maximum.is_none_or(|maximum| desired <= maximum))
    }

    fn table_grow_failed(&mut self, error: Error) -> Result<()> {
        self.failed(error)
    }

    fn instances(&self) -> usize {
        self.instances
    }

    fn tables(&self) -> usize {
        self.tables
    }

    fn memories(&self) -> usize {
        self.memories
    }
}

/// A size as the limiter is told it.
fn number(size: u64) -> usize {
    usize::try_from(size).unwrap_or(usize::MAX)
}

/// What is counted in a store.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Counted {
    Instance,
    Memory,
    Table,
}

impl<T: 'static> Store<T> {
    /// Has a limiter in the embedder's data asked from now on.
    pub fn limiter(
        &mut self,
        limiter: impl (Fn(&mut T) -> &mut dyn ResourceLimiter) + Send + Sync + 'static,
    ) {
        self.limiter = Some(Box::new(limiter));
        self.inner.limited = true;
    }

    /// Asks the limiter, if there is one, whether one more of something may be made.
    pub(crate) fn may_add(&mut self, what: Counted) -> Result<()> {
        let Some(limiter) = &self.limiter else {
            return Ok(());
        };
        let limiter = limiter(&mut self.data);
        let (count, most, name) = match what {
            Counted::Instance => (
                self.inner.instances.len(),
                limiter.instances(),
                "core instances",
            ),
            Counted::Memory => (self.inner.memories.len(), limiter.memories(), "memories"),
            Counted::Table => (self.inner.tables.len(), limiter.tables(), "tables"),
        };
        if count >= most {
            let why = format_args!("more {name} than the limiter's {most}");
            return Err(Error::of(ErrorKind::Limit, why));
        }
        Ok(())
    }

    /// Asks the limiter about a memory's size in pages.
    pub(crate) fn may_have_memory(
        &mut self,
        ty: &MemoryType,
        current: u64,
        desired: u64,
    ) -> Result<bool> {
        let bytes = |pages: u64| number(pages.saturating_mul(ty.page_size()));
        let Some(limiter) = &self.limiter else {
            return Ok(true);
        };
        let most = ty.maximum.map(bytes);
        limiter(&mut self.data).memory_growing(bytes(current), bytes(desired), most)
    }

    /// Asks the limiter about a table's size in elements.
    pub(crate) fn may_have_table(
        &mut self,
        ty: &TableType,
        current: usize,
        desired: u64,
    ) -> Result<bool> {
        let Some(limiter) = &self.limiter else {
            return Ok(true);
        };
        let most = ty.maximum.map(number);
        limiter(&mut self.data).table_growing(current, number(desired), most)
    }

    /// Asks the limiter about a growth.
    pub(crate) fn may_grow(&mut self, growth: Growth) -> Result<bool> {
        match growth {
            Growth::Memory { id, delta } => {
                let memory = &self.inner.memories[id as usize];
                let (ty, current) = (memory.ty, memory.pages());
                self.may_have_memory(&ty, current, current.saturating_add(delta))
            }
            Growth::Table { id, delta } => {
                let table = &self.inner.tables[id as usize];
                let (ty, current) = (table.ty, table.elements.len());
                self.may_have_table(&ty, current, (current as u64).saturating_add(delta))
            }
        }
    }

    /// Tells the limiter that a growth it allowed wasn't possible.
    pub(crate) fn growth_failed(&mut self, growth: Growth) -> Result<()> {
        let Some(limiter) = &self.limiter else {
            return Ok(());
        };
        let limiter = limiter(&mut self.data);
        let why =
            "the growth is beyond the type's maximum, the store's limits or the host's memory";
        let error = Error::of(ErrorKind::Limit, why);
        match growth {
            Growth::Memory { .. } => limiter.memory_grow_failed(error),
            Growth::Table { .. } => limiter.table_grow_failed(error),
        }
    }
}
