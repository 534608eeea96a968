//! How much native stack was used at most: it is painted, and the paint that is left is measured.

use core::ptr::addr_of;

const PAINT: u32 = 0xC311_01E5;

/// Below the frame that paints, left alone for what the painting itself calls.
const RESERVE: usize = 256;

unsafe extern "C" {
    /// End of the static data, down to which the stack may grow.
    static mut __sheap: u32;
    static _stack_start: u32;
}

/// Paints the stack that is unused now.
#[inline(never)]
pub fn paint() {
    let here = 0u32;
    let end = addr_of!(here) as usize - RESERVE;
    let mut word = &raw mut __sheap;
    while (word as usize) < end {
        // SAFETY: between the static data and the running frame lies nothing but unused stack.
        unsafe {
            word.write_volatile(PAINT);
            word = word.add(1);
        }
    }
}

/// How many bytes of the stack were in use at most since it was painted, counted from its start.
pub fn high_water() -> usize {
    let top = addr_of!(_stack_start) as usize;
    let mut word = &raw const __sheap;
    // SAFETY: between the static data and the stack's start is the stack: readable, in words.
    while (word as usize) < top && unsafe { word.read_volatile() } == PAINT {
        word = word.wrapping_add(1);
    }
    top - word as usize
}
