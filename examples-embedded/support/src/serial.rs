//! Output by the first serial port of a PC, the end by QEMU's device `isa-debug-exit` at port 0xf4.

use core::arch::asm;
use core::fmt::{self, Write};
use core::panic::PanicInfo;

/// The serial port's data, and what tells whether it takes more.
const DATA: u16 = 0x3f8;
const STATUS: u16 = DATA + 5;
const EMPTY: u8 = 1 << 5;

/// QEMU exits with twice this and one: 33.
const GOOD: u8 = 16;
const BAD: u8 = 0;

/// Nothing interrupts: the kernel leaves interrupts off.
struct NoInterrupts;
critical_section::set_impl!(NoInterrupts);

// SAFETY: one core, and no interrupt ever, so every section is critical.
unsafe impl critical_section::Impl for NoInterrupts {
    unsafe fn acquire() -> critical_section::RawRestoreState {}
    unsafe fn release(_: critical_section::RawRestoreState) {}
}

struct Serial;

impl Write for Serial {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            while port_in(STATUS) & EMPTY == 0 {}
            port_out(DATA, byte);
        }
        Ok(())
    }
}

/// Reads a port.
fn port_in(port: u16) -> u8 {
    let value;
    // SAFETY: only the two ports of the serial line are read, which changes no memory.
    unsafe { asm!("in al, dx", in("dx") port, out("al") value, options(nomem, nostack)) };
    value
}

/// Writes a port.
fn port_out(port: u16, value: u8) {
    // SAFETY: only the serial line and the exit device are written, which changes no memory.
    unsafe { asm!("out dx, al", in("dx") port, in("al") value, options(nomem, nostack)) };
}

/// Writes to the serial line.
pub fn write(text: fmt::Arguments<'_>) {
    // The serial line never refuses.
    let _ = Serial.write_fmt(text);
}

/// Ends the machine: QEMU exits with 33 if all went well, else with 1.
pub fn exit(good: bool) -> ! {
    port_out(0xf4, if good { GOOD } else { BAD });
    loop {
        // SAFETY: stops the processor, if there is no such device.
        unsafe { asm!("hlt", options(nomem, nostack)) };
    }
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    crate::println!("{info}");
    exit(false)
}
