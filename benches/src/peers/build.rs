//! Builds peers: by the cargo that built the bench, with the same profile, into the same target folder.

use super::Peer;
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A peer that is there.
pub struct Built {
    pub peer: &'static Peer,
    /// The programs: as it is linked always, and in other orders of its functions.
    pub programs: Vec<PathBuf>,
}

/// Builds a peer unless it is built, with this program's profile. What is measured is also linked in another order,
/// where the linker can do it.
pub fn build(peer: &'static Peer) -> Result<Built> {
    let (mut target, own) = place()?;
    let benches = Path::new(env!("CARGO_MANIFEST_DIR"));
    let package = format!("peer-{}", peer.package);
    let profile = if peer.small { "small" } else { &own };
    eprintln!("building {package} ({profile}) …");
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args([
        "build",
        "--quiet",
        "--locked",
        "--profile",
        profile,
        "--package",
        &package,
    ]);
    cargo.arg("--manifest-path").arg(benches.join("Cargo.toml"));
    if ["release", "small"].contains(&profile) && cfg!(target_os = "linux") {
        let linker = benches.join("peers/link-orders.sh");
        cargo
            .arg("--config")
            .arg(format!("target.'cfg(all())'.linker={linker:?}"));
        // cargo builds everything again when the linker changes: not what this program is made of.
        target.push("peers");
    }
    cargo.arg("--target-dir").arg(&target);
    if let Some(compiler) = compiler(peer) {
        cargo.env("CC", compiler);
    }
    let output = cargo.output().context("no cargo")?;
    if !output.status.success() {
        bail!(
            "can't be built: {}",
            why(&String::from_utf8_lossy(&output.stderr))
        );
    }
    let folder = if profile == "dev" { "debug" } else { profile };
    let program = target.join(folder).join(&package);
    let mut programs = vec![program.clone()];
    let other = program.with_extension("order1");
    if other.exists() {
        programs.push(other);
    }
    Ok(Built { peer, programs })
}

/// The target folder that this program lies in, and the profile's folder there. Bench by `release`: `quick` and `debug`
/// only show that everything works.
fn place() -> Result<(PathBuf, String)> {
    let program = std::env::current_exe()?;
    let folder = program.parent().context("the bench isn't in a folder")?;
    let target = folder
        .parent()
        .context("the bench isn't in a target folder")?;
    let profile = match folder.file_name().and_then(|name| name.to_str()) {
        Some("debug") => "dev",
        Some(profile) => profile,
        None => bail!("the bench isn't in a profile's folder"),
    };
    Ok((target.to_path_buf(), profile.to_string()))
}

/// wasm3's handlers call each other in sibling position, which clang guarantees; and all peers have the same code
/// generator then.
fn compiler(peer: &Peer) -> Option<&'static str> {
    if !["wasm3", "wamr"].contains(&peer.package) || std::env::var_os("CC").is_some() {
        return None;
    }
    let runs = |name: &&str| Command::new(name).arg("--version").output().is_ok();
    ["clang-19", "clang"].into_iter().find(runs)
}

/// The line of cargo's errors that tells most.
fn why(stderr: &str) -> String {
    let lines = || {
        stderr
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
    };
    let telling = |line: &&str| {
        [
            "panicked",
            "not installed",
            "Unable to find",
            "error[",
            "couldn't",
        ]
        .iter()
        .any(|word| line.contains(word))
    };
    let line = lines().find(telling).or_else(|| lines().next());
    line.unwrap_or("cargo said nothing").to_string()
}
