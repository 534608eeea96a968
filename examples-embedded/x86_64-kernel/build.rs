//! Makes the driver's binary of its text, and says where the linker script is.

use std::path::PathBuf;
use std::{env, fs};

fn main() {
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let driver = wat::parse_file("driver.wat").unwrap_or_else(|error| panic!("{error}"));
    fs::write(out.join("driver.wasm"), driver).expect("OUT_DIR can be written");
    fs::write(out.join("kernel.x"), include_bytes!("kernel.x")).expect("OUT_DIR can be written");
    println!("cargo:rustc-link-search={}", out.display());
    println!("cargo:rerun-if-changed=driver.wat");
    println!("cargo:rerun-if-changed=kernel.x");
}
