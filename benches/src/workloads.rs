//! The workloads of `core`: the modules, and how much of each is run.

/// A module that exports `run(n: i32) -> i64`, which works `n` times as long and returns a checksum.
#[derive(Clone, Copy, Debug)]
pub struct Workload {
    pub name: &'static str,
    /// Binary or text.
    pub module: &'static [u8],
    /// `n` of a measured call.
    pub full: i32,
    /// `n` of a call that only shows that it works.
    pub quick: i32,
}

macro_rules! workloads {
    ($($name:literal $extension:literal $full:literal $quick:literal;)*) => {
        /// In the order of the table.
        pub const ALL: &[Workload] = &[$(Workload {
            name: $name,
            module: include_bytes!(concat!("../workloads/", $name, $extension)),
            full: $full,
            quick: $quick,
        }),*];
    };
}

workloads! {
    "fib" ".wat" 33 15;
    "collatz" ".wat" 150_000 1_000;
    "sieve" ".wat" 8 1;
    "indirect" ".wat" 4_000_000 10_000;
    "copies" ".wat" 60_000 10;
    "bytecode" ".wasm" 2_000 10;
    "sort" ".wasm" 600_000 1_000;
    "sha256" ".wasm" 30_000 100;
    "xxh64" ".wasm" 2_000 2;
    "nbody" ".wasm" 120_000 500;
    "mandelbrot" ".wasm" 500 20;
    "matmul" ".wasm" 200 10;
    "scan" ".wasm" 100 1;
}

/// Their names.
pub fn names() -> impl Iterator<Item = &'static str> {
    ALL.iter().map(|workload| workload.name)
}
