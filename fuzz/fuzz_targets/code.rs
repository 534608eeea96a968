//! A fuzzer's bytes become a module, whose translated code has to survive verifying, disassembling and assembling.
#![no_main]

use cellule_fuzz::case::Case;
use cellule_fuzz::code::assemble::Assembler;
use cellule_fuzz::code::{Counts, module};
use std::sync::LazyLock;

static ASSEMBLER: LazyLock<Assembler> = LazyLock::new(Assembler::new);

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some((seed, bytes)) = data.split_first_chunk::<8>() else {
        return;
    };
    if let Some(case) = Case::of_bytes(u64::from_le_bytes(*seed), bytes) {
        let checked = module(&ASSEMBLER, &case, 4, &mut Counts::default());
        assert!(checked.is_ok(), "{checked:?}");
    }
});
