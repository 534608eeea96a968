//! `code`: what functions are translated to is verified, survives being disassembled and assembled again, and so
//! does whatever else the verifier lets pass.
//!
//! So the disassembler shows all of an instruction, the table of operands says the truth about its fields, and the
//! verifier takes any words whatever without a panic.

pub mod assemble;

use crate::args::CodeArgs;
use crate::case::Case;
use crate::judge::message;
use crate::on_cellule::Options;
use crate::random::Random;
use crate::workers;
use anyhow::{Context, Result, bail, ensure};
use assemble::Assembler;
use cellule::{ErrorKind, Module};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;

/// What the seed's numbers are used for.
const MUTANTS: u64 = 7;

/// What a run has seen.
#[derive(Clone, Copy, Default)]
pub struct Counts {
    pub modules: u64,
    pub functions: u64,
    pub words: u64,
    pub mutants: u64,
    /// Mutants that the verifier lets pass.
    pub passed: u64,
}

/// The command.
///
/// # Errors
/// What doesn't survive.
pub fn run(args: &CodeArgs) -> Result<()> {
    let assembler = Assembler::new();
    let failures = Mutex::new(Vec::new());
    let each = |counts: &mut Counts, seed: u64, number: u64| {
        let Some(case) = Case::new(seed) else {
            return;
        };
        let checked = catch_unwind(AssertUnwindSafe(|| {
            module(&assembler, &case, args.mutants, counts)
        }));
        let failure = match checked {
            Ok(Ok(())) => return,
            Ok(Err(error)) => format!("{error:#}"),
            Err(payload) => message(&*payload),
        };
        eprintln!("case {number} (seed {seed}): {failure}");
        failures.lock().expect("nobody panics with it").push(number);
    };
    let progress = || {
        let failures = failures.lock().expect("nobody panics with it").len();
        format!("{failures} failures")
    };
    let counts = workers::run(&args.range, None, Counts::default, each, progress);
    let mut all = Counts::default();
    for one in counts {
        all.modules += one.modules;
        all.functions += one.functions;
        all.words += one.words;
        all.mutants += one.mutants;
        all.passed += one.passed;
    }
    println!(
        "{} modules, {} functions, {} words; {} mutants, of which {} are verified",
        all.modules, all.functions, all.words, all.mutants, all.passed
    );
    let failures = failures.into_inner().expect("nobody panics with it");
    ensure!(
        failures.is_empty(),
        "{} cases failed: {failures:?}",
        failures.len()
    );
    Ok(())
}

/// The functions of a case, and mutants of them.
///
/// # Errors
/// What doesn't survive.
pub fn module(assembler: &Assembler, case: &Case, mutants: u64, counts: &mut Counts) -> Result<()> {
    let options = Options::random(case.seed);
    let engine = options.engine()?;
    let module = match Module::new(&engine, &case.wasm) {
        Ok(module) => module,
        // Of the garbage collector, or with shared memories.
        Err(error) if error.kind() == ErrorKind::Unsupported => return Ok(()),
        Err(error) => bail!("{error:#}"),
    };
    counts.modules += 1;
    let mut random = Random::new(case.seed, MUTANTS);
    for (func, _) in module.functions() {
        let code = module.checked_code(func)?;
        survives(assembler, func, code).with_context(|| format!("function {func}"))?;
        counts.functions += 1;
        counts.words += code.len() as u64;
        for _ in 0..mutants {
            let mut code = code.to_vec();
            (0..1 + random.below(2)).for_each(|_| mutate(&mut random, &mut code));
            counts.mutants += 1;
            if module.verify(func, &code).is_ok() {
                counts.passed += 1;
                survives(assembler, func, &code)
                    .with_context(|| format!("a mutant of function {func}"))?;
            } else {
                // Any words have a text.
                cellule::code::disasm::function(&code);
            }
        }
    }
    Ok(())
}

fn survives(assembler: &Assembler, func: u32, code: &[u64]) -> Result<()> {
    let text = cellule::code::disasm::function(code);
    let defined = u64::from_le(code[1]) >> 32;
    let again = assembler
        .function(defined as u32, &text)
        .with_context(|| text.clone())?;
    let differing = code.iter().zip(&again).position(|(a, b)| a != b);
    match differing {
        None if code.len() == again.len() => Ok(()),
        None => bail!(
            "function {func} has {} words, and {} again:\n{text}",
            code.len(),
            again.len()
        ),
        Some(at) => bail!(
            "word {at} is {:016x}, and {:016x} again:\n{text}",
            code[at],
            again[at]
        ),
    }
}

fn mutate(random: &mut Random, code: &mut [u64]) {
    let at = random.below(code.len() as u64) as usize;
    let old = u64::from_le(code[at]);
    let shift = 16 * random.below(4);
    let new = match random.below(5) {
        0 => old ^ 1 << random.below(64),
        1 => old & !(0xffff << shift) | random.below(12) << shift,
        2 => old & !0xffff | random.below(2_048),
        3 => u64::from_le(code[random.below(code.len() as u64) as usize]),
        _ => random.word(),
    };
    code[at] = new.to_le();
}
