//! What the firmware examples share: a heap that counts, stack that is painted, output and the end.
//!
//! Output goes by semihosting, but on x86-64, where it goes to the first serial port.
//! Assumes one core, no allocation in interrupts, and a linker script that defines `__sheap` (end of static data)
//! and `_stack_start`, between which lies nothing but the stack.
#![no_std]

#[cfg_attr(target_arch = "x86_64", path = "serial.rs")]
#[cfg_attr(not(target_arch = "x86_64"), path = "semihosted.rs")]
mod console;
mod heap;
mod stack;

pub use console::{exit, write};
pub use heap::CountingHeap;

/// Prints a line.
#[macro_export]
macro_rules! println {
    ($($args:tt)*) => { $crate::write(format_args!("{}\n", format_args!($($args)*))) };
}

/// Bytes of RAM: what was used at most, or what may be.
#[derive(Clone, Copy)]
pub struct Ram {
    pub heap: usize,
    pub stack: usize,
}

/// Does all of `work`, prints what RAM it needed and compares it with what it may need.
///
/// The answer is `None` if it needed more.
#[inline(never)]
pub fn measure<R, const WORDS: usize>(
    heap: &CountingHeap<WORDS>,
    step: &str,
    bound: Ram,
    work: impl FnOnce() -> R,
) -> Option<R> {
    heap.restart();
    stack::paint();
    let result = work();
    let used = Ram {
        heap: heap.high_water(),
        stack: stack::high_water(),
    };
    println!(
        "{step}: heap {} of {}, stack {} of {}",
        used.heap, bound.heap, used.stack, bound.stack
    );
    if used.heap > bound.heap || used.stack > bound.stack {
        println!("{step}: more RAM than it may use");
        return None;
    }
    Some(result)
}
