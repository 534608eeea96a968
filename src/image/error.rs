//! Why an image is refused.

use crate::code::verify::Rule;
use core::fmt;

/// Why an image is refused. [`Error::downcast_ref`](crate::Error::downcast_ref) finds it in an error of the
/// kind [`ErrorKind::Image`](crate::ErrorKind::Image).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ImageError {
    /// The bytes don't begin as an image does.
    Magic,
    /// It has another version of the format.
    Version(u32),
    /// It was made for another version of the instruction set.
    InstructionSet,
    /// It is of a core module where a component is asked for, or the other way round.
    Kind,
    /// This machine is big-endian, and images are little-endian.
    BigEndian,
    /// It is shorter than it says.
    Truncated,
    /// It is longer than it says.
    TooLong,
    /// The bytes aren't those that it was made with.
    Damaged,
    /// It doesn't begin at an address that is a multiple of eight.
    Misaligned,
    /// A section begins or ends where it can't.
    Section(&'static str),
    /// It has instructions that this build leaves out: its cargo feature `fast` or `simd`.
    Tier,
    /// It counts fuel and the engine doesn't, or the other way round.
    Fuel,
    /// A row of a table says what can't be.
    Table {
        /// The table.
        table: &'static str,
        /// The row.
        row: u32,
    },
    /// The code of a function could do what code may not.
    Code {
        /// The core module.
        module: u32,
        /// The function, imported ones not counted.
        func: u32,
        /// The rule that it breaks.
        rule: Rule,
        /// The word of the function's code.
        word: u32,
    },
}

impl fmt::Display for ImageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self {
            ImageError::Magic => "not an image",
            ImageError::Version(version) => {
                return write!(f, "an image of version {version} of the format");
            }
            ImageError::InstructionSet => "an image for another version of the instruction set",
            ImageError::Kind => {
                "an image of a core module where it should be a component's, or the reverse"
            }
            ImageError::BigEndian => "images are for little-endian machines",
            ImageError::Truncated => "an image that is truncated",
            ImageError::TooLong => "an image with bytes behind its end",
            ImageError::Damaged => "an image that is damaged",
            ImageError::Misaligned => "an image that isn't aligned to eight bytes",
            ImageError::Section(name) => {
                return write!(f, "the section `{name}` of an image isn't where it can be");
            }
            ImageError::Tier => "an image with instructions that this build leaves out",
            ImageError::Fuel => "an image that counts fuel as the engine doesn't",
            ImageError::Table { table, row } => {
                return write!(f, "an image whose table `{table}` lies in row {row}");
            }
            ImageError::Code {
                module,
                func,
                rule,
                word,
            } => {
                return write!(
                    f,
                    "an image whose function {func} of module {module} breaks the rule {rule:?} at word {word}"
                );
            }
        };
        f.write_str(what)
    }
}

impl core::error::Error for ImageError {}

/// A row that can't be.
pub(crate) const fn lie(table: &'static str, row: usize) -> ImageError {
    ImageError::Table {
        table,
        row: row as u32,
    }
}
