//! What a guest of a batch has in its memories: laid out before a call, read after it.
//!
//! `tests/canonical-abi/reference.py` has a guest of the same behaviour.

use serde_json::Value;
use std::sync::LazyLock;

/// Bytes of the memory for values: a page.
pub const MEMORY: usize = 65536;
/// Core values that the guest passes or returns, eight bytes each.
pub const SENT: usize = 0;
/// Core values that it was passed or returned.
pub const RECEIVED: usize = 256;
/// Where the next room begins.
pub const NEXT: usize = 512;
/// How often `realloc` was called.
pub const CALLS: usize = 516;
/// Whether a call of `realloc` misbehaves: not, by what it returns, or by a trap.
pub const QUIRK_MODE: usize = 520;
/// Which call.
pub const QUIRK_AT: usize = 524;
/// What it returns, in eight bytes.
pub const QUIRK_VALUE: usize = 528;
/// How many borrows it drops before it returns.
pub const DROPS: usize = 536;
/// The arguments of every call of `realloc`, eight bytes each.
pub const LOG: usize = 1024;
/// Bytes of one call's.
pub const LOG_ENTRY: usize = 32;
/// Calls for which there is room; one more traps.
pub const LOGGED_CALLS: usize = 800;
/// The indexes of the borrows that it drops.
pub const DROPPED: usize = LOG + LOG_ENTRY * LOGGED_CALLS;
/// For as many there is room; a guest that is lent more drops none.
pub const DROPPED_HANDLES: usize = 2000;
/// Bytes of the memory beside.
pub const SIDE: usize = DROPPED + 4 * DROPPED_HANDLES;

/// What memories hold before anything is stored, from a place on that differs between cases.
fn pattern(shift: usize) -> &'static [u8] {
    static PATTERN: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let mut state = 0x2545_f491u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        (0..2 * MEMORY).map(|_| next()).collect()
    });
    &PATTERN[shift..shift + MEMORY]
}

fn numbers(list: &Value) -> Vec<u64> {
    let list = list.as_array().expect("a list of numbers");
    let number = |value: &Value| value.as_u64().expect("a number");
    list.iter().map(number).collect()
}

fn word(side: &[u8], at: usize) -> u32 {
    let bytes = side[at..at + 4].try_into().expect("four bytes");
    u32::from_le_bytes(bytes)
}

fn put(side: &mut [u8], at: usize, value: u32) {
    side[at..at + 4].copy_from_slice(&value.to_le_bytes());
}

fn unhex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks_exact(2);
    let byte = |pair: &[u8]| {
        let pair = std::str::from_utf8(pair).expect("digits");
        u8::from_str_radix(pair, 16).expect("hexadecimal digits")
    };
    digits.map(byte).collect()
}

/// The bytes of the memory that the reference describes as runs over the pattern.
fn memory(state: &Value, shift: usize) -> Vec<u8> {
    let mut memory = pattern(shift).to_vec();
    for run in state["memory"].as_array().expect("runs of bytes") {
        let at = run[0].as_u64().expect("an address") as usize;
        let bytes = unhex(run[1].as_str().expect("bytes"));
        memory[at..at + bytes.len()].copy_from_slice(&bytes);
    }
    memory
}

/// Both memories of a guest before a call, one after the other.
pub fn image(guest: &Value, quirk: &Value, shift: usize) -> Vec<u8> {
    let before = &guest["before"];
    let mut bytes = memory(before, shift);
    bytes.resize(MEMORY + SIDE, 0);
    let side = &mut bytes[MEMORY..];
    for (at, flat) in numbers(&guest["flats"]).into_iter().enumerate() {
        let at = SENT + 8 * at;
        side[at..at + 8].copy_from_slice(&flat.to_le_bytes());
    }
    put(
        side,
        NEXT,
        before["next"].as_u64().expect("an address") as u32,
    );
    if guest["drops"].is_array() {
        let drops = numbers(&guest["drops"]);
        put(side, DROPS, drops.len() as u32);
        for (at, index) in drops.into_iter().enumerate() {
            put(side, DROPPED + 4 * at, index as u32);
        }
    }
    if let Some(call) = quirk[0].as_u64() {
        put(side, QUIRK_AT, call as u32);
        let value = quirk[1].as_u64();
        put(side, QUIRK_MODE, if value.is_some() { 1 } else { 2 });
        let value = value.unwrap_or(0).to_le_bytes();
        side[QUIRK_VALUE..QUIRK_VALUE + 8].copy_from_slice(&value);
    }
    bytes
}

/// How both memories of a guest after a call differ from what the reference came to.
pub fn difference(dump: &[u8], after: &Value, received: &Value, shift: usize) -> Option<String> {
    let (found, side) = dump.split_at(MEMORY);
    let calls = word(side, CALLS) as usize;
    let wide = |at: usize| u64::from(word(side, at)) | u64::from(word(side, at + 4)) << 32;
    let call = |at: usize| [0, 8, 16, 24].map(|part| wide(LOG + LOG_ENTRY * at + part));
    let log: Vec<[u64; 4]> = (0..calls).map(call).collect();
    let expected: Vec<Vec<u64>> = after["log"]
        .as_array()
        .expect("a log")
        .iter()
        .map(numbers)
        .collect();
    let same = |(ours, theirs): (&[u64; 4], &Vec<u64>)| ours[..] == theirs[..];
    if log.len() != expected.len() || !log.iter().zip(&expected).all(same) {
        return Some(format!("realloc was called with {log:?}, not {expected:?}"));
    }
    let expected = numbers(received);
    let flats = (0..expected.len()).map(|at| wide(RECEIVED + 8 * at));
    let flats: Vec<u64> = flats.collect();
    if flats != expected {
        return Some(format!("core values {flats:x?} arrived, not {expected:x?}"));
    }
    let expected = memory(after, shift);
    let at = (0..MEMORY).find(|at| found[*at] != expected[*at])?;
    let until = (at + 16).min(MEMORY);
    Some(format!(
        "at {at} the memory holds {:02x?}, not {:02x?}",
        &found[at..until],
        &expected[at..until]
    ))
}
