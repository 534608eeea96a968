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
    "fib" ".wat" 30 15;
    "queens" ".wasm" 12 5;
    "chain" ".wat" 2_600 1;
    "small" ".wasm" 100_000 100;
    "indirect" ".wat" 1_000_000 10_000;
    "objects" ".wasm" 300 1;
    "bytecode" ".wasm" 600 10;
    "lisp" ".wasm" 50 1;
    "collatz" ".wat" 50_000 1_000;
    "sieve" ".wat" 3 1;
    "sort" ".wasm" 150_000 1_000;
    "life" ".wasm" 50 1;
    "distance" ".wasm" 20 1;
    "globals" ".wat" 500_000 1_000;
    "copies" ".wat" 20_000 10;
    "alloc" ".wasm" 300 1;
    "lz" ".wasm" 8 1;
    "json" ".wasm" 25 1;
    "strings" ".wasm" 3 1;
    "scan" ".wasm" 25 1;
    "sha256" ".wasm" 8_000 100;
    "chacha" ".wasm" 250 1;
    "xxh64" ".wasm" 600 2;
    "keccak" ".wasm" 1_500 10;
    "bignum" ".wasm" 100 1;
    "nbody" ".wasm" 30_000 500;
    "lu" ".wasm" 180 1;
    "mandelbrot" ".wasm" 250 20;
    "matmul" ".wasm" 120 10;
    "fft" ".wasm" 80 1;
}

/// Their names.
pub fn names() -> impl Iterator<Item = &'static str> {
    ALL.iter().map(|workload| workload.name)
}
