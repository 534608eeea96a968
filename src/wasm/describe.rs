//! What modules say of themselves: imports, exports, the memories and tables that they need; and the
//! item types' constructors, by wasmtime's names.

use crate::code::module::{ExternType, GlobalType, MemoryType, TableType, ValType};

/// An import of a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportType<'module> {
    pub(super) module: &'module str,
    pub(super) name: &'module str,
    pub(super) ty: ExternType,
}

impl<'module> ImportType<'module> {
    /// The name of what it is imported from.
    pub fn module(&self) -> &'module str {
        self.module
    }

    /// Its own name.
    pub fn name(&self) -> &'module str {
        self.name
    }

    /// Its type.
    pub fn ty(&self) -> ExternType {
        self.ty.clone()
    }
}

/// An export of a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportType<'module> {
    pub(super) name: &'module str,
    pub(super) ty: ExternType,
}

impl<'module> ExportType<'module> {
    /// Its name.
    pub fn name(&self) -> &'module str {
        self.name
    }

    /// Its type.
    pub fn ty(&self) -> ExternType {
        self.ty.clone()
    }
}

/// An export of a module, found once by name and from then on without it; see
/// [`Module::get_export_index`](crate::Module::get_export_index).
#[derive(Clone, Debug)]
pub struct ModuleExport {
    pub(super) module: crate::Module,
    pub(super) index: u32,
}

/// The memories and tables that instantiating makes, imported ones left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ResourcesRequired {
    /// How many memories.
    pub num_memories: u32,
    /// Pages that the largest of them begins with; `None` without memories.
    pub max_initial_memory_size: Option<u64>,
    /// How many tables.
    pub num_tables: u32,
    /// Elements that the largest of them begins with; `None` without tables.
    pub max_initial_table_size: Option<u64>,
}

impl ResourcesRequired {
    pub(super) fn memory(&mut self, ty: &MemoryType) {
        self.num_memories += 1;
        self.max_initial_memory_size = self.max_initial_memory_size.max(Some(ty.minimum));
    }

    pub(super) fn table(&mut self, ty: &TableType) {
        self.num_tables += 1;
        self.max_initial_table_size = self.max_initial_table_size.max(Some(ty.minimum));
    }

    /// What both need.
    pub(crate) fn add(&mut self, other: &ResourcesRequired) {
        self.num_memories = self.num_memories.saturating_add(other.num_memories);
        self.num_tables = self.num_tables.saturating_add(other.num_tables);
        self.max_initial_memory_size = self
            .max_initial_memory_size
            .max(other.max_initial_memory_size);
        self.max_initial_table_size = self
            .max_initial_table_size
            .max(other.max_initial_table_size);
    }
}

/// Whether a global may be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mutability {
    /// It keeps its value.
    Const,
    /// It may be written.
    Var,
}

impl GlobalType {
    /// The type of a global that holds values of a type.
    pub fn new(content: ValType, mutability: Mutability) -> GlobalType {
        GlobalType {
            content,
            mutable: mutability == Mutability::Var,
        }
    }

    /// What it holds.
    pub fn content(&self) -> &ValType {
        &self.content
    }

    /// Whether it may be written.
    pub fn mutability(&self) -> Mutability {
        match self.mutable {
            true => Mutability::Var,
            false => Mutability::Const,
        }
    }
}

impl TableType {
    /// What it holds.
    pub fn element(&self) -> &ValType {
        &self.element
    }

    /// Elements at first.
    pub fn minimum(&self) -> u64 {
        self.minimum
    }

    /// Elements at most.
    pub fn maximum(&self) -> Option<u64> {
        self.maximum
    }

    /// Whether elements are addressed by `i64`.
    pub fn is_64(&self) -> bool {
        self.table64
    }
}

impl MemoryType {
    /// Pages at first.
    pub fn minimum(&self) -> u64 {
        self.minimum
    }

    /// Pages at most.
    pub fn maximum(&self) -> Option<u64> {
        self.maximum
    }

    /// Whether bytes are addressed by `i64`.
    pub fn is_64(&self) -> bool {
        self.memory64
    }
}
