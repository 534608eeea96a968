//! The rows of `components`: what is called, of which guest, and how often.

use anyhow::Result;
use std::sync::LazyLock;

/// Does something `n` times, and returns a checksum.
pub type Calls = Box<dyn FnMut(u32) -> Result<u64>>;

/// Sixteen bytes of text.
pub const TEXT: &str = "sixteen letters.";

/// 1 MiB, of which rows take what they need.
pub static BYTES: LazyLock<Vec<u8>> = LazyLock::new(|| (0..=255).cycle().take(1 << 20).collect());

/// A hundred, each with a text of eight letters.
pub static TUPLES: LazyLock<Vec<(i32, i32, String)>> = LazyLock::new(|| {
    let tuple = |at: i32| (at, -at, format!("name {at:03}"));
    (0..100).map(tuple).collect()
});

/// What is done `n` times.
#[derive(Clone, Copy, Debug)]
pub enum What {
    AddTyped,
    AddDynamic,
    TextTyped,
    /// So many.
    BytesTyped(usize),
    BytesDynamic(usize),
    TuplesTyped,
    RecordsDynamic,
    /// The guest does it, in a function of this name.
    Run(&'static str),
    GuestResource,
    Instantiate,
    Load,
}

/// A line of the table.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    pub name: &'static str,
    /// Binary or text.
    pub guest: &'static [u8],
    pub what: What,
    /// How often it is done in a sample.
    pub full: u32,
    /// How often to see that it works.
    pub quick: u32,
}

impl Row {
    /// Whether the engines do the same work: where wasmtime compiles, they don't.
    pub fn comparable(&self) -> bool {
        !matches!(self.what, What::Load)
    }
}

/// A command of WASI's as cargo builds it.
pub const COMMAND: &[u8] = include_bytes!("../../../tests/guests/rust-command.wasm");

const VALUES: &[u8] = include_bytes!("../../workloads/components/values.wat");
const IMPORTS: &[u8] = include_bytes!("../../workloads/components/imports.wat");
const NESTED: &[u8] = include_bytes!("../../workloads/components/nested.wat");
const RESOURCES: &[u8] = include_bytes!("../../workloads/components/resources.wat");
const DEPOT: &[u8] = include_bytes!("../../../tests/guests/rust-depot.wasm");

macro_rules! rows {
    ($($name:literal $guest:ident $what:expr, $full:literal $quick:literal;)*) => {
        /// In the order of the table.
        pub const ALL: &[Row] = &[$(Row {
            name: $name,
            guest: $guest,
            what: $what,
            full: $full,
            quick: $quick,
        }),*];
    };
}

rows! {
    "add" VALUES What::AddTyped, 100_000 100;
    "add-dynamic" VALUES What::AddDynamic, 100_000 100;
    "text" VALUES What::TextTyped, 50_000 100;
    "bytes" VALUES What::BytesTyped(64 << 10), 1_000 3;
    "bytes-1m" VALUES What::BytesTyped(1 << 20), 50 3;
    "bytes-dynamic" VALUES What::BytesDynamic(64 << 10), 50 3;
    "tuples" VALUES What::TuplesTyped, 1_000 3;
    "records-dynamic" VALUES What::RecordsDynamic, 300 3;
    "import" IMPORTS What::Run("steps"), 200_000 100;
    "import-text" IMPORTS What::Run("sizes"), 100_000 100;
    "nested" NESTED What::Run("adds"), 100_000 100;
    "nested-text" NESTED What::Run("texts"), 50_000 100;
    "guest-resource" RESOURCES What::GuestResource, 20_000 100;
    "host-resource" RESOURCES What::Run("cells"), 50_000 100;
    "instantiate" VALUES What::Instantiate, 500 3;
    "instantiate-rust" DEPOT What::Instantiate, 200 3;
    "load" DEPOT What::Load, 1 1;
}

/// Their names.
pub fn names() -> impl Iterator<Item = &'static str> {
    ALL.iter().map(|row| row.name)
}
