//! A heap that remembers the most that was in use.

use core::alloc::{GlobalAlloc, Layout};
use core::cell::UnsafeCell;
use core::mem::MaybeUninit;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use embedded_alloc::LlffHeap;

/// A heap of so many words of eight bytes.
pub struct CountingHeap<const WORDS: usize> {
    heap: LlffHeap,
    high: AtomicUsize,
    memory: UnsafeCell<[MaybeUninit<u64>; WORDS]>,
}

// SAFETY: `memory` is touched through `heap` alone, which locks; the mark is atomic.
unsafe impl<const WORDS: usize> Sync for CountingHeap<WORDS> {}

impl<const WORDS: usize> CountingHeap<WORDS> {
    #[allow(clippy::new_without_default)] // Only a `static` makes sense.
    pub const fn new() -> Self {
        CountingHeap {
            heap: LlffHeap::empty(),
            high: AtomicUsize::new(0),
            memory: UnsafeCell::new([MaybeUninit::uninit(); WORDS]),
        }
    }

    /// Gives the heap its memory, once, before anything allocates.
    ///
    /// # Panics
    /// When called again.
    pub fn init(&'static self) {
        // SAFETY: the memory is this heap's own, lives for ever, and the heap is given it once: the
        // inner heap panics otherwise.
        unsafe { self.heap.init(self.memory.get() as usize, WORDS * 8) }
    }

    /// The most that was in use since the last `restart`, with what the allocator rounds up.
    pub fn high_water(&self) -> usize {
        self.high.load(Relaxed)
    }

    /// From now on the high-water mark is a new one.
    pub fn restart(&self) {
        self.high.store(self.heap.used(), Relaxed);
    }
}

// SAFETY: every call goes to the inner allocator unchanged; only the mark is added.
unsafe impl<const WORDS: usize> GlobalAlloc for CountingHeap<WORDS> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise, passed on.
        let memory = unsafe { self.heap.alloc(layout) };
        self.high
            .store(self.high_water().max(self.heap.used()), Relaxed);
        memory
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise, passed on.
        unsafe { self.heap.dealloc(memory, layout) }
    }
}
