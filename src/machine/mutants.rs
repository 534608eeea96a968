//! Code that nobody made on purpose: what `code::verify` lets pass has to be safe to run.
//!
//! Random instructions in a row, of which random words are changed; what is verified runs, with every
//! instruction that could go on for ever made to charge fuel. Whatever it does, nothing may panic and
//! nothing outside the store may be touched, which the address sanitizer sees better than a test does.
//!
//! With a sanitizer in them not all handlers end in sibling calls, so that the native stack has to be large:
//!
//! ```sh
//! RUST_MIN_STACK=8589934592 CELLULE_MUTANTS=1000000 RUSTFLAGS=-Zsanitizer=address cargo +nightly test --release \
//!     --features extra-checks --target x86_64-unknown-linux-gnu --lib mutants -- --nocapture
//! ```
//!
//! `CELLULE_MUTANTS` is how many verified programs run, `CELLULE_SEED` makes it other ones.

use super::Thread;
use super::driver::{Event, resume};
use super::guard::{host_returned, store_of};
use super::vectors;
use crate::code::forged::{self, FRAME, IMPORTED_FUNCS, ty};
use crate::code::operands::{Ext, length};
use crate::code::{self, COUNT, HEADER_WORDS, Op, Tier, info, op, op_of, verify, word};
use crate::error::Trap;
use crate::store::StoreInner;
use alloc::boxed::Box;
use alloc::vec::Vec;

/// Programs that run if nobody says how many.
const USUAL: u64 = 3_000;
/// Fuel for one of them.
const FUEL: i64 = 5_000;
/// The functions of a program.
const FUNCTIONS: u64 = 3;

struct Random {
    numbers: vectors::Random,
    /// Every instruction's number.
    ops: Vec<Op>,
}

impl Random {
    fn new(seed: u64) -> Random {
        Random {
            numbers: vectors::Random(seed | 1 << 40),
            ops: code::all().collect(),
        }
    }
    /// Some instruction; of those on vectors, where there are any, as often as of the others.
    fn op(&mut self) -> Op {
        let (all, scalar) = (self.ops.len() as u64, COUNT as u64);
        let at = match self.below(2) {
            0 if all > scalar => scalar + self.below(all - scalar),
            _ => self.below(scalar),
        };
        self.ops[at as usize]
    }
    fn next(&mut self) -> u64 {
        // Its low bits alone would show how it is made.
        self.numbers.next().wrapping_mul(0x2545_f491_4f6c_dd1d)
    }
    fn below(&mut self, most: u64) -> u64 {
        (self.next() >> 32) % most
    }
}

/// A function of random instructions that are in order by themselves, and one that returns.
fn program(random: &mut Random, ty: u32) -> Vec<u64> {
    let mut words = Vec::new();
    for _ in 0..2 + random.below(12) {
        let op = random.op();
        let info = info(op).expect("an instruction");
        // Most of those that end a function are refused where it has another type.
        let leaves = info.name.starts_with("ret") && random.below(16) > 0;
        let absent =
            info.tier == Tier::Internal || info.tier == Tier::Fast && cfg!(not(feature = "fast"));
        if leaves || absent {
            continue;
        }
        let (from, callee) = (random.below(8) as u16, random.below(FUNCTIONS) as u32);
        words.extend(forged::instruction(op, from, callee).into_iter().flatten());
    }
    words.push(match ty {
        ty::NOTHING => word(op::Ret, 0, 0, 0),
        ty::ONE_RESULT => word(op::RetS, random.below(FRAME.into()) as u16, 0, 0),
        ty::TWO_RESULTS => word(op::RetSpan, 0, 2, 0),
        _ => word(op::RetSpan, 0, 3, 0),
    });
    words
}

/// Changes a word: some bits, a field, an opcode, or what another word has.
fn mutate(random: &mut Random, code: &mut [u64]) {
    let len = code.len() as u64;
    let at = random.below(len) as usize;
    let old = u64::from_le(code[at]);
    let small = |random: &mut Random| match random.below(4) {
        0 => random.below(4),
        1 => u64::from(FRAME) - 2 + random.below(4),
        2 => random.below(u64::from(FRAME)),
        _ => random.next() & 0xffff,
    };
    let new = match random.below(6) {
        0 => old ^ 1 << random.below(64),
        1 => {
            let shift = 16 * random.below(4);
            old & !(0xffff << shift) | small(random) << shift
        }
        2 => old & !0xffff | (u64::from(random.op()) + random.below(2)),
        3 => u64::from_le(code[random.below(len) as usize]),
        // A distance of a branch, or an offset.
        4 => old & !0xffff_ffff | u64::from((random.below(2 * len) as i32 - len as i32) as u32),
        _ => random.next(),
    };
    code[at] = new.to_le();
}

/// Makes whatever goes back or calls take fuel. Not what the verifier is about: a translator that forgot
/// it would make endless programs, not unsafe ones.
fn charge(code: &mut [u64]) {
    let set = |code: &mut [u64], at: usize, word: u64| code[at] = word.to_le();
    // Entering takes one at least; there are no handlers of exceptions.
    let (header, facts) = (u64::from_le(code[0]), u64::from_le(code[1]));
    set(code, 0, header & 0xffff_ffff_ffff);
    set(
        code,
        1,
        facts & !0xffff_ffff | (facts as u32 % 8).max(1) as u64,
    );
    let mut at = HEADER_WORDS;
    while at < code.len() {
        let word = u64::from_le(code[at]);
        let Some(info) = info(op_of(word)) else {
            return;
        };
        let words = length(&info.operands, word);
        let end = at.saturating_add(words as usize).min(code.len());
        let other = match op_of(word) {
            op::Call => op::CallCharge,
            op::ReturnCall => op::ReturnCallCharge,
            op::Br => op::BrCharge,
            op if info.form.starts_with('B') => charged(op),
            op => op,
        };
        set(code, at, word & !0xffff | u64::from(other));
        if matches!(info.operands.ext, Ext::Target | Ext::Targets | Ext::Sig) {
            for ext in at + 1..end {
                let old = u64::from_le(code[ext]);
                set(
                    code,
                    ext,
                    old & 0xffff_ffff | ((old >> 32) % 8).max(1) << 32,
                );
            }
        }
        at = end;
    }
}

/// The form of the same branch that charges.
fn charged(op: Op) -> Op {
    let own = info(op).expect("a branch");
    let found = (0..COUNT as Op).find(|other| {
        let other = info(*other).expect("an instruction");
        other.name == own.name && other.form.starts_with('C') && other.form[1..] == own.form[1..]
    });
    // Comparisons of floats have none: it becomes one of integers.
    found.unwrap_or(op::BrI32Eq::Css)
}

/// The functions of a mutant, if all of them are verified.
fn mutant(random: &mut Random) -> Option<StoreInner> {
    let types: Vec<u32> = (0..FUNCTIONS)
        .map(|func| match func {
            0 => ty::NOTHING,
            _ => random.below(4) as u32,
        })
        .collect();
    let code: Vec<Box<[u64]>> = (0..)
        .zip(&types)
        .map(|(func, ty)| {
            let mut code = forged::function(func, *ty, &program(random, *ty));
            // Every third function stays what it is.
            for _ in 0..random.below(3) {
                mutate(random, &mut code);
            }
            charge(&mut code);
            code
        })
        .collect();
    let mut store = store_of(&types, code);
    let module = &store.instances[0].module;
    for (func, decl) in (0..).zip(&module.funcs) {
        let code = decl.code.get().expect("published");
        verify::function(module, func, code, cfg!(feature = "fast")).ok()?;
    }
    store.fuel = FUEL;
    store.limits.memory_bytes = 4 << 16;
    store.limits.table_elements = 64;
    store.limits.stack_bytes = 16 << 10;
    Some(store)
}

/// Runs it until it ends somehow.
fn run(mut store: StoreInner) -> &'static str {
    let mut thread = Thread::new();
    if thread.start(&mut store, IMPORTED_FUNCS, &[]).is_err() {
        return "no stack";
    }
    let mut event = resume(&mut store, &mut thread);
    for _ in 0..FUEL {
        match host_returned(&mut store, &mut thread, event) {
            Ok(next) => event = next,
            Err(end) => return name(&end),
        }
    }
    "many calls of the host"
}

fn name(end: &Event) -> &'static str {
    match end {
        Event::Done => "done",
        Event::OutOfFuel => "out of fuel",
        Event::Trap(Trap::MemoryOutOfBounds) => "out of bounds",
        Event::Trap(_) => "another trap",
        Event::Thrown => "thrown",
        _ => panic!("{end:?}"),
    }
}

#[test]
fn mutants_that_are_verified_run_or_end_in_an_error() {
    let number = |name: &str| Some(std::env::var(name).ok()?.parse().expect("a number"));
    let wanted = number("CELLULE_MUTANTS").unwrap_or(USUAL);
    let mut random = Random::new(number("CELLULE_SEED").unwrap_or(1));
    let (mut ends, mut tried) = (alloc::collections::BTreeMap::new(), 0u64);
    let mut ran = 0;
    while ran < wanted {
        tried += 1;
        if let Some(store) = mutant(&mut random) {
            ran += 1;
            *ends.entry(run(store)).or_insert(0u64) += 1;
        }
    }
    std::println!("{ran} of {tried} mutants were verified and ran: {ends:?}");
    // It shows something only if many are refused, many aren't, and those come to different ends.
    assert!(
        tried > wanted + wanted / 4 && tried < 20 * wanted,
        "{ran} of {tried}"
    );
    assert!(ends.len() >= 4 && ends.contains_key("done"), "{ends:?}");
}
