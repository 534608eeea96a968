//! Every instruction of the table against the specification: at least a hundred operands each.
//!
//! What is expected comes from `spec.rs` and `float.rs`, which share nothing with the machine, the
//! translator or `numeric.rs`. Code is written word by word, as in the guard, and what a form reads and writes
//! follows from its letters alone. A new row or letter that these files don't know fails a test. Instructions
//! on vectors have a table of their own and are not among these.

mod float;
#[cfg(feature = "fast")]
mod fused;
mod singles;
mod spec;

use super::Thread;
use super::driver::{Event, resume};
use super::guard::store_with;
use crate::code::forged::{self, ty};
use crate::code::{COUNT, Info, MEMORY64, Op, Tier, info, op, word, word_u32};
use crate::error::Trap;
use crate::store::StoreInner;
use alloc::vec::Vec;
use spec::{Kind, Outcome};

/// Operands that an instruction is to have at least.
const LEAST: usize = 100;

/// Slots of operands; results lie above.
const X: u16 = 0;
const Y: u16 = 1;
const RESULTS: u16 = 8;

const RET: u64 = word(op::Ret, 0, 0, 0);

/// What became of a run, and what it left behind.
struct Left {
    event: Event,
    store: StoreInner,
    slots: Vec<u64>,
}

/// Runs `words` as a function with so many slots.
fn run(words: &[u64], frame: u16) -> Left {
    run_in(store_with(frame, &[(ty::NOTHING, words.to_vec())]))
}

fn run_in(mut store: StoreInner) -> Left {
    let mut thread = Thread::new();
    let start = forged::IMPORTED_FUNCS;
    let started = thread.start(&mut store, start, &[]);
    started.expect("there is room for a frame");
    let event = resume(&mut store, &mut thread);
    // The base frame's slot 0 follows its linkage.
    let slots = thread.stack.get(2..).unwrap_or_default().to_vec();
    Left {
        event,
        store,
        slots,
    }
}

/// Instructions of a family that this build executes.
fn family(known: impl Fn(&Info) -> bool) -> Vec<(Op, &'static Info)> {
    let all = (0..COUNT as Op).filter_map(|op| Some((op, info(op)?)));
    all.filter(|(_, info)| is_compiled(info) && !info.form.is_empty() && known(info))
        .collect()
}

fn is_compiled(info: &Info) -> bool {
    cfg!(feature = "fast") || info.tier != Tier::Fast
}

fn letters(info: &Info) -> [char; 3] {
    let mut letters = info.form.chars();
    [(); 3].map(|()| letters.next().unwrap_or(' '))
}

/// Puts a value where a letter says that it is read.
fn place(code: &mut Vec<u64>, letter: char, slot: u16, value: u64, kind: Kind) {
    if matches!(letter, 'i' | 'j' | 'k') {
        return;
    }
    code.extend([word(op::ConstWide, slot, 0, 0), value]);
    let register = match (letter, kind) {
        ('s', _) => return,
        ('r', Kind::F32) => op::MovFs,
        ('r', Kind::F64) => op::MovDs,
        ('r', _) => op::MovRs,
        ('p', _) => op::MovPs,
        _ => panic!("no operand is read from `{letter}`"),
    };
    code.push(word(register, 0, slot, 0));
    // What is in the register now is nowhere else.
    code.extend([word(op::ConstWide, slot, 0, 0), !value]);
}

/// An operand's field.
fn field(letter: char, slot: u16, value: u64) -> u16 {
    match letter {
        'i' => value as u16,
        's' => slot,
        _ => 0,
    }
}

/// An instruction over two operands, with its second word if it holds an operand.
fn over(op: Op, a: u16, [x_letter, y_letter]: [char; 2], (x, y): (u64, u64)) -> (u64, Option<u64>) {
    let (b, c) = (field(x_letter, X, x), field(y_letter, Y, y));
    match (x_letter, y_letter) {
        ('k', _) => (word(op, a, b, c), Some(x)),
        (_, 'k') => (word(op, a, b, c), Some(y)),
        (_, 'j') => (word_u32(op, b, y as u32), None),
        _ => (word(op, a, b, c), None),
    }
}

/// Fetches a register's value into a slot, if a letter says that a result went there.
fn fetch(code: &mut Vec<u64>, letter: char, slot: u16, kind: Kind) -> bool {
    let register = match (letter, kind) {
        ('S', _) => return false,
        ('R' | 'T', Kind::F32) => op::MovSf,
        ('R' | 'T', Kind::F64) => op::MovSd,
        ('R' | 'T', _) => op::MovSr,
        ('P', _) => {
            code.push(word(op::I64Add::Rpi, 0, 0, 0));
            op::MovSr
        }
        _ => panic!("no result goes to `{letter}`"),
    };
    code.push(word(register, slot, 0, 0));
    true
}

/// Numbers that look random, the same every time.
pub(super) struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

/// Values of a kind whose neighbours behave differently. Those of 32 bits come with other bits above.
fn edges(kind: Kind) -> Vec<u64> {
    let above = 0xa5a5_5a5a_0000_0000;
    let i32s = [
        0,
        1,
        2,
        7,
        31,
        32,
        33,
        0x7f,
        0x80,
        0x8000,
        0xffff,
        0x7fff_ffff,
        0x8000_0000,
    ]
    .into_iter()
    .chain([0x8000_0001, 0xffff_fffe, 0xffff_ffff, 0x5555_5555]);
    let floats = |format: float::Format| {
        let one = (
            ((1u64 << (format.exponent - 1)) - 1) << format.fraction,
            1 << format.fraction,
        );
        let (one, power) = (one.0, one.1);
        let at = move |exponent: u64, fraction: u64| one + exponent * power + fraction;
        let half = power >> 1;
        let positive = [
            0,
            1,
            power - 1,
            power,
            power + 1,
            one - power,
            one - power - 1,
            one,
            one + 1,
            one + half,
            at(1, half >> 1),
            at(30, power - 1),
            at(31, 0),
            at(32, 0),
            at(53, half + 1),
            at(62, power - 1),
            at(63, 0),
            at(64, 0),
            format.infinity() - 1,
            format.infinity(),
            format.nan(),
            format.infinity() + 1,
            format.nan() + 5,
        ];
        let negative = positive.map(|bits| bits | format.sign());
        [positive, negative].concat()
    };
    match kind {
        Kind::I32 => i32s.map(|bits| bits | above).collect(),
        Kind::I64 => i32s
            .chain([
                1 << 32,
                1 << 62,
                (1 << 63) - 1,
                1 << 63,
                (1 << 63) + 1,
                u64::MAX - 1,
            ])
            .chain([u64::MAX, 63, 64, 65])
            .collect(),
        Kind::F32 => floats(float::F32)
            .into_iter()
            .map(|bits| bits | above)
            .collect(),
        Kind::F64 => floats(float::F64),
    }
}

/// Immediates, as a field holds them.
fn immediates() -> Vec<u64> {
    let least = [0, 1, 2, 7, 31, 32, 63, 64, -1, -2, -32, i16::MIN, i16::MAX];
    least.map(|value| i64::from(value) as u64).to_vec()
}

/// The same of 32 bits.
fn wide_immediates() -> Vec<u64> {
    let more = [0x8000, -0x8001, 0x1234_5678, i32::MIN, i32::MAX];
    let mut all = immediates();
    all.extend(more.map(|value| i64::from(value) as u64));
    all
}

/// Operands for each letter; every edge with every other, and others.
fn pairs(kind: Kind, [_, a, b]: [char; 3]) -> Vec<(u64, u64)> {
    let values = |letter: char| match letter {
        'i' => immediates(),
        'j' => wide_immediates(),
        _ => edges(kind),
    };
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let (left, right) = (values(a), values(b));
    let mut pairs: Vec<(u64, u64)> = left
        .iter()
        .flat_map(|x| right.iter().map(|y| (*x, *y)))
        .collect();
    for _ in 0..64 {
        let mut other = |letter: char| match letter {
            'i' => i64::from(random.next() as i16) as u64,
            'j' => i64::from(random.next() as i32) as u64,
            _ => random.next(),
        };
        pairs.push((other(a), other(b)));
    }
    pairs
}

/// Runs one instruction with all its operands: those that trap alone, the others in a row. `unit` appends
/// what one of them needs; results go to the slots that it is given and the one after.
fn check(
    name: &str,
    outcomes: &[(Outcome, u64)],
    unit: impl Fn(&mut Vec<u64>, usize, u16) -> (bool, bool),
) {
    assert!(
        outcomes.len() >= LEAST,
        "{name}: {} operands",
        outcomes.len()
    );
    let (mut code, mut expected) = (Vec::new(), Vec::new());
    for (at, (outcome, mask)) in outcomes.iter().enumerate() {
        match *outcome {
            Ok(value) => {
                let slot = RESULTS + 2 * expected.len() as u16;
                let written = unit(&mut code, at, slot);
                expected.push((at, slot, written, value, *mask));
            }
            Err(trap) => {
                let mut alone = Vec::new();
                unit(&mut alone, at, RESULTS);
                alone.push(RET);
                let event = run(&alone, RESULTS + 2).event;
                assert!(
                    matches!(event, Event::Trap(found) if found == trap),
                    "{name}, operands {at}: {event:?}, not {trap:?}"
                );
            }
        }
    }
    code.push(RET);
    let left = run(&code, RESULTS + 2 * expected.len() as u16);
    assert!(
        matches!(left.event, Event::Done),
        "{name}: {:?}",
        left.event
    );
    for (at, slot, (in_slot, in_register), value, mask) in expected {
        let slots = &left.slots[slot.into()..];
        for (written, found) in [(in_slot, slots[0]), (in_register, slots[1])] {
            assert!(
                !written || found & mask == value & mask,
                "{name}, operands {at}: {found:#x}, not {value:#x}"
            );
        }
        assert!(in_slot || in_register, "{name} writes nothing");
    }
}

#[test]
fn binary_operators_compute_what_the_specification_says() {
    let family = family(|info| spec::binary(info.name, 1, 1).is_some());
    assert!(family.len() > 100, "{}", family.len());
    for (op, info) in family {
        let letters @ [to, a, b] = letters(info);
        let kind = spec::binary(info.name, 1, 1).expect("known").0;
        let operands = pairs(kind, letters);
        let outcomes: Vec<_> = operands
            .iter()
            .map(|(x, y)| spec::binary(info.name, *x, *y).expect("known"))
            .map(|(_, made, outcome)| (outcome, made.mask()))
            .collect();
        let made = spec::binary(info.name, 1, 1).expect("known").1;
        check(&std::format!("{info}"), &outcomes, |code, at, slot| {
            let (x, y) = operands[at];
            place(code, b, Y, y, kind);
            place(code, a, X, x, kind);
            let target = if to == 'R' { 0 } else { slot };
            let (first, second) = over(op, target, [a, b], (x, y));
            code.push(first);
            code.extend(second);
            (to != 'R', fetch(code, to, slot + 1, made))
        });
    }
}

#[test]
fn unary_operators_compute_what_the_specification_says() {
    let family = family(|info| spec::unary(info.name, 1).is_some());
    assert!(family.len() > 50, "{}", family.len());
    for (op, info) in family {
        let [to, a, _] = letters(info);
        let (kind, made, _) = spec::unary(info.name, 1).expect("known");
        let mut random = Random(0x2545_f491_4f6c_dd1d);
        let mut operands = edges(kind);
        operands.extend((0..LEAST).map(|_| random.next()));
        // Of random bits, few are floats of a size that an integer has.
        operands.extend((0..LEAST as u64).map(|at| match kind {
            Kind::F32 => (0x3f00_0000 + (random.next() & 0x2fff_ffff)) | (at & 1) << 31,
            Kind::F64 => (0x3fe0_0000 << 32 | random.next() & 0x05ff_ffff_ffff_ffff) | at << 63,
            _ => random.next() >> (at % 64),
        }));
        let outcomes: Vec<_> = operands
            .iter()
            .map(|x| spec::unary(info.name, *x).expect("known"))
            .map(|(_, made, outcome)| (outcome, made.mask()))
            .collect();
        check(&std::format!("{info}"), &outcomes, |code, at, slot| {
            let x = operands[at];
            place(code, a, X, x, kind);
            let target = if to == 'R' { 0 } else { slot };
            code.push(word(op, target, field(a, X, x), 0));
            (to != 'R', fetch(code, to, slot + 1, made))
        });
    }
}

#[test]
fn branches_are_taken_when_the_specification_says_and_charge_then() {
    const CHARGE: u64 = 3;
    let family = family(|info| spec::branch(info.name, 1, 1).is_some());
    assert!(family.len() > 50, "{}", family.len());
    for (op, info) in family {
        let letters @ [how, a, b] = letters(info);
        assert!(matches!(how, 'B' | 'C'), "{info}");
        let kind = spec::branch(info.name, 1, 1).expect("known").0;
        let operands = pairs(kind, letters);
        let taken = |at: usize| {
            let (x, y) = operands[at];
            spec::branch(info.name, x, y).expect("known").1
        };
        let outcomes: Vec<_> = (0..operands.len())
            .map(|at| (Ok(taken(at).into()), u64::MAX))
            .collect();
        let unit = |code: &mut Vec<u64>, at: usize, slot: u16| {
            let (x, y) = operands[at];
            place(code, b, Y, y, kind);
            place(code, a, X, x, kind);
            let not_taken = [word(op::Const, slot, 0, 0), word(op::Br, 0, 0, 0), 3];
            let (first, _) = over(op, 0, [a, b], (x, y));
            code.extend([first, 5 | CHARGE << 32]);
            code.extend(not_taken);
            code.push(word(op::Const, slot, 1, 0));
            (true, false)
        };
        check(&std::format!("{info}"), &outcomes, unit);

        let mut code = Vec::new();
        for at in 0..operands.len() {
            unit(&mut code, at, RESULTS);
        }
        code.push(RET);
        let before = store_with(RESULTS + 1, &[]).fuel;
        let left = run(&code, RESULTS + 1);
        let entered = 1;
        let times = (0..operands.len()).filter(|at| taken(*at)).count() as i64;
        let charged = if how == 'C' { times * CHARGE as i64 } else { 0 };
        assert_eq!(before - left.store.fuel, entered + charged, "{info}");
    }
}

#[test]
fn a_branch_that_takes_the_last_fuel_is_done_before_it_stops() {
    let known = |info: &Info| spec::branch(info.name, 1, 1).is_some();
    for (op, info) in family(|info| known(info) && info.form.starts_with('C')) {
        let [_, a, b] = letters(info);
        let (kind, _) = spec::branch(info.name, 1, 1).expect("a branch");
        // One of these is taken, whatever the condition.
        let taken = [(0, 0), (0, 1), (1, 0)]
            .into_iter()
            .find(|(x, y)| spec::branch(info.name, *x, *y).expect("known").1);
        let (x, y) = taken.expect("some operands");
        let mut code = Vec::new();
        place(&mut code, b, Y, y, kind);
        place(&mut code, a, X, x, kind);
        code.extend([over(op, 0, [a, b], (x, y)).0, 3 | 5 << 32]);
        code.extend([RET, word(op::Const, RESULTS, 1, 0), RET]);
        let mut store = store_with(RESULTS + 1, &[(ty::NOTHING, code)]);
        // Entering takes one.
        store.fuel = 5;
        let mut thread = Thread::new();
        let started = thread.start(&mut store, forged::IMPORTED_FUNCS, &[]);
        started.expect("there is room for a frame");
        let event = resume(&mut store, &mut thread);
        assert!(matches!(event, Event::OutOfFuel), "{info}: {event:?}");
        assert_eq!(store.fuel, -1, "{info}");
        store.fuel = 10;
        let event = resume(&mut store, &mut thread);
        assert!(matches!(event, Event::Done), "{info}: {event:?}");
        assert_eq!(
            (thread.stack[2 + usize::from(RESULTS)], store.fuel),
            (1, 10)
        );
    }
}

/// Bytes of a memory of one page, no two neighbours the same.
fn pattern() -> Vec<u8> {
    (0..65_536u32)
        .map(|at| (at.wrapping_mul(0x9e37_79b9) >> 23) as u8)
        .collect()
}

/// Addresses, with other bits above them where they have 32, and offsets.
fn places(letters: [char; 3]) -> Vec<(u64, u64, u16)> {
    let addresses = [
        0, 1, 3, 8, 1000, 32_768, 65_527, 65_528, 65_532, 65_534, 65_535, 65_536,
    ]
    .into_iter()
    .chain([0x7fff_ffff, 0xffff_fff8, 0xffff_ffff]);
    let above = 0x1234_5678_0000_0000;
    if letters[0] != 'W' {
        let offsets = [0, 1, 2, 8, 255, 32_767, 32_768, 65_528, 65_535];
        return addresses
            .flat_map(|at| offsets.map(|offset| (at | above, offset, 0)))
            .collect();
    }
    let offsets = [
        0,
        8,
        65_528,
        65_535,
        65_536,
        u64::from(u32::MAX),
        u64::MAX - 7,
        u64::MAX,
    ];
    let narrow = addresses
        .clone()
        .flat_map(|at| offsets.map(|offset| (at | above, offset, 1)));
    let wide = addresses
        .chain([above, 1 << 63, u64::MAX])
        .flat_map(|at| offsets.map(|offset| (at, offset, 2 | MEMORY64)));
    narrow.chain(wide).collect()
}

/// Where an access begins that the memory has room for.
fn in_bounds((address, offset, memory): (u64, u64, u16), size: usize) -> Option<usize> {
    let address = match memory & MEMORY64 {
        0 => u64::from(address as u32),
        _ => address,
    };
    let at = u128::from(address) + u128::from(offset);
    (at + size as u128 <= 65_536).then_some(at as usize)
}

/// Appends an access of memory with this field `a`, and what it needs; false if the form has no such place.
fn access(
    code: &mut Vec<u64>,
    (op, info): (Op, &Info),
    a: u16,
    (address, offset, memory): (u64, u64, u16),
) -> bool {
    /// What a displaced or indexed access adds, so that the sum wraps at times.
    const ADDED: u32 = 70_000;
    let at = info.form.trim_start_matches(['S', 'R', 'T', 'M']);
    let (letter, mode) = match (at, info.form.starts_with('M')) {
        ("W", _) => ('s', 'W'),
        ("x", _) => ('s', 'x'),
        (at, false) => (
            at.chars().next().unwrap_or(' '),
            at.chars().nth(1).unwrap_or(' '),
        ),
        // A store's value comes between.
        (at, true) => (
            at.chars().next().unwrap_or(' '),
            at.chars().nth(2).unwrap_or(' '),
        ),
    };
    let less = (address as u32).wrapping_sub(ADDED);
    let base = u64::from(less) | address & !0xffff_ffff;
    match (letter, mode) {
        ('a', _) => {
            let at = (address as u32).checked_add(offset as u32);
            code.push(word_u32(op, a, at.unwrap_or_default()));
            return at.is_some();
        }
        (_, 'W') => {
            place(code, letter, X, address, Kind::I64);
            code.extend([word(op, a, X, memory), offset]);
        }
        (_, 'd') => {
            place(code, letter, X, base, Kind::I64);
            let second = u64::from(ADDED) | offset << 32;
            code.extend([word(op, a, field(letter, X, 0), 0), second]);
        }
        (_, 'x') => {
            place(code, letter, X, base, Kind::I64);
            code.extend([word(op::ConstWide, Y, 0, 0), ADDED.into()]);
            code.extend([word(op, a, field(letter, X, 0), Y), offset << 32]);
        }
        _ => {
            place(code, letter, X, address, Kind::I64);
            code.push(word(op, a, field(letter, X, 0), offset as u16));
        }
    }
    true
}

fn store_of_patterns(frame: u16, code: Vec<u64>) -> StoreInner {
    let mut store = store_with(frame, &[(ty::NOTHING, code)]);
    for memory in &mut store.memories {
        memory.bytes.copy_from_slice(&pattern());
    }
    store
}

#[test]
fn loads_read_what_is_there_or_trap() {
    let family = family(|info| spec::load(info.name).is_some());
    assert!(family.len() > 10, "{}", family.len());
    let bytes = pattern();
    for (op, info) in family {
        let letters = letters(info);
        let (size, kind, extends) = spec::load(info.name).expect("known");
        // A wide one is from slot to slot.
        let to = match letters {
            ['W', ..] => 'S',
            [to, ..] => to,
        };
        let places = places(letters);
        assert!(places.len() >= LEAST);
        for place_at in places {
            let mut code = Vec::new();
            let target = if to == 'R' { 0 } else { RESULTS };
            if !access(&mut code, (op, info), target, place_at) {
                continue;
            }
            let in_register = fetch(&mut code, to, RESULTS + 1, kind);
            code.push(RET);
            let left = run_in(store_of_patterns(RESULTS + 2, code));
            let Some(at) = in_bounds(place_at, size) else {
                let event = left.event;
                assert!(
                    matches!(event, Event::Trap(Trap::MemoryOutOfBounds)),
                    "{info}: {event:?}"
                );
                continue;
            };
            let expected = spec::from_bytes(&bytes[at..at + size], extends);
            assert!(
                matches!(left.event, Event::Done),
                "{info}: {:?}",
                left.event
            );
            let results = &left.slots[RESULTS.into()..];
            for (written, found) in [(to != 'R', results[0]), (in_register, results[1])] {
                assert!(
                    !written || found == expected,
                    "{info}: {found:#x}, not {expected:#x}"
                );
            }
        }
    }
}

#[test]
fn stores_change_their_bytes_and_no_others_or_trap() {
    let family = family(|info| spec::store(info.name).is_some());
    assert!(family.len() > 10, "{}", family.len());
    for (op, info) in family {
        let letters = letters(info);
        let (size, kind) = spec::store(info.name).expect("known");
        let v = match letters {
            ['W', ..] => 's',
            ['M', _, v] => v,
            _ => panic!("{info}"),
        };
        let places = places(letters);
        assert!(places.len() >= LEAST);
        let mut random = Random(0xdead_beef_cafe_f00d);
        for place_at in places {
            let (address, _, memory) = place_at;
            let value = match v {
                'i' => i64::from(random.next() as i16) as u64,
                _ => random.next(),
            };
            let mut code = Vec::new();
            place(&mut code, v, Y, value, kind);
            if !access(&mut code, (op, info), field(v, Y, value), place_at) {
                continue;
            }
            code.push(RET);
            let left = run_in(store_of_patterns(RESULTS, code));
            let mut expected = pattern();
            match in_bounds(place_at, size) {
                Some(at) => {
                    assert!(
                        matches!(left.event, Event::Done),
                        "{info}: {:?}",
                        left.event
                    );
                    expected[at..at + size].copy_from_slice(&value.to_le_bytes()[..size]);
                }
                None => assert!(
                    matches!(left.event, Event::Trap(Trap::MemoryOutOfBounds)),
                    "{info}: {:?}",
                    left.event
                ),
            }
            let memory = usize::from(memory & !MEMORY64);
            assert!(
                left.store.memories[memory].bytes[..] == expected[..],
                "{info} at {address:#x}"
            );
        }
    }
}

/// Whether it is one of those that `fused` tests.
fn is_fused(info: &Info) -> bool {
    info.name.ends_with("_mem") || info.name.starts_with("step.")
}

#[test]
fn every_instruction_of_the_families_is_one_of_these() {
    let known = |info: &Info| {
        spec::binary(info.name, 1, 1).is_some()
            || spec::unary(info.name, 1).is_some()
            || spec::branch(info.name, 1, 1).is_some()
            || spec::load(info.name).is_some()
            || spec::store(info.name).is_some()
            || is_fused(info)
    };
    if let Some((_, info)) = family(|info| !known(info)).first() {
        panic!("{info} has no definition in `spec.rs`");
    }
}
