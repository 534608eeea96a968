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

use crate::error::{Error, ErrorKind, Trap};
use crate::store::handles::HandleError;
pub(crate) use crate::store::scalar::{canonical_f32, canonical_f64};

/// The longest list, in bytes.
pub(crate) const MAX_LIST_BYTES: u64 = (1 << 28) - 1;

impl From<HandleError> for Error {
    fn from(error: HandleError) -> Error {
        Error::of(ErrorKind::Trap, error)
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
pub(crate) fn range(memory: &[u8], ptr: u32, len: u64) -> Option<&[u8]> {
    let end = u64::from(ptr).checked_add(len)?;
    memory.get(ptr as usize..usize::try_from(end).ok()?)
}

/// Whether an address has an alignment.
pub(crate) fn aligned(ptr: u32, align: u32) -> bool {
    ptr & (align - 1) == 0
}

/// A character's number, checked.
pub(crate) fn character(number: u32) -> Result<char, Trap> {
    char::from_u32(number).ok_or(Trap::InvalidChar)
}
