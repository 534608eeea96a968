//! Collecting what several binaries hold, so that they can be flattened as one component.

use super::{Assembled, Source, Template};
use crate::component::binary::{Assembly, Part, assemble};
use crate::error::{Error, ErrorKind, Result};
use crate::fallible::Shared;
use crate::wasm::{Engine, Module};
use alloc::string::String;
use alloc::vec::Vec;
use hashbrown::HashMap;

/// Flattens a component as the root; `given` is what the components are that it imports, by the names
/// that lead to each.
pub(in crate::component) fn assembled(
    engine: &Engine,
    root: &Template,
    given: &[(Vec<String>, Template)],
) -> Result<Assembled> {
    let templates = given.iter().map(|(_, template)| template);
    if templates.chain([root]).any(Template::is_of_image) {
        let why = "a component from an image where its binary is needed";
        return Err(Error::of(ErrorKind::Unsupported, why));
    }
    let mut gathering = Gathering::default();
    let root = gathering.part(root);
    let given: Vec<_> = given
        .iter()
        .map(|(path, template)| (path.clone(), gathering.part(template)))
        .collect();
    let (assembly, sources) = gathering.finish(root, given);
    let tables = Shared::new(assemble(engine, &assembly)?)?;
    Ok(Assembled {
        tables,
        modules: assembly.modules,
        sources,
    })
}

/// Collects each binary and each component once.
#[derive(Default)]
struct Gathering {
    sources: Vec<Shared<Source>>,
    known_sources: HashMap<usize, usize>,
    parts: Vec<Part>,
    known_parts: HashMap<usize, u32>,
    /// Modules that were captured; the sources' own stand before them in the end.
    captured: Vec<Module>,
}

impl Gathering {
    /// The number of a component, which comes after those that it captured.
    fn part(&mut self, template: &Template) -> u32 {
        let key = |template: &Template| Shared::address(&template.0);
        let mut open = alloc::vec![(template.clone(), false)];
        while let Some((next, ready)) = open.pop() {
            if self.known_parts.contains_key(&key(&next)) {
                continue;
            }
            if !ready {
                open.push((next.clone(), true));
                let captured = next.0.components.iter().cloned();
                open.extend(captured.map(|template| (template, false)));
                continue;
            }
            let components = next.0.components.iter();
            let part = Part {
                source: self.source(&next.0.source),
                plan: next.0.plan,
                modules: next.0.modules.iter().map(|m| self.captured(m)).collect(),
                components: components.map(|c| self.known_parts[&key(c)]).collect(),
            };
            self.parts.push(part);
            let number = self.parts.len() as u32 - 1;
            self.known_parts.insert(key(&next), number);
        }
        self.known_parts[&key(template)]
    }

    fn source(&mut self, source: &Shared<Source>) -> usize {
        let sources = &mut self.sources;
        *self
            .known_sources
            .entry(Shared::address(source))
            .or_insert_with(|| {
                sources.push(source.clone());
                sources.len() - 1
            })
    }

    fn captured(&mut self, module: &Module) -> u32 {
        self.captured.push(module.clone());
        self.captured.len() as u32 - 1
    }

    fn finish(
        mut self,
        root: u32,
        given: Vec<(Vec<String>, u32)>,
    ) -> (Assembly, Vec<Shared<Source>>) {
        let own = self.sources.iter().flat_map(|source| &source.modules);
        let mut modules: Vec<Module> = own.cloned().collect();
        for part in &mut self.parts {
            for module in &mut part.modules {
                *module += modules.len() as u32;
            }
        }
        modules.append(&mut self.captured);
        let sources = self.sources.iter();
        let assembly = Assembly {
            sources: sources
                .map(|source| (source.bytes.clone(), source.plans))
                .collect(),
            modules,
            parts: self.parts,
            root,
            given,
        };
        (assembly, self.sources)
    }
}
