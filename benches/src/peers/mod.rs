//! The peers: engines that run in programs of their own, one process each, so that no engine's code is laid out or
//! inlined beside another's, and each can be started again and linked otherwise.

mod build;
mod session;

pub use build::{Built, build};
pub use session::Session;

use anyhow::Result;

/// What a peer is to the comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// cellule as it is by default, or in one of its other configurations.
    Own,
    /// An interpreter to be compared with.
    Interpreter,
    /// A compiler: what is possible where a JIT may run.
    Ceiling,
}

/// An engine in one configuration.
#[derive(Debug)]
pub struct Peer {
    pub name: &'static str,
    pub role: Role,
    /// The package in `benches/peers/`, without `peer-`.
    pub package: &'static str,
    /// Built with the profile `small` instead of `release`.
    pub small: bool,
    pub options: &'static [&'static str],
    /// The crate that it measures, and how its version begins.
    engine: (&'static str, &'static str),
    /// Measured where no peers are named.
    pub usual: bool,
}

impl Peer {
    /// The engine with its version, as the lock file has it.
    pub fn engine(&self) -> String {
        let (name, begins) = self.engine;
        let version = include_str!("../../Cargo.lock")
            .split(&format!("name = \"{name}\"\nversion = \""))
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
            .find(|version| version.starts_with(begins));
        format!("{name} {}", version.unwrap_or("?"))
    }
}

const fn own(name: &'static str, package: &'static str, options: &'static [&'static str]) -> Peer {
    Peer {
        name,
        role: Role::Own,
        package,
        small: false,
        options,
        engine: ("cellule", ""),
        usual: true,
    }
}

const fn interpreter(name: &'static str, engine: (&'static str, &'static str)) -> Peer {
    Peer {
        name,
        role: Role::Interpreter,
        package: name,
        small: false,
        options: &[],
        engine,
        usual: true,
    }
}

/// All of them; cellule, which the others are compared with, is the first.
pub const ALL: &[Peer] = &[
    own("cellule", "cellule", &[]),
    own("cellule-fuel", "cellule", &["--fuel"]),
    own("cellule-base", "cellule", &["--base"]),
    own("cellule-loop", "cellule-loop", &[]),
    own("cellule-loop-base", "cellule-loop", &["--base"]),
    interpreter("wasmi2", ("wasmi", "2.")),
    interpreter("wasmi1", ("wasmi", "1.")),
    interpreter("wasm3", ("wasm3x", "")),
    interpreter("wamr", ("wamrx", "")),
    interpreter("tinywasm", ("tinywasm", "")),
    Peer {
        package: "wasmtime",
        options: &["--pulley"],
        ..interpreter("pulley", ("wasmtime", ""))
    },
    Peer {
        role: Role::Ceiling,
        package: "wasmtime",
        options: &["--cranelift"],
        ..interpreter("cranelift", ("wasmtime", ""))
    },
    Peer {
        small: true,
        usual: false,
        ..own("cellule-loop-small", "cellule-loop", &["--base"])
    },
    Peer {
        small: true,
        usual: false,
        package: "wasmi2-portable",
        ..interpreter("wasmi2-portable-small", ("wasmi", "2."))
    },
];

/// Their names.
pub fn names() -> impl Iterator<Item = &'static str> {
    ALL.iter().map(|peer| peer.name)
}

/// The peers that are asked for, or the usual ones, built; and those that can't be, with why. cellule always is
/// among them. A peer that was asked for by name and can't be built is an error.
pub fn chosen(names: &[String]) -> Result<(Vec<Built>, Vec<String>)> {
    let asked = |peer: &&Peer| match names {
        [] => peer.usual,
        _ => peer.name == "cellule" || names.iter().any(|name| name == peer.name),
    };
    let mut built = Vec::new();
    let mut missing = Vec::new();
    for peer in ALL.iter().filter(asked) {
        match build(peer) {
            Ok(one) => built.push(one),
            Err(error) if names.is_empty() && peer.role != Role::Own => {
                missing.push(format!("{}: {error:#}", peer.name));
            }
            Err(error) => return Err(error),
        }
    }
    Ok((built, missing))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_peer_has_a_package_and_an_engine_with_a_version() {
        for peer in ALL {
            let package = peer.package;
            let manifest = format!("{}/peers/{package}/Cargo.toml", env!("CARGO_MANIFEST_DIR"));
            assert!(std::path::Path::new(&manifest).exists(), "{manifest}");
            let engine = peer.engine();
            let version = engine.split_once(' ').expect("a version").1;
            assert!(
                version.starts_with(|c: char| c.is_ascii_digit()),
                "{engine}"
            );
            assert!(version.len() < 10, "{engine}");
        }
        assert_eq!(ALL[0].name, "cellule");
    }
}
