//! The WIT that bindings are made of: read, resolved, its world chosen.
//!
//! Errors name the line in question: of a file, or of the Rust source where WIT stands in it.

use super::options::Options;
use proc_macro2::Span;
use std::path::{Path, PathBuf};
use syn::{Error, LitStr, Result};
use wit_parser::{PackageId, Resolve, WorldId};

/// What `interfaces` makes a world of.
const SYNTHESIZED: &str = "cellule:bindgen-synthesized/interfaces";

/// A world with everything that it refers to.
pub struct Source {
    /// All packages.
    pub resolve: Resolve,
    /// The world.
    pub world: WorldId,
    /// The files that were read.
    pub files: Vec<PathBuf>,
}

impl Source {
    /// Reads what the options name; `root` is the folder of the crate.
    pub fn read(options: &Options, root: &Path) -> Result<Source> {
        // What is unstable is there, and linked where it is asked for.
        let mut resolve = Resolve {
            all_features: true,
            ..Resolve::default()
        };
        let (mut files, mut packages) = (Vec::new(), Vec::new());
        for (path, span) in folders(options, root) {
            // The shortest form of the path makes the clearest message.
            let path = std::fs::canonicalize(&path).unwrap_or(path);
            let pushed = resolve.push_path(&path);
            let (package, sources) =
                pushed.map_err(|error| Error::new(span, resolve.render_error(&error)))?;
            packages.push(package);
            files.extend(sources.paths().map(Path::to_owned));
        }
        let mut name = options.world.as_ref().map(LitStr::value);
        let mut span = options
            .world
            .as_ref()
            .map_or(Span::call_site(), LitStr::span);
        if let Some(inline) = &options.inline {
            packages = vec![push(&mut resolve, inline, |text| text)?];
        } else if let Some(interfaces) = &options.interfaces {
            // On one line, so that lines stay what they are.
            let wrap = |text| {
                format!("package cellule:bindgen-synthesized; world interfaces {{ {text} }}")
            };
            packages = vec![push(&mut resolve, interfaces, wrap)?];
            name = Some(SYNTHESIZED.into());
            span = interfaces.span();
        }
        let world = resolve
            .select_world(&packages, name.as_deref())
            .map_err(|error| Error::new(span, format!("{error:?}")))?;
        resolve.generate_nominal_type_ids(world);
        Ok(Source {
            resolve,
            world,
            files,
        })
    }
}

/// The files and folders to read, with where they are named.
fn folders(options: &Options, root: &Path) -> Vec<(PathBuf, Span)> {
    let named = options.paths.iter();
    let named: Vec<_> = named
        .map(|path| (root.join(path.value()), path.span()))
        .collect();
    let default = root.join("wit");
    if named.is_empty() && default.exists() {
        return vec![(default, Span::call_site())];
    }
    named
}

/// Adds WIT that stands in the Rust source. Empty lines before it make its lines those of the source.
fn push(
    resolve: &mut Resolve,
    inline: &LitStr,
    wrap: impl FnOnce(String) -> String,
) -> Result<PackageId> {
    let (file, line) = place(inline);
    let text = "\n".repeat(line - 1) + &wrap(inline.value());
    let pushed = resolve.push_str(&file, &text);
    pushed.map_err(|error| Error::new(inline.span(), resolve.render_error(&error)))
}

/// The file and line that a literal begins at.
fn place(literal: &LitStr) -> (String, usize) {
    if !proc_macro::is_available() {
        return ("inline.wit".into(), 1);
    }
    let span = literal.span().unwrap();
    (span.file(), span.line().max(1))
}
