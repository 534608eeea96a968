//! A fuzzer's bytes become a module, which cellule and wasmtime have to agree about.
#![no_main]

use cellule_fuzz::case::Case;
use cellule_fuzz::judge::describe;
use cellule_fuzz::on_cellule::Options;
use cellule_fuzz::outcome::Verdict;
use cellule_fuzz::{on_wasmtime, smith, workers};
use std::sync::LazyLock;

static ENGINE: LazyLock<wasmtime::Engine> =
    LazyLock::new(|| on_wasmtime::engine().expect("the configuration is supported"));

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some((seed, bytes)) = data.split_first_chunk::<8>() else {
        return;
    };
    let seed = u64::from_le_bytes(*seed);
    workers::alone(|| {
        if let Some(case) = Case::of_bytes(seed, bytes) {
            let judged = smith::judge(&case, &Options::random(seed), &ENGINE);
            let (a, b) = (describe(&judged.cellule), describe(&judged.wasmtime));
            assert!(
                judged.verdict != Verdict::Different,
                "cellule:\n{a}\nwasmtime:\n{b}"
            );
        }
    });
});
