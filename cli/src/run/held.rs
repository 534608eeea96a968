//! The resources that calls returned: held by name, so that later calls can be given them.
//!
//! A resource that is passed on as `own` is the callee's from then on; one that is lent stays. What is
//! left at the end is dropped, the newest first, so that destructors run.

use anyhow::{Result, anyhow, bail};
use cellule::Store;
use cellule::component::{ResourceAny, ResourceType};
use std::collections::HashMap;

/// Resources by the names that they are printed by.
#[derive(Default)]
pub struct Held {
    entries: Vec<Entry>,
    /// The newest of each name.
    by_name: HashMap<String, usize>,
    /// How many of each kind were named after it.
    counts: HashMap<String, usize>,
    /// What the call that is being made is given: the entry, and whether it is passed on.
    given: Vec<(usize, bool)>,
}

struct Entry {
    name: String,
    kind: String,
    resource: ResourceAny,
    /// What happened to it, if it isn't held any more.
    gone: Option<String>,
}

impl Held {
    /// An error if a name can't be given to what a call returns.
    pub fn check_free(&self, name: &str) -> Result<()> {
        match self.by_name.get(name).map(|at| &self.entries[*at]) {
            Some(entry) if entry.gone.is_none() => bail!(
                "`{name}` is the name of a `{}` that is still held; choose another",
                entry.kind
            ),
            _ => Ok(()),
        }
    }

    /// Takes a resource of a kind, under the name that the user chose or one after its kind. The name.
    pub fn keep(&mut self, chosen: Option<&str>, kind: &str, resource: ResourceAny) -> String {
        let free = |held: &Held, name: &str| held.check_free(name).is_ok();
        let name = match chosen.filter(|name| free(self, name)) {
            Some(name) => name.to_string(),
            None => {
                let stem = chosen.unwrap_or(kind);
                loop {
                    let count = self.counts.entry(stem.to_string()).or_default();
                    *count += 1;
                    let name = format!("{stem}-{count}");
                    if free(self, &name) {
                        break name;
                    }
                }
            }
        };
        self.by_name.insert(name.clone(), self.entries.len());
        self.entries.push(Entry {
            name: name.clone(),
            kind: kind.to_string(),
            resource,
            gone: None,
        });
        name
    }

    /// The resource of a name, to be given to a call: passed on if it is `own`, else lent. Of the type
    /// `ty`, if the call wants one.
    ///
    /// # Errors
    /// Why there is none, or why the call can't have it.
    pub fn give(
        &mut self,
        name: &str,
        own: bool,
        ty: Option<ResourceType>,
    ) -> Result<ResourceAny, String> {
        let Some(&at) = self.by_name.get(name) else {
            return Err(match self.held().collect::<Vec<_>>()[..] {
                [] => format!("no resource is named `{name}`: no call has returned one"),
                ref names => format!(
                    "no resource is named `{name}`; held are `{}`",
                    names.join("`, `")
                ),
            });
        };
        let entry = &self.entries[at];
        if let Some(gone) = &entry.gone {
            return Err(format!("`{name}` isn't held any more: it was {gone}"));
        }
        if ty.is_some_and(|ty| ty != entry.resource.ty()) {
            return Err(format!("`{name}` is of another type: a `{}`", entry.kind));
        }
        let before = self.given.iter().find(|(given, _)| *given == at);
        match before {
            Some((_, true)) => Err(format!("the same call is given `{name}` as its own before")),
            Some((_, false)) if own => Err(format!("`{name}` is lent to the same call")),
            _ => {
                self.given.push((at, own));
                Ok(entry.resource)
            }
        }
    }

    /// The call that was given resources takes place: what was passed on isn't held any more.
    pub fn gave(&mut self, how: &str) {
        for (at, own) in std::mem::take(&mut self.given) {
            if own {
                self.entries[at].gone = Some(how.to_string());
            }
        }
    }

    fn held(&self) -> impl Iterator<Item = &str> {
        let entries = self.entries.iter();
        entries
            .filter(|entry| entry.gone.is_none())
            .map(|entry| entry.name.as_str())
    }

    /// Drops everything that is held.
    ///
    /// # Errors
    /// What the first destructor that failed ended with; the others run nevertheless.
    pub fn drop_all(&mut self, store: &mut Store<()>) -> Result<()> {
        let mut outcome = Ok(());
        self.given.clear();
        for entry in self.entries.iter_mut().rev() {
            if entry.gone.is_some() {
                continue;
            }
            entry.gone = Some("dropped at the end".to_string());
            if let Err(error) = entry.resource.resource_drop(&mut *store) {
                let failed = anyhow!("dropping `{}` at the end: {error:?}", entry.name);
                outcome = outcome.and(Err(failed));
            }
        }
        outcome
    }
}

/// Whether the user may give a resource this name: it has to be a label of WAVE.
pub fn is_name(name: &str) -> bool {
    const KEYWORDS: [&str; 8] = ["true", "false", "some", "none", "ok", "err", "inf", "nan"];
    let word = |word: &str| {
        let lower = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        let upper = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit();
        !word.is_empty() && (word.chars().all(lower) || word.chars().all(upper))
    };
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.split('-').all(word)
        && !KEYWORDS.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::is_name;

    #[test]
    fn names_are_labels_of_wave() {
        for name in ["a", "my-store", "s1", "store-1", "B2-c"] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", "1a", "a_b", "Ab", "a--b", "-a", "none", "nan", "a b"] {
            assert!(!is_name(name), "{name}");
        }
    }
}
