//! `smith` and `files`: cases on both engines, differences written down and made smaller.

use crate::args::{FilesArgs, SmithArgs};
use crate::case::Case;
use crate::judge::{cellule, describe, wasmtime, ways};
use crate::on_cellule::Options;
use crate::on_wasmtime;
use crate::outcome::{Loaded, Outcome, Verdict, compare};
use crate::workers;
use anyhow::{Context, Result, ensure};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use wasmparser::{Operator, Parser, Payload};

/// Lengths that are tried to make a case smaller, each time.
const STEPS: usize = 24;

/// What both engines did, and what comparing it came to.
pub struct Judged {
    pub verdict: Verdict,
    pub cellule: Result<Outcome, String>,
    pub wasmtime: Result<Outcome, String>,
}

/// Runs a case on both.
pub fn judge(case: &Case, options: &Options, engine: &::wasmtime::Engine) -> Judged {
    let (a, b) = (cellule(case, options), wasmtime(case, engine));
    let verdict = match (&a, &b) {
        (Ok(a), Ok(b)) => match compare(a, b) {
            Verdict::Different if tolerated(&case.wasm) => {
                compare(&a.without_order(), &b.without_order())
            }
            verdict => verdict,
        },
        _ => Verdict::Different,
    };
    Judged {
        verdict,
        cellule: a,
        wasmtime: b,
    }
}

/// Whether a module waits or notifies: there, wasmtime adds the offset before it looks at the alignment, and names
/// the trap of a sum that doesn't fit another way than for the other atomic operators.
fn tolerated(wasm: &[u8]) -> bool {
    Parser::new(0).parse_all(wasm).any(|payload| match payload {
        Ok(Payload::CodeSectionEntry(body)) => body.get_operators_reader().is_ok_and(|operators| {
            operators.into_iter().any(|operator| {
                matches!(
                    operator,
                    Ok(Operator::MemoryAtomicNotify { .. }
                        | Operator::MemoryAtomicWait32 { .. }
                        | Operator::MemoryAtomicWait64 { .. })
                )
            })
        }),
        _ => false,
    })
}

/// What a thread has counted.
#[derive(Default)]
struct Counts {
    not_run: u64,
    none: u64,
    same: u64,
    invalid: u64,
    limited: u64,
    calls: u64,
    returned: u64,
    bytes: u64,
    skipped: BTreeMap<String, u64>,
}

impl Counts {
    fn add(&mut self, case: &Case, judged: &Judged) {
        self.bytes += case.wasm.len() as u64;
        match (judged.verdict, &judged.cellule, &judged.wasmtime) {
            (Verdict::Same, ..) => self.same += 1,
            (Verdict::Limited, ..) => self.limited += 1,
            (Verdict::Skipped, Ok(a), Ok(b)) => {
                let why = match (&a.loaded, &b.loaded) {
                    (Loaded::Unsupported(why), _) => format!("cellule: {why}"),
                    (_, Loaded::Unsupported(why)) => format!("wasmtime: {why}"),
                    _ => return,
                };
                let why = why.split(" (at offset").next().unwrap_or_default();
                *self.skipped.entry(why.to_string()).or_default() += 1;
            }
            _ => {}
        }
        if let Ok(outcome) = &judged.cellule {
            self.invalid += u64::from(matches!(outcome.loaded, Loaded::Invalid(_)));
            self.calls += outcome.calls;
            self.returned += outcome.returned;
        }
    }

    fn merge(mut self, other: Counts) -> Counts {
        self.not_run += other.not_run;
        self.none += other.none;
        self.same += other.same;
        self.invalid += other.invalid;
        self.limited += other.limited;
        self.calls += other.calls;
        self.returned += other.returned;
        self.bytes += other.bytes;
        for (why, count) in other.skipped {
            *self.skipped.entry(why).or_default() += count;
        }
        self
    }
}

/// The command `smith`.
///
/// # Errors
/// Differences, or a folder that can't be written.
pub fn smith(args: &SmithArgs) -> Result<()> {
    std::fs::create_dir_all(&args.out).with_context(|| args.out.display().to_string())?;
    let engine = on_wasmtime::engine()?;
    let different = AtomicU64::new(0);
    let each = |counts: &mut Counts, seed: u64, number: u64| {
        if different.load(Ordering::Relaxed) >= args.most {
            counts.not_run += 1;
            return;
        }
        let Some(case) = Case::new(seed) else {
            counts.none += 1;
            return;
        };
        let options = Options::random(seed);
        let judged = judge(&case, &options, &engine);
        counts.add(&case, &judged);
        if judged.verdict == Verdict::Different {
            different.fetch_add(1, Ordering::Relaxed);
            eprintln!("case {number} (seed {seed}) differs");
            if let Err(error) = write_down(&args.out, &case, &options, &judged, &engine) {
                eprintln!("it can't be written down: {error:#}");
            }
        }
    };
    let progress = || format!("{} differences", different.load(Ordering::Relaxed));
    let counts = workers::run(
        &args.range,
        Some(&args.out),
        Counts::default,
        each,
        progress,
    );
    let counts = counts.into_iter().fold(Counts::default(), Counts::merge);
    let different = different.into_inner();
    summary(&counts, different);
    ensure!(
        different == 0,
        "{different} differences, in {}",
        args.out.display()
    );
    Ok(())
}

fn summary(counts: &Counts, different: u64) {
    let skipped: u64 = counts.skipped.values().sum();
    let all = counts.same + counts.limited + skipped + different;
    println!(
        "{all} modules of {} bytes on average; {} seeds made none",
        counts.bytes / all.max(1),
        counts.none
    );
    println!(
        "{} the same, {} of them invalid",
        counts.same, counts.invalid
    );
    println!("{} the same up to a limit of an engine", counts.limited);
    println!(
        "{} calls, of which {} returned",
        counts.calls, counts.returned
    );
    println!("{skipped} not supported");
    for (why, count) in &counts.skipped {
        println!("  {count} {why}");
    }
    println!(
        "{different} different; {} seeds were not tried after that",
        counts.not_run
    );
}

fn write_down(
    out: &Path,
    case: &Case,
    options: &Options,
    judged: &Judged,
    engine: &::wasmtime::Engine,
) -> Result<()> {
    let seed = case.seed;
    std::fs::write(out.join(format!("{seed}.wasm")), &case.wasm)?;
    std::fs::write(
        out.join(format!("{seed}.txt")),
        report(case, options, judged),
    )?;
    if let Some((case, judged)) = smaller(case, options, engine) {
        std::fs::write(out.join(format!("{seed}-small.wasm")), &case.wasm)?;
        std::fs::write(
            out.join(format!("{seed}-small.txt")),
            report(&case, options, &judged),
        )?;
    }
    Ok(())
}

/// The smallest module of the first of the case's random bytes that still differs.
fn smaller(case: &Case, options: &Options, engine: &::wasmtime::Engine) -> Option<(Case, Judged)> {
    let mut least: Option<(Case, Judged)> = None;
    let mut most = Case::random_bytes(case.seed);
    for _ in 0..3 {
        let before = least.as_ref().map_or(case, |(case, _)| case).wasm.len();
        let found = (1..STEPS).find_map(|step| {
            let len = most * step / STEPS;
            let case = Case::prefix(case.seed, len).filter(|case| case.wasm.len() < before)?;
            let judged = judge(&case, options, engine);
            (judged.verdict == Verdict::Different).then_some((len, case, judged))
        });
        let Some((len, case, judged)) = found else {
            break;
        };
        most = len;
        least = Some((case, judged));
    }
    least
}

fn report(case: &Case, options: &Options, judged: &Judged) -> String {
    let (a, b) = (describe(&judged.cellule), describe(&judged.wasmtime));
    let mut text = format!("seed {}\ncellule: {options}\n", case.seed);
    for (number, pair) in lines(&a, &b).enumerate() {
        // Writing to a String can't fail.
        let _ = match pair {
            (a, b) if a == b => writeln!(text, "{number:4}   {a}"),
            (a, b) => writeln!(text, "{number:4} - {a}\n     + {b}"),
        };
    }
    text += &wasmprinter::print_bytes(&case.wasm).unwrap_or_else(|error| error.to_string());
    text += &code(case, options).unwrap_or_else(|error| format!("{error:#}"));
    text
}

/// What the module is translated to.
fn code(case: &Case, options: &Options) -> cellule::Result<String> {
    let module = cellule::Module::new(&options.engine()?, &case.wasm)?;
    let mut text = String::new();
    for (func, _) in module.functions() {
        text += &format!("\nfunction {func}\n{}", module.disassemble(func)?);
    }
    Ok(text)
}

fn lines<'a>(a: &'a str, b: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
    let count = a.lines().count().max(b.lines().count());
    let all = |text: &'a str| text.lines().chain(std::iter::repeat("(nothing)"));
    all(a).zip(all(b)).take(count)
}

/// The command `files`.
///
/// # Errors
/// Differences, or files that can't be read.
pub fn files(args: &FilesArgs) -> Result<()> {
    let engine = on_wasmtime::engine()?;
    let mut different = 0;
    for file in &args.files {
        let wasm = wat::parse_file(file)?;
        let case = Case::of_file(file, wasm);
        for options in ways(&case) {
            let judged = judge(&case, &options, &engine);
            println!("{}: {:?} with {options}", file.display(), judged.verdict);
            let differs = judged.verdict == Verdict::Different;
            different += u64::from(differs);
            if differs || args.show {
                println!("{}", report(&case, &options, &judged));
            }
        }
    }
    ensure!(different == 0, "{different} differences");
    Ok(())
}
