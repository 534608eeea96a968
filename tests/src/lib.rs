//! What the tests share: where the repository and the official suites are, and guests with their hosts.

pub mod canonical;
pub mod echo;
pub mod guests;
pub mod heap;
pub mod images;
pub mod stories;
pub mod waiting;

use std::path::{Path, PathBuf};

/// The repository's root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The folder of official suites, from `CELLULE_CONFORMANCE`.
///
/// Without it a test says so and passes over. Where `CI` is set to `true` it has to be there.
///
/// # Panics
/// In CI without the suites, or if the folder that is named doesn't exist.
pub fn conformance() -> Option<PathBuf> {
    match std::env::var_os("CELLULE_CONFORMANCE") {
        Some(folder) => {
            let folder = PathBuf::from(folder);
            assert!(
                folder.is_dir(),
                "CELLULE_CONFORMANCE names no folder: {}",
                folder.display()
            );
            Some(folder)
        }
        None => {
            let in_ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
            assert!(
                !in_ci,
                "CELLULE_CONFORMANCE isn't set in CI: the suites would not run"
            );
            eprintln!(
                "CELLULE_CONFORMANCE isn't set: passed over without the official component suites"
            );
            None
        }
    }
}

/// A guest of a real toolchain, from the folder `guests` beside the suites. Without it a test says so
/// and passes over; in CI it has to be there.
///
/// # Panics
/// In CI without it, or if it can't be read.
pub fn shared_guest(name: &str) -> Option<Vec<u8>> {
    let path = conformance()?.join("../guests").join(name);
    if !path.is_file() && path.parent().is_none_or(|folder| !folder.is_dir()) {
        eprintln!("passed over: there is no {}", path.display());
        return None;
    }
    Some(std::fs::read(&path).expect("a readable guest"))
}
