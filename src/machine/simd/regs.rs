//! Vectors in slots, in cells of globals and in memory: the accessors through which their handlers touch those.
//!
//! They rely on what the accessors in `machine::regs` rely on, for two slots or cells in a row.

use crate::machine::regs::{Flow, Regs};
use crate::simd::V;

/// What a place of two words holds, as bytes, the lowest first.
///
/// # Safety
/// Both words must be readable.
#[inline(always)]
unsafe fn read(place: *const u64) -> V {
    // SAFETY: as the caller says.
    let words = unsafe { *place.cast::<[u64; 2]>() };
    #[cfg(target_endian = "little")]
    // SAFETY: as many bytes, any of which may have any value. A detour over the words' values would cost the
    // compiler its sight of the lanes.
    return unsafe { core::mem::transmute::<[u64; 2], V>(words) };
    #[cfg(target_endian = "big")]
    return (u128::from(words[0]) | u128::from(words[1]) << 64).to_le_bytes();
}

/// Writes a vector to a place of two words.
///
/// # Safety
/// Both words must be writable.
#[inline(always)]
unsafe fn write(place: *mut u64, v: V) {
    #[cfg(target_endian = "little")]
    // SAFETY: as many bytes, any of which may have any value.
    let words = unsafe { core::mem::transmute::<V, [u64; 2]>(v) };
    #[cfg(target_endian = "big")]
    let words = {
        let all = u128::from_le_bytes(v);
        [all as u64, (all >> 64) as u64]
    };
    // SAFETY: as the caller says.
    unsafe { *place.cast::<[u64; 2]>() = words }
}

impl Regs {
    /// The vector in a slot and the next.
    #[inline(always)]
    pub(super) fn vector(&self, slot: u16) -> V {
        self.check(slot + 1);
        // SAFETY: both slots lie below the frame's size and the frame below the stack's end.
        unsafe { read(self.sp.add(slot.into())) }
    }
    #[inline(always)]
    pub(super) fn set_vector(&mut self, slot: u16, v: V) {
        self.check(slot + 1);
        // SAFETY: as in `vector`.
        unsafe { write(self.sp.add(slot.into()), v) }
    }
    /// The vector in the words behind the instruction's first.
    #[inline(always)]
    pub(super) fn immediate(&self) -> V {
        let all = u128::from(self.ext_at(0)) | u128::from(self.ext_at(1)) << 64;
        all.to_le_bytes()
    }
    #[inline(always)]
    pub(super) fn global_vector(&self, index: u32) -> V {
        // SAFETY: the index names a global that holds a vector, which has two cells in a row.
        unsafe { read(self.global(index)) }
    }
    #[inline(always)]
    pub(super) fn set_global_vector(&mut self, index: u32, v: V) {
        // SAFETY: as in `global_vector`.
        unsafe { write(self.global(index), v) }
    }
    /// Makes a vector of `N` bytes of memory 0 and writes it to the slot in field `a`.
    // Whole instructions: bytes in a `Result` would be copied in pieces, for which those who read the vector
    // next would have to wait.
    #[inline(always)]
    pub(super) fn load<const N: usize>(
        &mut self,
        (address, offset): (u64, u32),
        make: impl FnOnce([u8; N]) -> V,
        words: usize,
    ) -> Flow {
        let place = match self.at(address as u32, offset) {
            Ok(place) => place,
            Err(trap) => return trap.into(),
        };
        // SAFETY: `at` has checked that the bytes lie within the memory.
        let v = make(unsafe { *place });
        self.set_vector(self.a(), v);
        self.step(words);
        Flow::Next
    }
    /// Writes `N` bytes to memory 0.
    #[inline(always)]
    pub(super) fn store<const N: usize>(
        &mut self,
        (address, offset): (u64, u32),
        bytes: [u8; N],
        words: usize,
    ) -> Flow {
        let place = match self.at(address as u32, offset) {
            Ok(place) => place,
            Err(trap) => return trap.into(),
        };
        // SAFETY: as in `load`.
        unsafe { *place = bytes };
        self.step(words);
        Flow::Next
    }
    /// As `load`, of the memory that the field `Memory16` names.
    #[inline(always)]
    pub(super) fn load_wide<const N: usize>(
        &mut self,
        memory: u16,
        (address, offset): (u64, u64),
        make: impl FnOnce([u8; N]) -> V,
        words: usize,
    ) -> Flow {
        let place = match self.wide(memory, address, offset) {
            Ok(place) => place,
            Err(trap) => return trap.into(),
        };
        // SAFETY: `wide` has checked that the bytes lie within the memory.
        let v = make(unsafe { *place });
        self.set_vector(self.a(), v);
        self.step(words);
        Flow::Next
    }
    /// As `store`, to the memory that the field `Memory16` names.
    #[inline(always)]
    pub(super) fn store_wide<const N: usize>(
        &mut self,
        memory: u16,
        (address, offset): (u64, u64),
        bytes: [u8; N],
        words: usize,
    ) -> Flow {
        let place = match self.wide(memory, address, offset) {
            Ok(place) => place,
            Err(trap) => return trap.into(),
        };
        // SAFETY: as in `load_wide`.
        unsafe { *place = bytes };
        self.step(words);
        Flow::Next
    }
}
