//! The ports of a driver: those that it was granted, and no other.

use core::arch::asm;
use core::ops::RangeInclusive;

/// Ports that a driver was granted.
pub struct Ports {
    granted: RangeInclusive<u16>,
}

impl Ports {
    /// Those of the clock: its index and its data.
    pub fn of_clock() -> Ports {
        Ports {
            granted: 0x70..=0x71,
        }
    }

    /// Reads a port, if it is granted.
    pub fn read(&self, port: u16) -> Option<u8> {
        self.granted.contains(&port).then(|| {
            let value;
            // SAFETY: a granted port is the clock's, which reaches no memory.
            unsafe { asm!("in al, dx", in("dx") port, out("al") value, options(nomem, nostack)) };
            value
        })
    }

    /// Writes a port, if it is granted.
    pub fn write(&self, port: u16, value: u8) -> Option<()> {
        self.granted.contains(&port).then(|| {
            // SAFETY: as above; what the clock is told can stop the clock, not the kernel.
            unsafe { asm!("out dx, al", in("dx") port, in("al") value, options(nomem, nostack)) };
        })
    }
}
