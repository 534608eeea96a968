//! A stack for a microcontroller: without this the linker gives the guest a megabyte.

fn main() {
    println!("cargo:rustc-link-arg=-zstack-size=8192");
    println!("cargo:rerun-if-changed=build.rs");
}
