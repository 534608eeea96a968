//! What the peer programs have in common. Each is one engine in a process of its own, which the bench asks by
//! lines on stdin and which answers by lines on stdout, so that the bench can let engines take turns and no engine
//! shares a program with another.
//!
//! `peer-x run MODULE [OPTION…]` answers `ready` when it has an instance of the module, and then each line `n` by
//! `ok NANOSECONDS CHECKSUM` of one call `run(n)`. `peer-x start MODULE [OPTION…]` answers the lines `lazy` and
//! `eager` by `ok NANOSECONDS BYTES-OF-MODULE BYTES-OF-ALL`. `peer-x calls - [OPTION…]` answers `KIND n` by
//! `ok NANOSECONDS CHECKSUM`. Time is the thread's CPU time. What goes wrong is answered by `error TEXT`.

mod heap;

use anyhow::{Context, Result, bail};
use cpu_time::ThreadTime;
use std::any::Any;
use std::io::{BufRead, Write};

/// What a peer's `main` brings: its engine.
pub trait Engine {
    /// An instance of a module that exports `run(i32) -> i64`.
    fn instantiate(&self, wasm: &[u8]) -> Result<Box<dyn Instance>>;

    /// Makes a module of the bytes, calls `module_made`, and makes an instance whose imports trap. What is returned
    /// holds everything.
    fn start(
        &self,
        wasm: &[u8],
        eager: bool,
        module_made: &mut dyn FnMut(),
    ) -> Result<Box<dyn Any>> {
        let _ = (wasm, eager, module_made);
        bail!("this peer doesn't measure how it starts")
    }

    /// What crosses the boundary of the host: calls of the first module, instances of the second.
    fn calls(&self, called: &[u8], trivial: &[u8]) -> Result<Box<dyn Calls>> {
        let _ = (called, trivial);
        bail!("this peer doesn't measure calls")
    }
}

/// An instance of a workload.
pub trait Instance {
    /// Calls `run(n)`.
    fn run(&mut self, n: i32) -> Result<i64>;
}

/// The kinds of [`Calls`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The host calls `add(i32, i32) -> i32`, typed.
    Typed,
    /// The same with dynamic values.
    Dynamic,
    /// The guest calls the host's `add`, in a loop.
    Import,
    /// An instance of an empty module, in a store that is there; the store is made anew after each thousand.
    Instance,
    /// A store and an instance in it.
    Store,
}

impl Kind {
    /// All of them, with their names.
    pub const ALL: [(&str, Kind); 5] = [
        ("typed", Kind::Typed),
        ("dynamic", Kind::Dynamic),
        ("import", Kind::Import),
        ("instance", Kind::Instance),
        ("store", Kind::Store),
    ];
}

/// What is called.
const CALLED: &str = r#"(module
  (import "host" "add" (func $host (param i32 i32) (result i32)))
  (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
  (func (export "loop") (param $n i32) (result i32) (local $sum i32)
    (loop $again
      (local.set $sum (call $host (local.get $sum) (local.get $n)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum)))"#;

/// What is instantiated again and again.
const TRIVIAL: &str = r#"(module (func (export "run") (param i32) (result i32) (local.get 0)))"#;

/// Calls across the boundary, many times.
pub trait Calls {
    /// Does it `n` times, and returns the sum of what was returned or the number of instances.
    fn call(&mut self, kind: Kind, n: u32) -> Result<i64>;
}

/// The whole of a peer's `main`: makes the engine of the options and answers until stdin ends.
pub fn serve<E: Engine>(make: impl FnOnce(&[String]) -> Result<E>) {
    if let Err(error) = answer(make) {
        let text = format!("{error:#}").replace('\n', " ");
        println!("error {text}");
    }
}

fn answer<E: Engine>(make: impl FnOnce(&[String]) -> Result<E>) -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [what, module, options @ ..] = args.as_slice() else {
        bail!("arguments are: run|start|calls MODULE [OPTION…]");
    };
    let engine = make(options)?;
    let wasm = || std::fs::read(module).with_context(|| format!("reading {module}"));
    match what.as_str() {
        "run" => {
            let mut instance = engine.instantiate(&wasm()?)?;
            each_line(|line| {
                let n = line.parse()?;
                let (ns, checksum) = time(|| instance.run(n))?;
                Ok(format!("{ns} {checksum}"))
            })
        }
        "start" => {
            let wasm = wasm()?;
            each_line(|line| started(&engine, &wasm, line == "eager"))
        }
        "calls" => {
            let mut calls = engine.calls(&wat::parse_str(CALLED)?, &wat::parse_str(TRIVIAL)?)?;
            each_line(|line| {
                let (name, n) = line.split_once(' ').context("the line is: KIND n")?;
                let mut kinds = Kind::ALL.iter();
                let (_, kind) = kinds.find(|kind| kind.0 == name).context("no such kind")?;
                let n = n.parse()?;
                let (ns, sum) = time(|| calls.call(*kind, n))?;
                Ok(format!("{ns} {sum}"))
            })
        }
        other => bail!("no such command: {other}"),
    }
}

/// Says that it is ready, and answers each line of stdin.
fn each_line(mut answer: impl FnMut(&str) -> Result<String>) -> Result<()> {
    let mut out = std::io::stdout();
    writeln!(out, "ready")?;
    for line in std::io::stdin().lock().lines() {
        let text = answer(&line?)?;
        writeln!(out, "ok {text}")?;
        out.flush()?;
    }
    Ok(())
}

fn started(engine: &impl Engine, wasm: &[u8], eager: bool) -> Result<String> {
    let before = heap::held();
    let mut module = 0;
    let (ns, all) = time(|| engine.start(wasm, eager, &mut || module = heap::held() - before))?;
    let held = heap::held() - before;
    drop(all);
    Ok(format!("{ns} {module} {held}"))
}

fn time<T>(work: impl FnOnce() -> Result<T>) -> Result<(u128, T)> {
    let start = ThreadTime::try_now()?;
    let result = work()?;
    Ok((start.try_elapsed()?.as_nanos(), result))
}
