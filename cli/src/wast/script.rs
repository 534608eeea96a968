//! Reads scripts: files or whole folders of them, decoded to text that the `wast` parser accepts.

use super::features::FeatureSet;
use super::legacy;
use anyhow::{Context, Result, anyhow};
use cellule::Limits;
use std::path::{Path, PathBuf};
use wast::lexer::Lexer;
use wast::parser::{self, ParseBuffer};

/// A script's text, and what its header asks for.
pub struct Script {
    /// The name in reports.
    pub name: String,
    /// Text in today's grammar.
    pub text: String,
    /// The features that it runs with.
    pub features: FeatureSet,
}

impl Script {
    /// Reads a script from a file.
    pub fn read(path: &Path) -> Result<Self> {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path).with_context(|| format!("can't read {name}"))?;
        Self::new(&name, text)
    }

    /// The limits that it is written for: scripts with `;;!` headers come from a suite that allows
    /// longer strings than the specification does by now, and some of it want larger memories.
    pub fn limits(&self) -> Limits {
        let mut limits = Limits::server();
        if self.text.starts_with(";;!") {
            limits.string_bytes = (1 << 31) - 1;
        }
        if self.text.contains(";;! hogs_memory = true") {
            limits.memory_bytes = limits.memory_bytes.saturating_mul(2);
        }
        limits
    }

    /// A script from text; its features come from its header.
    pub fn new(name: &str, text: String) -> Result<Self> {
        let features =
            FeatureSet::of_script(&text).with_context(|| format!("in the header of {name}"))?;
        let text = modernise(text).map_err(|mut error| {
            error.set_path(Path::new(name));
            anyhow!("{error}")
        })?;
        Ok(Self {
            name: name.to_string(),
            text,
            features,
        })
    }
}

/// Lexes a script as the official tools do.
pub fn lex(text: &str) -> Result<ParseBuffer<'_>, wast::Error> {
    let mut lexer = Lexer::new(text);
    lexer.allow_confusing_unicode(true);
    ParseBuffer::new_with_lexer(lexer)
}

/// Brings index references of the older grammar up to date, if there are any.
pub fn modernise(mut text: String) -> Result<String, wast::Error> {
    loop {
        let error = {
            let buffer = with_text(lex(&text), &text)?;
            with_text(parser::parse::<wast::Wast>(&buffer), &text).err()
        };
        match error {
            None => return Ok(text),
            Some(error) => text = legacy::rewrite(&text, &error).ok_or(error)?,
        }
    }
}

fn with_text<T>(result: Result<T, wast::Error>, text: &str) -> Result<T, wast::Error> {
    result.map_err(|mut error| {
        error.set_text(text);
        error
    })
}

/// The scripts that a path names: itself, or all `.wast` files below a folder, sorted.
pub fn find(path: &Path) -> Result<Vec<PathBuf>> {
    let meta = std::fs::metadata(path).with_context(|| format!("can't open {}", path.display()))?;
    if !meta.is_dir() {
        return Ok(vec![path.to_path_buf()]);
    }
    let mut found = Vec::new();
    let mut folders = vec![path.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(&folder)
            .with_context(|| format!("can't list {}", folder.display()))?;
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path
                .extension()
                .is_some_and(|extension| extension == "wast")
            {
                found.push(path);
            }
        }
    }
    found.sort();
    if found.is_empty() {
        return Err(anyhow!("no .wast files in {}", path.display()));
    }
    Ok(found)
}
