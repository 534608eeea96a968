//! An allocator that counts what each thread asks it for, and has nothing left when it is told so: for tests of what a
//! call allocates, and what it does where it can't. A test that uses it makes it its `#[global_allocator]`.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::ptr::null_mut;

/// The system's allocator, counting.
pub struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
    static BYTES: Cell<u64> = const { Cell::new(0) };
    static LIVE: Cell<i64> = const { Cell::new(0) };
    /// How many allocations are still granted, if one is to fail; past it all are again.
    static GRANTED: Cell<Option<u64>> = const { Cell::new(None) };
}

/// Whether an allocation is granted.
fn granted() -> bool {
    let left = GRANTED.try_with(Cell::get).unwrap_or(None);
    if let Some(left) = left {
        GRANTED.set(left.checked_sub(1));
    }
    left != Some(0)
}

fn count(bytes: usize, given_back: usize) {
    // At a thread's end there is no counter any more, and nobody who reads it.
    let _ = ALLOCATIONS.try_with(|counter| counter.set(counter.get() + 1));
    let _ = BYTES.try_with(|counter| counter.set(counter.get() + bytes as u64));
    live(bytes as i64 - given_back as i64);
}

fn live(change: i64) {
    let _ = LIVE.try_with(|counter| counter.set(counter.get() + change));
}

// SAFETY: every call is passed on to the system's allocator unchanged, or fails, which an allocator may.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if !granted() {
            return null_mut();
        }
        count(layout.size(), 0);
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if !granted() {
            return null_mut();
        }
        count(layout.size(), 0);
        // SAFETY: the caller keeps the contract of `alloc_zeroed`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if !granted() {
            return null_mut();
        }
        count(size, layout.size());
        // SAFETY: the caller keeps the contract of `realloc`.
        unsafe { System.realloc(ptr, layout, size) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        live(-(layout.size() as i64));
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(ptr, layout) }
    }
}

/// How many allocations this thread makes in it.
pub fn allocations<R>(run: impl FnOnce() -> R) -> (R, u64) {
    let before = ALLOCATIONS.get();
    let result = run();
    (result, ALLOCATIONS.get() - before)
}

/// How many bytes this thread asks for in it, whether it gives them back or not.
pub fn allocated<R>(run: impl FnOnce() -> R) -> (R, u64) {
    let before = BYTES.get();
    let result = run();
    (result, BYTES.get() - before)
}

/// How many bytes this thread has asked for and not given back.
pub fn held() -> i64 {
    LIVE.get()
}

/// Lets the allocation fail that follows `granted` others of this thread; whether there was one.
pub fn failing<R>(granted: u64, run: impl FnOnce() -> R) -> (R, bool) {
    GRANTED.set(Some(granted));
    let result = run();
    (result, GRANTED.take().is_none())
}

/// Grants whatever is asked for meanwhile, and doesn't count it: for what the test itself does within [`failing`].
pub fn granting<R>(run: impl FnOnce() -> R) -> R {
    let granted = GRANTED.take();
    let result = run();
    GRANTED.set(granted);
    result
}
