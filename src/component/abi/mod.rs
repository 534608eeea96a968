//! The Canonical ABI: values between component-level types and core values and memories.
//!
//! Three ways, one set of rules: `cross` moves values from one guest into another without building
//! them, `lift` makes host values of what a guest passes, `lower` stores host values in a guest.
//!
//! # Contract
//!
//! Pointers, lengths, discriminants and handles come from guests and are checked where they are
//! read. Nothing recurses over data; recursion over types is bounded by their limited depth.

pub(crate) mod cross;
pub(crate) mod lift;
pub(crate) mod lower;
pub(crate) mod strings;

use crate::error::{Error, ErrorKind, OutOfMemory, Trap};
use crate::store::handles::HandleError;
pub(crate) use crate::store::scalar::{canonical_f32, canonical_f64};

/// The longest list, in bytes.
pub(crate) const MAX_LIST_BYTES: u64 = (1 << 28) - 1;

impl From<HandleError> for Error {
    fn from(error: HandleError) -> Error {
        match error {
            HandleError::OutOfMemory => OutOfMemory.into(),
            error => Error::of(ErrorKind::Trap, error),
        }
    }
}

/// Fuel for moving that many bytes.
pub(crate) fn bytes_cost(bytes: u64) -> i64 {
    1 + (bytes.div_ceil(8)) as i64
}

/// Fuel for moving the elements of a list, each of `size` bytes: by their bytes if they are moved as such.
pub(crate) fn elements_cost(as_bytes: bool, size: u32, len: u32, bytes: u64) -> i64 {
    if as_bytes {
        bytes_cost(bytes)
    } else {
        1 + i64::from(len) * i64::from(size.div_ceil(8).max(1))
    }
}

/// The bytes of a checked range of a memory.
pub(crate) fn range(memory: &[u8], ptr: u64, len: u64) -> Option<&[u8]> {
    let end = usize::try_from(ptr.checked_add(len)?).ok()?;
    // No larger than the end, so it fits too.
    memory.get(ptr as usize..end)
}

/// An address or a length in a slot, whose upper half means nothing if pointers have 32 bits.
pub(crate) fn pointer(slot: u64, wide: bool) -> u64 {
    if wide { slot } else { u64::from(slot as u32) }
}

/// A pointer and a length in memory.
pub(crate) fn pair(bytes: &[u8], wide: bool) -> (u64, u64) {
    if !wide {
        let word = |at: usize| {
            let mut word = [0; 4];
            word.copy_from_slice(&bytes[at..at + 4]);
            u64::from(u32::from_le_bytes(word))
        };
        return (word(0), word(4));
    }
    let word = |at: usize| {
        let mut word = [0; 8];
        word.copy_from_slice(&bytes[at..at + 8]);
        u64::from_le_bytes(word)
    };
    (word(0), word(8))
}

/// Stores a pointer and a length in their place.
pub(crate) fn set_pair(place: &mut [u8], (ptr, len): (u64, u64), wide: bool) {
    if wide {
        place[..8].copy_from_slice(&ptr.to_le_bytes());
        place[8..16].copy_from_slice(&len.to_le_bytes());
    } else {
        place[..4].copy_from_slice(&(ptr as u32).to_le_bytes());
        place[4..8].copy_from_slice(&(len as u32).to_le_bytes());
    }
}

/// Bytes of a pointer and a length.
pub(crate) const fn pair_size(wide: bool) -> u32 {
    if wide { 16 } else { 8 }
}

/// Whether an address has an alignment.
pub(crate) fn aligned(ptr: u64, align: u32) -> bool {
    ptr & u64::from(align - 1) == 0
}

/// A character's number, checked.
pub(crate) fn character(number: u32) -> Result<char, Trap> {
    char::from_u32(number).ok_or(Trap::InvalidChar)
}
