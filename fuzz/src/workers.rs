//! Threads that go through the cases of a run, with stacks on which both engines have room.

use crate::args::Range;
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Native stack of a thread: more than wasmtime is allowed to take of it.
const STACK: usize = 64 << 20;

/// How often it is said how far a run has come.
const EVERY: Duration = Duration::from_secs(30);

/// The seed of a case, by its number in a run.
pub fn seed(run: u64, number: u64) -> u64 {
    crate::random::Random::new(run, number ^ 0xca5e_0000_0000).word()
}

/// Gives every number of the range to one of the threads. The number that a thread is at stands in a file of its
/// own, so that it is known should the process end without a word.
///
/// # Panics
/// If a thread can't be started.
pub fn run<T: Send>(
    range: &Range,
    out: Option<&Path>,
    new: impl Fn() -> T + Sync,
    each: impl Fn(&mut T, u64, u64) + Sync,
    progress: impl Fn() -> String + Sync,
) -> Vec<T> {
    let next = AtomicU64::new(range.from);
    let end = range.from + range.cases;
    let began = Instant::now();
    let work = |worker: usize| {
        let mut state = new();
        let mut said = Instant::now();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= end {
                return state;
            }
            if let Some(out) = out {
                mark(out, worker, number);
            }
            each(&mut state, seed(range.seed, number), number);
            if worker == 0 && said.elapsed() > EVERY {
                said = Instant::now();
                let done = number - range.from;
                let rate = done as f64 / began.elapsed().as_secs_f64();
                eprintln!(
                    "{done} of {} cases, {rate:.0} a second: {}",
                    range.cases,
                    progress()
                );
            }
        }
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..range.jobs.max(1))
            .map(|worker| {
                let builder = std::thread::Builder::new().stack_size(STACK);
                builder
                    .spawn_scoped(scope, move || work(worker))
                    .expect("a thread")
            })
            .collect();
        threads
            .into_iter()
            .map(|it| it.join().expect("workers catch panics"))
            .collect()
    })
}

/// Runs something on a stack of its own with as much room.
///
/// # Panics
/// If it panics.
pub fn alone(work: impl FnOnce() + Send) {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new()
            .stack_size(STACK)
            .spawn_scoped(scope, work);
        if let Err(payload) = thread.expect("a thread").join() {
            std::panic::resume_unwind(payload);
        }
    });
}

fn mark(out: &Path, worker: usize, number: u64) {
    // Where it can't be written, the run is as good without.
    let file = std::fs::File::create(out.join(format!("current-{worker}")));
    let _ = file.and_then(|mut file| write!(file, "{number}"));
}
