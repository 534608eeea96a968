//! Definitions by name, found again by name or by a compatible version of it.
//!
//! Link time. A component compiled against `wasi:io/streams@0.2.6` must link against a host that
//! offers 0.2.12: an interface name with a version is looked up exactly first, then by what semver
//! calls compatible, where the highest version wins. Names without a version, and those with a
//! pre-release, only match exactly.

use crate::error::OutOfMemory;
use crate::fallible;
use alloc::string::String;
use alloc::vec::Vec;

/// A released version. Build metadata doesn't order versions, so it isn't kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Version {
    major: u64,
    minor: u64,
    patch: u64,
}

impl Version {
    /// `None` for what is neither `major.minor.patch` nor a canonical version, or is a pre-release.
    fn parse(text: &str) -> Option<Version> {
        if let Some(canonical) = Version::parse_canonical(text) {
            return Some(canonical);
        }
        let release = match text.split_once('+') {
            Some((release, build)) if is_build(build) => release,
            Some(_) => return None,
            None => text,
        };
        let mut parts = release.split('.');
        let version = Version {
            major: number(parts.next()?)?,
            minor: number(parts.next()?)?,
            patch: number(parts.next()?)?,
        };
        parts.next().is_none().then_some(version)
    }

    /// As much of a version as matters for compatibility: `1`, `0.2`. It stands for the lowest of the
    /// versions that it names, since all of them are compatible.
    fn parse_canonical(text: &str) -> Option<Version> {
        let (major, minor) = match text.split_once('.') {
            Some((major, minor)) => (number(major)?, number(minor)?),
            None => (number(text)?, 0),
        };
        let exact = match text.contains('.') {
            true => major == 0 && minor > 0,
            false => major > 0,
        };
        exact.then_some(Version {
            major,
            minor,
            patch: 0,
        })
    }

    /// How much of it must be equal for two versions to be compatible: up to the first part that
    /// isn't zero.
    fn compatible_part(self) -> Version {
        match self {
            Version {
                major: 0, minor: 0, ..
            } => self,
            Version {
                major: 0, minor, ..
            } => Version {
                major: 0,
                minor,
                patch: 0,
            },
            Version { major, .. } => Version {
                major,
                minor: 0,
                patch: 0,
            },
        }
    }
}

/// A number as semver writes it: digits without a leading zero.
fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let canonical = text == "0" || !text.starts_with('0');
    (digits && canonical).then(|| text.parse().ok()).flatten()
}

fn is_build(text: &str) -> bool {
    text.split('.').all(|part| {
        !part.is_empty()
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    })
}

/// The name before `@`, the version's compatible part, and the version; `None` where only an exact
/// match is meant.
pub(super) fn split_version(name: &str) -> Option<(&str, Version, Version)> {
    let (base, version) = name.split_once('@')?;
    let version = Version::parse(version)?;
    Some((base, version.compatible_part(), version))
}

/// Whether two names are the same or differ in compatible versions only.
pub(crate) fn compatible(a: &str, b: &str) -> bool {
    let part = |name| split_version(name).map(|(base, part, _)| (base, part));
    a == b || part(a).is_some_and(|part_of_a| part(b) == Some(part_of_a))
}

/// A map from names to definitions with the lookup that imports use.
///
/// In the order of the names, so that the versions of an interface stand beside each other: a linker has some hundreds of
/// them, and trees of maps can't be told that there is no memory.
#[derive(Clone, Debug)]
pub(crate) struct NameMap<V> {
    entries: Vec<(String, V)>,
}

/// Why a name can't be defined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Undefined {
    /// It is already, where shadowing isn't allowed.
    Twice,
    OutOfMemory,
}

impl From<OutOfMemory> for Undefined {
    fn from(_: OutOfMemory) -> Undefined {
        Undefined::OutOfMemory
    }
}

impl<V> Default for NameMap<V> {
    fn default() -> NameMap<V> {
        NameMap {
            entries: Vec::new(),
        }
    }
}

impl<V> NameMap<V> {
    /// Defines `name`. With `shadowing` it replaces what was there.
    pub fn insert(&mut self, name: &str, value: V, shadowing: bool) -> Result<(), Undefined> {
        match self.place(name) {
            Ok(_) if !shadowing => return Err(Undefined::Twice),
            Ok(at) => self.entries[at].1 = value,
            Err(at) => self.insert_at(at, name, value)?,
        }
        Ok(())
    }

    /// The definition of `name`, made by `make` where there is none.
    pub fn get_or_insert_with(
        &mut self,
        name: &str,
        make: impl FnOnce() -> V,
    ) -> Result<&mut V, OutOfMemory> {
        let at = match self.place(name) {
            Ok(at) => at,
            Err(at) => {
                self.insert_at(at, name, make())?;
                at
            }
        };
        Ok(&mut self.entries[at].1)
    }

    /// What an import of `name` is given: the exact name, else the highest compatible version.
    pub fn get(&self, name: &str) -> Option<&V> {
        if let Ok(at) = self.place(name) {
            return Some(&self.entries[at].1);
        }
        let (base, part, _) = split_version(name)?;
        let first = self
            .entries
            .partition_point(|(known, _)| known.as_str() < base);
        let versions = self.entries[first..].iter();
        let versions = versions.take_while(|(known, _)| known.starts_with(base));
        let compatible = versions.filter_map(|(known, value)| match split_version(known)? {
            (of, its, version) if of == base && its == part => Some((version, value)),
            _ => None,
        });
        Some(compatible.max_by_key(|(version, _)| *version)?.1)
    }

    /// Whether this very name is defined.
    pub fn has(&self, name: &str) -> bool {
        self.place(name).is_ok()
    }

    /// Where a name stands, or would.
    fn place(&self, name: &str) -> Result<usize, usize> {
        self.entries
            .binary_search_by(|(known, _)| known.as_str().cmp(name))
    }

    fn insert_at(&mut self, at: usize, name: &str, value: V) -> Result<(), OutOfMemory> {
        self.entries.try_reserve(1)?;
        self.entries.insert(at, (fallible::text(name)?, value));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(names: &[&'static str]) -> NameMap<&'static str> {
        let mut map = NameMap::default();
        for name in names {
            map.insert(name, *name, false).unwrap();
        }
        map
    }

    #[test]
    fn an_older_import_links_against_the_newer_patch() {
        let host = map(&["wasi:io/streams@0.2.12"]);
        assert_eq!(
            host.get("wasi:io/streams@0.2.6"),
            Some(&"wasi:io/streams@0.2.12")
        );
        assert_eq!(host.get("wasi:io/streams@0.3.0"), None);
        assert_eq!(host.get("wasi:io/poll@0.2.6"), None);
        assert_eq!(host.get("wasi:io/streams"), None);
    }

    #[test]
    fn an_exact_version_wins_over_a_higher_one() {
        let host = map(&["a:b/c@1.2.0", "a:b/c@1.10.0", "a:b/c@1.9.9"]);
        assert_eq!(host.get("a:b/c@1.2.0"), Some(&"a:b/c@1.2.0"));
        assert_eq!(host.get("a:b/c@1.0.0"), Some(&"a:b/c@1.10.0"));
        assert_eq!(host.get("a:b/c@2.0.0"), None);
    }

    #[test]
    fn patches_of_0_0_and_pre_releases_only_match_themselves() {
        let host = map(&["a:b/c@0.0.3", "a:b/d@1.0.0-rc.1", "a:b/e@1.0.0"]);
        assert_eq!(host.get("a:b/c@0.0.4"), None);
        assert_eq!(host.get("a:b/c@0.0.3"), Some(&"a:b/c@0.0.3"));
        assert_eq!(host.get("a:b/d@1.0.0"), None);
        assert_eq!(host.get("a:b/d@1.0.0-rc.1"), Some(&"a:b/d@1.0.0-rc.1"));
        assert_eq!(host.get("a:b/e@1.0.0-rc.1"), None);
    }

    #[test]
    fn a_canonical_version_stands_for_all_that_are_compatible() {
        let host = map(&["a:b/c@1.2.0", "a:b/c@1.3.0", "a:b/d@0.2", "a:b/e@2"]);
        assert_eq!(host.get("a:b/c@1"), Some(&"a:b/c@1.3.0"));
        assert_eq!(host.get("a:b/d@0.2.7"), Some(&"a:b/d@0.2"));
        assert_eq!(host.get("a:b/e@2.5.1"), Some(&"a:b/e@2"));
        for other in ["a:b/c@2", "a:b/c@0.1", "a:b/d@0.3.0", "a:b/e@1"] {
            assert_eq!(host.get(other), None, "{other}");
        }
    }

    #[test]
    fn what_is_no_version_never_matches_another_name() {
        let host = map(&["a:b/c@1.0.0"]);
        let forged = [
            "0",
            "0.0",
            "1.0",
            "1.0.0.0",
            "01.0.0",
            "1.0.x",
            "1.0.+1",
            "1.0.0+",
            "1.0.0+a..b",
        ];
        for version in forged.iter().chain(&["", "99999999999999999999.0.0"]) {
            assert_eq!(
                host.get(&alloc::format!("a:b/c@{version}")),
                None,
                "{version}"
            );
        }
        assert!(host.get("a:b/c@1.0.0+build.5").is_some());
    }

    #[test]
    fn a_second_definition_is_an_error_unless_it_may_shadow() {
        let mut host = map(&["a:b/c@1.0.0"]);
        assert_eq!(
            host.insert("a:b/c@1.0.0", "second", false),
            Err(Undefined::Twice)
        );
        assert_eq!(host.get("a:b/c@1.0.0"), Some(&"a:b/c@1.0.0"));
        host.insert("a:b/c@1.0.0", "third", true).unwrap();
        assert_eq!(host.get("a:b/c@1.0.1"), Some(&"third"));
        *host.get_or_insert_with("a:b/c@1.4.0", || "made").unwrap() = "changed";
        assert_eq!(host.get("a:b/c@1.0.1"), Some(&"changed"));
    }
}
