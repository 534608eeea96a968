//! The second layout of types: for 64-bit memories, whose pointers and lengths have 64 bits.
//!
//! A type that is passed to or from such a memory, and has pointers in it, gets a *twin*: another row of
//! the same kind whose size, alignment, offsets and core types are those of the wide layout and whose parts
//! are twins too. Everything that moves values follows rows, so it is right for both without asking;
//! what has no pointers has one row, and a component without 64-bit memories has no twins at all.
//! Reflection and checks of types see the first rows only. Twins take as many core values as what they are
//! of, so that what is passed flat and what in memory is the same.

use super::layout::{Parts, TooLarge};
use super::rows::*;
use super::{ComponentTables, TablesBuilder};
use alloc::vec::Vec;

impl CoreType {
    /// The core type of addresses and lengths.
    pub const fn pointer(wide: bool) -> CoreType {
        if wide { CoreType::I64 } else { CoreType::I32 }
    }
}

impl ComponentTables {
    /// The type's row of the other layout; itself if there is no other.
    pub fn twin(&self, ty: TypeId) -> TypeId {
        let twin = self.twins.get(ty.index()).copied();
        twin.and_then(TypeId::some).unwrap_or(ty)
    }

    /// A type of a function's, in the layout that it is passed in.
    pub fn passed(&self, ty: TypeId, wide: bool) -> TypeId {
        if wide { self.twin(ty) } else { ty }
    }
}

impl TablesBuilder {
    /// Makes a type's row for 64-bit memories, and those of its parts.
    ///
    /// # Errors
    /// If its values are too large in that layout.
    pub fn widen(&mut self, ty: TypeId) -> Result<(), TooLarge> {
        // From a list, parts first: types may lie deeper in each other than a small native stack bears.
        let mut waiting = Vec::from([ty]);
        let mut parts = Vec::new();
        while let Some(&next) = waiting.last() {
            if !self.widened(next) {
                parts.clear();
                self.parts(next, &mut parts);
                parts.retain(|part| !self.widened(*part));
                if !parts.is_empty() {
                    waiting.append(&mut parts);
                    continue;
                }
                let twin = self.make_twin(next)?;
                self.join(next, twin);
            }
            waiting.pop();
        }
        Ok(())
    }

    /// Whether there is nothing to do for a type.
    fn widened(&self, ty: TypeId) -> bool {
        let tables = &self.tables;
        ty.some().is_none() || !tables.ty(ty).has(TypeRow::HAS_POINTER) || tables.twin(ty) != ty
    }

    fn parts(&self, ty: TypeId, parts: &mut Vec<TypeId>) {
        let row = self.tables.ty(ty);
        match row.kind {
            TypeKind::Record | TypeKind::Tuple => {
                parts.extend(self.tables.fields(row.span()).iter().map(|field| field.ty));
            }
            TypeKind::Variant | TypeKind::Option | TypeKind::Result => {
                parts.extend(self.tables.cases(row.span()).iter().map(|case| case.ty));
            }
            TypeKind::List | TypeKind::Map | TypeKind::FixedList => parts.push(row.element()),
            _ => {}
        }
    }

    /// The twin of a type with pointers, the twins of whose parts are there.
    fn make_twin(&mut self, ty: TypeId) -> Result<TypeId, TooLarge> {
        let tables = &self.tables;
        let row = tables.ty(ty);
        match row.kind {
            TypeKind::Record | TypeKind::Tuple => {
                let fields = tables.fields(row.span()).iter();
                let fields: Vec<_> = fields
                    .map(|field| (field.name, tables.twin(field.ty)))
                    .collect();
                self.record(row.kind, fields)
            }
            TypeKind::Variant | TypeKind::Option | TypeKind::Result => {
                let cases = tables.cases(row.span()).iter();
                let cases: Vec<_> = cases
                    .map(|case| (case.name, tables.twin(case.ty)))
                    .collect();
                self.variant(row.kind, cases)
            }
            TypeKind::FixedList => self.fixed_list(tables.twin(row.element()), row.b),
            TypeKind::List | TypeKind::Map => {
                let element = tables.twin(row.element());
                let parts = Parts::pointer(tables.ty(element), true);
                self.add(row.kind, parts, element.0, 0, 0, 0)
            }
            // A string: nothing else has pointers.
            kind => self.add(kind, Parts::pair(true), row.a, row.b, 0, 0),
        }
    }

    fn join(&mut self, a: TypeId, b: TypeId) {
        let twins = &mut self.tables.twins;
        let len = twins.len().max(a.index().max(b.index()) + 1);
        twins.resize(len, TypeId::NONE);
        (twins[a.index()], twins[b.index()]) = (b, a);
    }
}
