//! Output and the end by semihosting: a debugger or QEMU takes both.

use core::fmt;
use semihosting::process;

/// Writes to the debugger's console.
pub fn write(text: fmt::Arguments<'_>) {
    semihosting::print!("{text}");
}

/// Ends the program: QEMU exits with 0 if all went well, else with 1.
pub fn exit(good: bool) -> ! {
    process::exit(i32::from(!good))
}
