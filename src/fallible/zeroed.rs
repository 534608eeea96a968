//! Memory that is all zero, from an allocator that may have none: the one place that asks for it.
//!
//! `Vec` can grow fallibly and can be made of zeros, but not both: growing writes every byte, so that
//! a guest that asks for four gigabytes costs seconds. An allocator gets zeroed pages from the system.
//!
//! Where it has them at hand, that is. glibc keeps what was freed, up to 32 MiB, and clears it when it
//! is asked for zeros: the next megabyte costs tens of microseconds, most of an instantiation. What is
//! larger always comes as untouched pages from the system. So there a memory of more than a few pages
//! takes room of that size, which costs address space alone until it is used, and growing into it
//! costs nothing.
use alloc::alloc::{Layout, alloc_zeroed};
use alloc::vec::Vec;
use core::ops::{Deref, DerefMut};

/// What glibc never recycles.
const FRESH: usize = (32 << 20) + (64 << 10);

/// From this size on untouched pages cost less than clearing: each page that is touched costs a
/// microsecond.
const WORTH: usize = 256 << 10;

/// Whether address space is plenty, and large blocks come from the system.
const RESERVES: bool = cfg!(all(
    feature = "std",
    target_os = "linux",
    target_env = "gnu",
    target_pointer_width = "64"
));

/// Bytes that begin as zeros and can grow. What there is room for behind them is zero too: it was when
/// it was got, it can't be reached, and they never shrink.
#[derive(Debug, Default)]
pub(crate) struct Zeroed(Vec<u8>);

impl Zeroed {
    /// Grows to `len` bytes, or stays as long as it is; whether the host had memory for that.
    pub fn grow(&mut self, len: usize) -> bool {
        if len > self.0.capacity() && !self.move_to(len) {
            return false;
        }
        if len > self.0.len() {
            // SAFETY: the capacity suffices, and what lies behind the length is initialised: see the
            // type, which alone makes and grows the vector.
            unsafe { self.0.set_len(len) };
        }
        true
    }

    /// Moves to a place with room for `len` bytes, and with some more where that costs nothing.
    fn move_to(&mut self, len: usize) -> bool {
        let reserved = len.saturating_mul(2).max(FRESH);
        let ample = (RESERVES && len >= WORTH).then(|| zeroed(reserved));
        let Some(mut room) = ample.flatten().or_else(|| zeroed(len)) else {
            return false;
        };
        room[..self.0.len()].copy_from_slice(&self.0);
        room.truncate(self.0.len());
        self.0 = room;
        true
    }
}

impl Deref for Zeroed {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl DerefMut for Zeroed {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

/// `len` zeros, or nothing if the host has no memory for them.
fn zeroed(len: usize) -> Option<Vec<u8>> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growing_keeps_what_was_there_and_adds_zeros() {
        let mut bytes = Zeroed::default();
        for len in [3, 4, 100, 150, WORTH - 1, WORTH + 1, WORTH + 7] {
            let old = bytes.len();
            assert!(bytes.grow(len));
            assert_eq!(bytes.len(), len);
            assert!(bytes[..old].iter().all(|byte| *byte == 7));
            assert!(bytes[old..].iter().all(|byte| *byte == 0));
            bytes.fill(7);
        }
        assert!(bytes.grow(0));
        assert_eq!(bytes.len(), WORTH + 7);
    }

    #[test]
    fn growing_within_the_room_moves_nothing() {
        let mut bytes = Zeroed::default();
        assert!(bytes.grow(WORTH));
        let place = bytes.as_ptr();
        assert!(bytes.grow(WORTH + 1));
        assert_eq!(RESERVES, core::ptr::eq(place, bytes.as_ptr()));
    }

    #[test]
    fn what_no_host_has_is_refused() {
        let mut bytes = Zeroed::default();
        assert!(bytes.grow(1));
        assert!(!bytes.grow(isize::MAX as usize));
        assert_eq!(*bytes, [0]);
        assert_eq!(zeroed(0), Some(Vec::new()));
    }
}
