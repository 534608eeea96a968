//! Where values are wider than a slot: a vector is two operands, two slots of the locals, two of the results.
//!
//! So whatever moves operands, carries them to labels or hands them to callees moves slots and needs to know
//! nothing of vectors; what must know is here.

use super::Translator;
use super::stack::{Operand, Place};
use crate::code::module::ValType;
use crate::error::Result;
use alloc::vec::Vec;

/// The types with each one as often as its values take slots.
pub(super) fn each(types: &[ValType]) -> impl Iterator<Item = ValType> {
    let each = |ty: &ValType| core::iter::repeat_n(*ty, ty.slots());
    types.iter().flat_map(each)
}

/// The type of each slot, and the first slot of each local; none where its number is its slot. Slots that no
/// field can name have a wrong number: a function with so many is refused before any is used.
pub(super) fn of_locals(locals: Vec<ValType>) -> (Vec<ValType>, Vec<u16>) {
    if !locals.contains(&ValType::V128) {
        return (locals, Vec::new());
    }
    let first = |next: &mut usize, ty: &ValType| {
        let slot = *next as u16;
        *next += ty.slots();
        Some(slot)
    };
    let slots = locals.iter().scan(0, first).collect();
    (each(&locals).collect(), slots)
}

impl Translator<'_> {
    /// The first slot of a local.
    pub(super) fn local(&self, index: u32) -> u16 {
        let found = self.local_slots.get(index as usize);
        found.copied().unwrap_or(index as u16)
    }

    /// Pushes a value of a type, of one slot or more, that is at home.
    pub(super) fn push_home(&mut self, ty: ValType) -> Result<()> {
        for _ in 0..ty.slots() {
            self.push(ty, Place::Home)?;
        }
        Ok(())
    }

    pub(super) fn local_get(&mut self, index: u32) -> Result<()> {
        let slot = self.local(index);
        let ty = self.locals[usize::from(slot)];
        for half in 0..ty.slots() as u16 {
            self.push(ty, Place::Local(slot + half))?;
        }
        Ok(())
    }

    pub(super) fn local_set(&mut self, index: u32) -> Result<()> {
        let slot = self.local(index);
        #[cfg(feature = "simd")]
        if self.locals[usize::from(slot)] == ValType::V128 {
            return self.assign_vector(slot);
        }
        self.assign(slot)
    }

    /// Whether a global holds a vector.
    #[cfg(feature = "simd")]
    pub(super) fn holds_vector(&self, global: u32) -> bool {
        self.module.globals[global as usize].content == ValType::V128
    }

    /// Whether what is below the top operand is a vector.
    #[cfg(feature = "simd")]
    pub(super) fn chooses_vectors(&self) -> bool {
        let below = self.stack.len().checked_sub(2);
        below.is_some_and(|at| self.stack[at].ty == ValType::V128)
    }

    /// Drops the top value.
    pub(super) fn drop_value(&mut self) {
        let Operand { ty, .. } = self.pop();
        for _ in 1..ty.slots() {
            self.pop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ValType::{F64, I32, V128};

    #[test]
    fn a_local_begins_where_those_before_it_end() {
        let (types, slots) = of_locals(Vec::from([I32, V128, F64, V128, I32]));
        assert_eq!(types, [I32, V128, V128, F64, V128, V128, I32]);
        assert_eq!(slots, [0, 1, 3, 4, 6]);
        let (types, slots) = of_locals(Vec::from([I32, F64]));
        assert_eq!(types, [I32, F64]);
        assert!(slots.is_empty());
    }
}
