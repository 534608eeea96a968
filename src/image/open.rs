//! Opening an image: its header judged, its sections found, its code checked.

use super::error::ImageError;
use super::header::{FAST, FUEL, Header, Kind};
use super::view::{Source, Words, words_of};
use crate::code::module::{Bytes, ModuleData};
use crate::code::verify;
use crate::error::{Error, Result};
use crate::fallible::{self, Shared};

/// An image whose header agrees with this build.
pub(crate) struct Opened<'a> {
    pub header: Header,
    pub source: Source<'a>,
    /// The sections `tables` and `modules`.
    pub tables: &'a [u8],
    pub modules: &'a [u8],
    /// Whether the code may be used without a look at it.
    pub trusted: bool,
}

/// Opens an image that stays where it is. One that is trusted isn't hashed.
pub(crate) fn in_place(bytes: &'static [u8], kind: Kind, trusted: bool) -> Result<Opened<'static>> {
    let header = header(bytes, kind, trusted)?;
    let [code, tables, modules, rest] = header.sections.clone().map(|section| &bytes[section]);
    let code = words_of(code).map_err(|error| Error::image(error, 0))?;
    Ok(Opened {
        source: Source {
            bytes: Bytes::Static(rest),
            code: Words::Static(code),
        },
        header,
        tables,
        modules,
        trusted,
    })
}

/// Opens an image of which everything is copied.
pub(crate) fn copied(bytes: &[u8], kind: Kind) -> Result<Opened<'_>> {
    let header = header(bytes, kind, false)?;
    let [code, tables, modules, rest] = header.sections.clone().map(|section| &bytes[section]);
    Ok(Opened {
        source: Source {
            bytes: Bytes::Shared(Shared::new(fallible::copied(rest)?)?),
            code: Words::Copied(code),
        },
        header,
        tables,
        modules,
        trusted: false,
    })
}

fn header(bytes: &[u8], kind: Kind, trusted: bool) -> Result<Header> {
    let header = Header::read(bytes, !trusted);
    let header = header.map_err(|(error, offset)| Error::image(error, offset))?;
    match header.kind == kind {
        true => Ok(header),
        false => Err(Error::image(ImageError::Kind, 12)),
    }
}

impl Opened<'_> {
    /// Whether code of this image and of an engine that counts fuel, or doesn't, go together.
    pub fn check_fuel(&self, fuel: bool) -> Result<()> {
        match (self.header.flags & FUEL != 0) == fuel {
            true => Ok(()),
            false => Err(Error::image(ImageError::Fuel, 48)),
        }
    }

    /// Decides whether the code of a module is safe to run.
    pub fn check_code(
        &self,
        data: &ModuleData,
        module: u32,
    ) -> core::result::Result<(), ImageError> {
        if self.trusted {
            return Ok(());
        }
        let fast = self.header.flags & FAST != 0;
        let fuel = self.header.flags & FUEL != 0;
        for (func, decl) in (0..).zip(&data.funcs) {
            let code = decl.code.get().map_or(&[][..], |code| code);
            let checked = verify::function(data, func, code, fast)
                .and_then(|()| verify::fuel::check(code, fuel));
            checked.map_err(|refused| ImageError::Code {
                module,
                func,
                rule: refused.rule,
                word: refused.at as u32,
            })?;
        }
        Ok(())
    }

    /// The error for something in a section.
    pub fn refuse(&self, section: usize, error: ImageError) -> Error {
        Error::image(error, self.header.sections[section].start)
    }
}
