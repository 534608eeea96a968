//! A case, all of it by its seed: a signature, what the host passes and answers, and how two guests behave.

use super::rng::Rng;
use super::shapes;
use super::ty::{Core, Ty};
use super::value::Value;

/// A call of the host into guest A, from there into guest B, from there into the host, and back.
pub struct Case {
    pub seed: u64,
    pub params: Vec<Ty>,
    pub result: Option<Ty>,
    /// What the host calls with.
    pub args: Vec<Value>,
    /// What the host answers when it is called.
    pub answer: Option<Value>,
    /// Guest B has a resource type, and a resource of it is the first argument of the guests.
    pub loan: Option<Loan>,
    /// The Rust types, by number, that the host uses instead of dynamic values.
    pub shape: Option<usize>,
    /// A, which the host calls, and B, which A calls.
    pub guests: [Guest; 2],
}

/// How guest B's resource is passed.
#[derive(Clone, Copy, PartialEq)]
pub enum Loan {
    Own,
    Borrow,
}

/// How a guest behaves.
pub struct Guest {
    /// Of what it exports, and of what it imports.
    pub encodings: [&'static str; 2],
    /// Passes on what comes from its memory of random bytes, instead of what it was given.
    pub raw_args: Option<Vec<u64>>,
    /// Returns the same instead of what it was given back.
    pub raw_result: Option<u64>,
    pub post: Option<Post>,
    /// Gives back the loans that it was given.
    pub drops: bool,
    /// The `realloc` call that goes wrong, and how.
    pub fault: Option<(u32, Fault)>,
    /// How often it calls.
    pub calls: usize,
    /// What its memory holds at [`RAW`].
    pub bytes: Vec<u8>,
}

/// What a `post-return` does after it has kept what it is given.
#[derive(Clone, Copy, PartialEq)]
pub enum Post {
    Returns,
    Traps,
    /// Calls a built-in, which it may not.
    Leaves,
}

/// What a `realloc` returns instead of a place.
#[derive(Clone, Copy)]
pub enum Fault {
    Misaligned,
    OutOfRange,
    Last,
    Null,
    Trap,
}

/// Where the random bytes are in a guest's memory.
pub const RAW: u32 = 1024;

/// How many.
const RAW_BYTES: u32 = 2048;

/// How many core types parameters have at most before they are passed in memory.
pub const MAX_FLAT_PARAMS: usize = 16;

const ENCODINGS: [&str; 3] = ["utf8", "utf16", "latin1+utf16"];

impl Case {
    /// The case of a seed.
    pub fn new(seed: u64) -> Case {
        let rng = &mut Rng::new(seed);
        let shape = rng.percent(20).then(|| rng.below(shapes::COUNT));
        let (params, result) = match shape {
            Some(shape) => (vec![shapes::ty(shape)], Some(shapes::ty(shape))),
            None => signature(rng),
        };
        let args: Vec<Value> = params.iter().map(|ty| Value::random(rng, ty)).collect();
        let answer = match &result {
            Some(Ty::Tuple(tys)) if *tys == params && rng.percent(70) => {
                Some(Value::Tuple(args.clone()))
            }
            result => result.as_ref().map(|ty| Value::random(rng, ty)),
        };
        let flat = flat(&params);
        let loan = (shape.is_none() && flat.len() < MAX_FLAT_PARAMS && rng.percent(25))
            .then(|| *rng.pick(&[Loan::Own, Loan::Borrow]));
        let guests = [Guest::new(rng, flat.len()), Guest::new(rng, flat.len())];
        Case {
            seed,
            params,
            result,
            args,
            answer,
            loan,
            shape,
            guests,
        }
    }
}

/// The core types of parameters.
pub fn flat(params: &[Ty]) -> Vec<Core> {
    let mut flat = Vec::new();
    params.iter().for_each(|ty| ty.flatten(&mut flat));
    flat
}

fn signature(rng: &mut Rng) -> (Vec<Ty>, Option<Ty>) {
    let depth = 1 + rng.below(4) as u32;
    let count = rng.below(5);
    let mut params: Vec<Ty> = (0..count).map(|_| Ty::random(rng, depth, true)).collect();
    if params.len() < 4 && rng.percent(15) {
        params.push(Ty::lending(rng));
        if flat(&params).len() > MAX_FLAT_PARAMS {
            // The guest gives back loans from parameters only.
            params.pop();
        }
    }
    let mirrored = !params.is_empty() && !params.iter().any(Ty::lends);
    let result = match rng.below(10) {
        0 => None,
        1..4 if mirrored => Some(Ty::Tuple(params.clone())),
        _ => Some(Ty::random(rng, depth, true)),
    };
    (params, result)
}

impl Guest {
    fn new(rng: &mut Rng, flat: usize) -> Guest {
        const FAULTS: [Fault; 5] = [
            Fault::Misaligned,
            Fault::OutOfRange,
            Fault::Last,
            Fault::Null,
            Fault::Trap,
        ];
        let raw_args = rng.percent(8).then(|| {
            let one = |_| u64::from(word(rng));
            (0..flat.max(1)).map(one).collect()
        });
        let encoding = *rng.pick(&ENCODINGS);
        let other = *rng.pick(&ENCODINGS);
        Guest {
            // What it passes on is mostly what it was given, byte for byte.
            encodings: [encoding, if rng.percent(75) { encoding } else { other }],
            raw_args,
            raw_result: rng.percent(12).then(|| match rng.percent(90) {
                true => u64::from(RAW + 8 * rng.below(64) as u32),
                false => u64::from(word(rng)),
            }),
            post: rng.percent(50).then(|| match rng.below(20) {
                0 => Post::Traps,
                1 => Post::Leaves,
                _ => Post::Returns,
            }),
            drops: rng.percent(92),
            fault: rng
                .percent(8)
                .then(|| (1 + rng.below(4) as u32, *rng.pick(&FAULTS))),
            calls: if rng.percent(5) { rng.below(3) } else { 1 },
            bytes: (0..RAW_BYTES / 4)
                .flat_map(|_| word(rng).to_le_bytes())
                .collect(),
        }
    }
}

/// Four bytes that often enough are a discriminant, a length or a place.
fn word(rng: &mut Rng) -> u32 {
    match rng.below(12) {
        0..5 => rng.below(4) as u32,
        5..8 => RAW + 8 * rng.below(128) as u32,
        8 => rng.below(RAW_BYTES as usize) as u32,
        9 => u32::from_le_bytes(*b"text"),
        10 => rng.below(65536) as u32,
        _ => rng.edgy() as u32,
    }
}
