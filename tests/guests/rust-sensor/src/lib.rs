//! A guest for a small device: reads channels through the host and sums them up.
#![no_std]

extern crate alloc;

use alloc::format;
use alloc::string::String;

wit_bindgen::generate!({
    path: "../wit/sensor.wit",
    world: "sensor",
    std_feature,
});

#[global_allocator]
static HEAP: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}

struct Sensor;

impl Guest for Sensor {
    fn sample(label: String, count: u32) -> String {
        let (mut sum, mut good) = (0.0f32, 0u32);
        for channel in 0..count {
            match read(channel) {
                Ok(value) => {
                    report(&format!("{label} channel {channel}: {value:.2}"));
                    sum += value;
                    good += 1;
                }
                Err(why) => report(&format!("{label} channel {channel}: {why}")),
            }
        }
        match good {
            0 => format!("{label}: no reading"),
            _ => format!("{label}: mean {:.3} of {good} readings", sum / good as f32),
        }
    }
}

export!(Sensor);
