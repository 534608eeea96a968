//! What both engines agreed about, as data: so that a machine without wasmtime, such as CI's, can compare too.
//!
//! `outcomes` in the corpus has a line for each case: its number and a digest of what was seen. The first line
//! tells the seed of the run. `modules` has a line for each module beside it.

use crate::args::{Range, RecordedArgs};
use crate::case::Case;
use crate::judge::{cellule, describe, ways};
use crate::on_cellule::Options;
use crate::workers;
use anyhow::{Context, Result, bail, ensure};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// The cases' file.
const OUTCOMES: &str = "outcomes";
/// The modules' file.
const MODULES: &str = "modules";

/// The modules of the corpus, in order.
fn modules(corpus: &Path) -> Result<Vec<PathBuf>> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(corpus).with_context(|| corpus.display().to_string())? {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == "wasm") {
            all.push(path);
        }
    }
    all.sort();
    Ok(all)
}

fn name(file: &Path) -> String {
    file.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .to_string()
}

/// The command `record`.
///
/// # Errors
/// Cases about which the engines don't agree.
#[cfg(feature = "wasmtime")]
pub fn record(args: &crate::args::RecordArgs) -> Result<()> {
    use crate::outcome::Verdict;
    use crate::smith::judge;
    let engine = crate::on_wasmtime::engine()?;
    let digest = |case: &Case, options: &Options| {
        let judged = judge(case, options, &engine);
        ensure!(
            judged.verdict != Verdict::Different,
            "seed {} differs",
            case.seed
        );
        let [cellule, wasmtime] = [judged.cellule, judged.wasmtime].map(|it| it.ok()?.digest());
        // Where the order of two checks is tolerated, there is nothing to agree about.
        Ok(cellule.filter(|_| cellule == wasmtime))
    };
    let each = |lines: &mut Vec<Result<(u64, u32)>>, seed: u64, number: u64| {
        if let Some(case) = Case::new(seed) {
            let found = digest(&case, &Options::random(seed));
            lines.extend(found.transpose().map(|digest| Ok((number, digest?))));
        }
    };
    let lines = workers::run(&args.range, None, Vec::new, each, || "recorded".to_string());
    let mut lines = lines.into_iter().flatten().collect::<Result<Vec<_>>>()?;
    lines.sort();
    let mut text = format!("seed {}\n", args.range.seed);
    lines
        .iter()
        .for_each(|(number, digest)| text += &format!("{number} {digest:08x}\n"));
    std::fs::write(args.corpus.join(OUTCOMES), text)?;
    let mut text = String::new();
    for file in modules(&args.corpus)? {
        let case = Case::of_file(&file, std::fs::read(&file)?);
        for options in ways(&case) {
            digest(&case, &options)?;
        }
        let found = digest(&case, &ways(&case)[0])?;
        let found = found.with_context(|| format!("{} shows nothing", file.display()))?;
        text += &format!("{} {found:08x}\n", name(&file));
    }
    std::fs::write(args.corpus.join(MODULES), text)?;
    println!("{} cases", lines.len());
    Ok(())
}

/// Pairs of a name and a digest.
fn pairs<'a>(lines: impl Iterator<Item = &'a str>) -> Result<Vec<(&'a str, u32)>> {
    lines
        .map(|line| {
            let pair = line.split_once(' ').context("a line has two words")?;
            Ok((pair.0, u32::from_str_radix(pair.1, 16)?))
        })
        .collect()
}

/// What differs from what was written down.
fn check(case: &Case, options: &Options, digest: u32) -> Result<()> {
    let outcome = cellule(case, options);
    match &outcome {
        Ok(seen) if seen.digest() == Some(digest) => Ok(()),
        _ => bail!(
            "seed {} with {options} differs:\n{}",
            case.seed,
            describe(&outcome)
        ),
    }
}

/// The command `recorded`.
///
/// # Errors
/// Differences, or a corpus that isn't whole.
pub fn recorded(args: &RecordedArgs) -> Result<()> {
    let read = |name: &str| {
        let file = args.corpus.join(name);
        std::fs::read_to_string(&file).with_context(|| file.display().to_string())
    };
    let (outcomes, known) = (read(OUTCOMES)?, read(MODULES)?);
    let mut lines = outcomes.lines();
    let seed = lines.next().and_then(|line| line.strip_prefix("seed "));
    let seed: u64 = seed.context("the first line tells the seed")?.parse()?;
    let mut cases = BTreeMap::new();
    for (number, digest) in pairs(lines)? {
        cases.insert(number.parse::<u64>()?, digest);
    }
    let range = Range {
        cases: cases.last_key_value().context("there are cases")?.0 + 1,
        seed,
        from: 0,
        jobs: args.jobs,
    };
    let failures = Mutex::new(Vec::new());
    let each = |compared: &mut u64, seed: u64, number: u64| {
        let (Some(digest), Some(case)) = (cases.get(&number), Case::new(seed)) else {
            return;
        };
        *compared += 1;
        if let Err(error) = check(&case, &Options::random(seed), *digest) {
            failures.lock().expect("nobody panics").push(error);
        }
    };
    let compared = workers::run(&range, None, || 0, each, String::new);
    let compared: u64 = compared.into_iter().sum();
    let mut failures = failures.into_inner().expect("nobody panics");
    let known: BTreeMap<&str, u32> = pairs(known.lines())?.into_iter().collect();
    let files = modules(&args.corpus)?;
    ensure!(
        known.len() == files.len(),
        "{} modules, {} known",
        files.len(),
        known.len()
    );
    for file in &files {
        let case = Case::of_file(file, std::fs::read(file)?);
        let digest = *known.get(&*name(file)).context("an unknown module")?;
        failures.extend(
            ways(&case)
                .iter()
                .filter_map(|options| check(&case, options, digest).err()),
        );
    }
    failures.iter().for_each(|failure| eprintln!("{failure}"));
    ensure!(
        failures.is_empty(),
        "{} differ from what was recorded",
        failures.len()
    );
    ensure!(
        compared as usize == cases.len(),
        "{compared} cases of {} were made",
        cases.len()
    );
    println!("{compared} cases and {} modules as recorded", files.len());
    Ok(())
}
