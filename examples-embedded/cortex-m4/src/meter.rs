//! What the firmware uses of its RAM at most: heap through a counting allocator, stack by paint.

use core::alloc::{GlobalAlloc, Layout};
use core::ptr::{addr_of, addr_of_mut};
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use embedded_alloc::LlffHeap;

/// The heap's size, well above what is used, so that a larger guest can be tried.
const HEAP_BYTES: usize = 1024 * 1024;

/// A heap that remembers the most that was in use, and how far up its memory it was used.
pub struct CountingHeap {
    heap: LlffHeap,
    high: AtomicUsize,
    reach: AtomicUsize,
}

static mut MEMORY: [u64; HEAP_BYTES / 8] = [0; HEAP_BYTES / 8];

impl CountingHeap {
    pub const fn new() -> CountingHeap {
        CountingHeap {
            heap: LlffHeap::empty(),
            high: AtomicUsize::new(0),
            reach: AtomicUsize::new(0),
        }
    }

    /// Gives the heap its memory. Call it once, before anything allocates.
    pub fn init(&self) {
        // SAFETY: called once, from `main` before the first allocation; MEMORY is named nowhere else
        // but for its address.
        unsafe { self.heap.init(addr_of_mut!(MEMORY) as usize, HEAP_BYTES) }
    }

    /// Bytes in use now, with what the allocator rounds up.
    pub fn used(&self) -> usize {
        self.heap.used()
    }

    /// The most that was in use since the last `restart`.
    pub fn high_water(&self) -> usize {
        self.high.load(Relaxed)
    }

    /// The end of the highest allocation ever made: what the heap must be given, gaps included.
    pub fn reach(&self) -> usize {
        self.reach.load(Relaxed)
    }

    /// From now on the high-water mark is a new one.
    pub fn restart(&self) {
        self.high.store(self.used(), Relaxed);
    }

    /// One core and no allocation in interrupts: load and store need not be one operation.
    fn note(&self, memory: *mut u8, bytes: usize) {
        let end = memory as usize + bytes - addr_of!(MEMORY) as usize;
        self.high.store(self.high_water().max(self.used()), Relaxed);
        self.reach.store(self.reach().max(end), Relaxed);
    }
}

// SAFETY: every call goes to the inner allocator unchanged; only the marks are added.
unsafe impl GlobalAlloc for CountingHeap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise, passed on.
        let memory = unsafe { self.heap.alloc(layout) };
        if !memory.is_null() {
            self.note(memory, layout.size());
        }
        memory
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise, passed on.
        unsafe { self.heap.dealloc(memory, layout) }
    }
}

const PAINT: u32 = 0xC311_01E5;

/// Below the frame that paints, left alone for what the painting itself calls.
const RESERVE: usize = 64;

unsafe extern "C" {
    /// End of the static data, down to which the stack may grow (linker script of `cortex-m-rt`).
    static mut __sheap: u32;
    static _stack_start: u32;
}

/// Paints the stack that is unused now, so that `stack_high_water` tells what is used from now on.
#[inline(never)]
pub fn paint_stack() {
    let end = cortex_m::register::msp::read() as usize - RESERVE;
    let mut word = addr_of_mut!(__sheap);
    while (word as usize) < end {
        // SAFETY: between the static data and the running frame lies nothing but unused stack.
        unsafe {
            word.write_volatile(PAINT);
            word = word.add(1);
        }
    }
}

/// How many bytes of the stack were in use at most since it was painted, counted from its start.
pub fn stack_high_water() -> usize {
    let top = addr_of!(_stack_start) as usize;
    let mut word = addr_of!(__sheap);
    // SAFETY: between the static data and the stack's start is the stack: readable, in words.
    while (word as usize) < top && unsafe { word.read_volatile() } == PAINT {
        word = word.wrapping_add(1);
    }
    top - word as usize
}
