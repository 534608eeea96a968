//! Memory that is all zero, from an allocator that may have none: the one place that asks for it.
//!
//! `Vec` can grow fallibly and can be made of zeros, but not both: growing writes every byte, so that
//! a guest that asks for four gigabytes costs seconds. An allocator gets zeroed pages from the system.
#![allow(unsafe_code)]

use alloc::alloc::{Layout, alloc_zeroed};
use alloc::vec::Vec;

/// `len` zeros, or nothing if the host has no memory for them.
pub(crate) fn zeroed(len: usize) -> Option<Vec<u8>> {
    if len == 0 {
        return Some(Vec::new());
    }
    let layout = Layout::array::<u8>(len).ok()?;
    // SAFETY: the layout's size isn't zero.
    let start = unsafe { alloc_zeroed(layout) };
    if start.is_null() {
        return None;
    }
    // SAFETY: the global allocator gave `len` bytes with the alignment of `u8`, all initialised.
    Some(unsafe { Vec::from_raw_parts(start, len, len) })
}

/// Grows `bytes` to `len` with zeros; whether the host had memory for that.
pub(crate) fn grow(bytes: &mut Vec<u8>, len: usize) -> bool {
    let old = bytes.len();
    // Where most of it is new, fresh zeros cost less than writing them.
    if len / 2 >= old {
        let Some(mut grown) = zeroed(len) else {
            return false;
        };
        grown[..old].copy_from_slice(bytes);
        *bytes = grown;
        return true;
    }
    if bytes.try_reserve_exact(len.saturating_sub(old)).is_err() {
        return false;
    }
    bytes.resize(len, 0);
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growing_keeps_what_was_there_and_adds_zeros() {
        let mut bytes = alloc::vec![7u8; 3];
        for len in [4, 100, 150] {
            assert!(grow(&mut bytes, len));
            assert_eq!(bytes.len(), len);
            assert_eq!(&bytes[..3], &[7, 7, 7]);
            assert!(bytes[3..].iter().all(|byte| *byte == 0));
        }
    }

    #[test]
    fn what_no_host_has_is_refused() {
        let mut bytes = alloc::vec![1u8];
        assert!(!grow(&mut bytes, isize::MAX as usize));
        assert_eq!(bytes, [1]);
        assert_eq!(zeroed(0), Some(Vec::new()));
    }
}
