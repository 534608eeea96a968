//! The command line: what the program can do, told so that `--help` teaches it.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Run, inspect and test WebAssembly components and core modules.
#[derive(Debug, Parser)]
#[command(name = "cellule", version, about, after_help = OVERVIEW, max_term_width = 100)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const OVERVIEW: &str = "\
Examples:
  cellule run greet.wasm --invoke 'run(\"wörld\")'
  cellule inspect --wit greet.wasm
  cellule disasm fib.wat fib
  cellule compile greet.wasm -o greet.cell
  cellule wast -v suite/

`cellule COMMAND --help` tells more about a command.
Files may be binary (.wasm), text (.wat) or, for `run` and `inspect`, images (.cell). Exit code: 0 if all went well, 1 on any error.";

/// The program's commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Instantiate a component or core module and call its exports
    Run(RunArgs),
    /// Print the world of a component, its core modules, and what the file needs
    Inspect(InspectArgs),
    /// Write a component or core module as an image, which runs where it lies
    Compile(CompileArgs),
    /// Print the code that functions are translated to
    Disasm(DisasmArgs),
    /// Run official test scripts (.wast)
    Wast(WastArgs),
}

/// Arguments of `cellule run`.
#[derive(Debug, Args)]
#[command(after_help = RUN_HELP)]
pub struct RunArgs {
    /// Component or core module
    pub file: PathBuf,

    /// A call, `NAME(ARGUMENTS)` or `RESOURCE = NAME(ARGUMENTS)`; several run in order in one instance
    #[arg(long, short, value_name = "CALL")]
    pub invoke: Vec<String>,

    /// What to do about imports, which this program doesn't serve
    #[arg(long, value_enum, default_value_t = UnknownImports::Refuse, value_name = "WHAT")]
    pub unknown_imports: UnknownImports,

    /// Fuel for instantiation and all calls together; unlimited without it
    #[arg(long, value_name = "UNITS")]
    pub fuel: Option<u64>,

    /// What the guest may use.
    #[command(flatten)]
    pub limits: Limits,

    /// Translate to slots and immediates only, not to accumulator and fused forms
    #[arg(long)]
    pub base_tier: bool,

    /// At the end print how often each instruction was executed; runs slower
    #[arg(long)]
    pub stats: bool,
}

/// What happens about imports that nothing serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum UnknownImports {
    /// An error that lists them all
    Refuse,
    /// A function that is called traps
    Trap,
    /// The call is printed to stderr if it has nothing to return, else it traps
    Print,
}

/// Limits on what a guest may use.
#[derive(Clone, Copy, Debug, Default, Args)]
pub struct Limits {
    /// Largest size of one linear memory, in bytes
    #[arg(long, value_name = "BYTES")]
    pub max_memory: Option<usize>,

    /// Largest number of elements of one table
    #[arg(long, value_name = "COUNT")]
    pub max_table: Option<u32>,
}

const RUN_HELP: &str = "\
Calls:
  Arguments and results are WAVE, the text form of component values: numbers 5 -1 2.5 inf nan,
  \"text\", 'c', true, lists [1, 2], tuples (1, \"a\"), records {x: 1, y: 2}, variants circle(2),
  enums red, flags {read, write}, options some(1) and none, results ok(1) and err(\"why\"),
  maps {\"a\": 1}, error contexts error-context(\"why\").
  Core modules take numbers, in decimal. Results go to stdout, one line a call, () if there are none.

Resources:
  A resource in a result is kept and printed by its name: counter-1, counter-2 and so on, or NAME where
  the call is written NAME = CALL. Later calls take it by that name wherever a resource is expected.
  A method's first argument is its resource. Passed on as `own` it is the callee's and its name is gone;
  lent as `borrow` it stays. `[drop](NAME)` drops one; what is left at the end is dropped, the newest first.

Names:
  demo:app/shapes@0.1.0#area is the function area of that interface; area or shapes#area will do
  where only one function is meant. Without --invoke all functions are listed with their types.

Examples:
  cellule run text.wasm --invoke 'run(\"wörld\")'
  cellule run app.wasm --unknown-imports print -i 'area(circle(2))' -i 'centroid([])'
  cellule run app.wasm -i 'counter(5)' -i 'counter.inc(counter-1)' -i '[drop](counter-1)'
  cellule run depot.wasm -i 'a = store(2)' -i 'b = store(3)' -i 'store.merge(a, b)'
  cellule run guest.wasm --invoke 'run(\"a\")' --fuel 1000000 --max-memory 16777216
  cellule run fib.wat --invoke 'fib(30)' --stats";

/// Arguments of `cellule disasm`.
#[derive(Debug, Args)]
#[command(after_help = DISASM_HELP)]
pub struct DisasmArgs {
    /// Component or core module
    pub file: PathBuf,

    /// A function: its export's name, its name in the name section, or its index; all without it
    #[arg(value_name = "FUNC")]
    pub function: Option<String>,

    /// Core module within a component, counted from 0 as `inspect` does; all without it
    #[arg(long, value_name = "INDEX")]
    pub module: Option<usize>,

    /// Translate to slots and immediates only, not to accumulator and fused forms
    #[arg(long)]
    pub base_tier: bool,

    /// Translate with fuel metering on
    #[arg(long)]
    pub fuel: bool,
}

const DISASM_HELP: &str = "\
Examples:
  cellule disasm fib.wat fib
  cellule disasm component.wasm --module 0 12
  cellule disasm fib.wat fib --base-tier";

/// Arguments of `cellule compile`.
#[derive(Debug, Args)]
#[command(after_help = COMPILE_HELP)]
pub struct CompileArgs {
    /// Component or core module
    pub file: PathBuf,

    /// Where the image goes
    #[arg(long, short, value_name = "FILE")]
    pub output: PathBuf,

    /// Translate to slots and immediates only, for runtimes without accumulator and fused forms
    #[arg(long)]
    pub base_tier: bool,

    /// Count fuel: the image then runs in engines that do, and only there
    #[arg(long)]
    pub fuel: bool,
}

const COMPILE_HELP: &str = "\
An image (.cell) holds the tables and the code. `run` and `inspect` take it like a binary; on a device
`include_image!` and `Component::from_image` run it in flash, in builds without a compiler.

Examples:
  cellule compile greet.wasm -o greet.cell
  cellule compile --base-tier --fuel greet.wasm -o greet.cell";

/// Arguments of `cellule inspect`.
#[derive(Debug, Args)]
#[command(after_help = INSPECT_HELP)]
pub struct InspectArgs {
    /// Component or core module
    pub file: PathBuf,

    /// Print a component's world only, as WIT that can be read back
    #[arg(long)]
    pub wit: bool,
}

const INSPECT_HELP: &str = "\
Told are a component's world as WIT, its core modules with imports, exports, memories and tables, what
they take at first, and the features that the file needs beyond WebAssembly 1.0. A file that needs what
`run` hasn't can be looked into all the same.

Examples:
  cellule inspect component.wasm
  cellule inspect --wit component.wasm > world.wit";

/// Arguments of `cellule wast`.
#[derive(Debug, Args)]
#[command(after_help = WAST_HELP)]
pub struct WastArgs {
    /// Scripts, or folders of them
    #[arg(required = true, value_name = "FILE-or-FOLDER")]
    pub paths: Vec<PathBuf>,

    /// Features to switch on (`a,b`) or off (`-c`) on top of each script's own header
    #[arg(long, value_name = "LIST", allow_hyphen_values = true)]
    pub features: Vec<String>,

    /// A file of expected differences: lines of `script:line reason`
    #[arg(long, value_name = "FILE")]
    pub differences: Option<PathBuf>,

    /// Name each failure, and each skip with its reason
    #[arg(long, short)]
    pub verbose: bool,

    /// Translate to slots and immediates only, not to accumulator and fused forms
    #[arg(long)]
    pub base_tier: bool,

    /// Run with fuel metering on
    #[arg(long)]
    pub fuel: bool,

    /// Run component calls in slices of this much fuel, resumed until they end
    #[arg(long, value_name = "UNITS")]
    pub slice: Option<u64>,
}

const WAST_HELP: &str = "\
A script's header says which features it needs (`;;!` lines or `;; RUN: … -f`). Each directive is
judged on its own: what needs a feature that isn't supported yet is skipped under its name. The last
line is `N passed, N failed, N skipped`; the exit code is 1 if any failed.

Examples:
  cellule wast -v suite/i32.wast
  cellule wast --features wasm1,-multi-memory core/";

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
