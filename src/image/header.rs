//! The first bytes of an image: what it is, for whom, and where its sections are.

use super::error::ImageError;
use crate::code::{IDENTITY, VECTORS};
use core::ops::Range;

/// Bytes of the header.
pub(crate) const HEADER: usize = 96;
/// How it begins.
pub(crate) const MAGIC: [u8; 8] = *b"\0cellule";
/// The version of the format.
pub(crate) const VERSION: u32 = 1;
/// Where the hash of everything else stands.
pub(crate) const HASH_AT: usize = 40;

/// What an image is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Kind {
    Module = 0,
    Component = 1,
}

/// Bits of the flags.
pub(crate) const FAST: u32 = 1;
pub(crate) const FUEL: u32 = 2;

/// The sections, in the order in which they lie.
pub(crate) const SECTIONS: [&str; 4] = ["code", "tables", "modules", "bytes"];

/// A header that has been read and agrees with this build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub kind: Kind,
    pub flags: u32,
    /// How many core modules there are.
    pub modules: u32,
    /// Where the sections are, in bytes.
    pub sections: [Range<usize>; SECTIONS.len()],
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let word = bytes.get(at..at + 4).and_then(|word| word.try_into().ok());
    u32::from_le_bytes(word.unwrap_or_default())
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}

/// The hash of an image: of every word but its own. A word that changes changes it.
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    const PRIME: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut hash = bytes.len() as u64;
    let mut mix = |word: u64| hash = (hash ^ word).wrapping_mul(PRIME).rotate_left(29);
    let (words, rest) = bytes.as_chunks::<8>();
    for (at, word) in words.iter().enumerate() {
        if at * 8 != HASH_AT {
            mix(u64::from_le_bytes(*word));
        }
    }
    rest.iter().for_each(|byte| mix((*byte).into()));
    hash
}

impl Header {
    /// Reads it, and checks all that can be told without the sections' contents. The offset of what is wrong.
    pub fn read(bytes: &[u8], whole: bool) -> Result<Header, (ImageError, usize)> {
        if cfg!(target_endian = "big") {
            return Err((ImageError::BigEndian, 0));
        }
        let magic = MAGIC.len().min(bytes.len());
        if bytes[..magic] != MAGIC[..magic] {
            return Err((ImageError::Magic, 0));
        }
        if bytes.len() < HEADER {
            return Err((ImageError::Truncated, bytes.len()));
        }
        if u32_at(bytes, 8) != VERSION {
            return Err((ImageError::Version(u32_at(bytes, 8)), 8));
        }
        let length = u64_at(bytes, 32);
        if length > bytes.len() as u64 {
            return Err((ImageError::Truncated, bytes.len()));
        }
        if length < bytes.len() as u64 {
            return Err((ImageError::TooLong, length as usize));
        }
        if whole && u64_at(bytes, HASH_AT) != hash(bytes) {
            return Err((ImageError::Damaged, HASH_AT));
        }
        let vectors = u64_at(bytes, 24);
        if u64_at(bytes, 16) != IDENTITY || (vectors != VECTORS && vectors != 0 && VECTORS != 0) {
            return Err((ImageError::InstructionSet, 16));
        }
        let kind = match u32_at(bytes, 12) {
            0 => Kind::Module,
            1 => Kind::Component,
            _ => return Err((ImageError::Kind, 12)),
        };
        let flags = u32_at(bytes, 48);
        if flags & !(FAST | FUEL) != 0 {
            return Err((ImageError::Section("header"), 48));
        }
        if flags & FAST != 0 && !cfg!(feature = "fast") {
            return Err((ImageError::Tier, 48));
        }
        let modules = u32_at(bytes, 52);
        let mut end = HEADER;
        let mut sections = [const { 0..0 }; SECTIONS.len()];
        for (at, section) in sections.iter_mut().enumerate() {
            let place = 56 + at * 8;
            let start = u32_at(bytes, place) as usize;
            let size = u32_at(bytes, place + 4) as usize;
            let fits = start == end && size <= bytes.len() - start;
            if !fits || (at < 3 && !size.is_multiple_of(8)) {
                return Err((ImageError::Section(SECTIONS[at]), place));
            }
            end = start + size;
            *section = start..end;
        }
        if end != bytes.len() {
            return Err((ImageError::Section("bytes"), 56 + 3 * 8));
        }
        Ok(Header {
            kind,
            flags,
            modules,
            sections,
        })
    }

    /// An image of these sections, which have to have sizes as [`Header::read`] wants them.
    #[cfg(feature = "compile")]
    pub fn image(
        kind: Kind,
        flags: u32,
        modules: u32,
        sections: [&[u8]; SECTIONS.len()],
    ) -> alloc::vec::Vec<u8> {
        let length = HEADER + sections.iter().map(|section| section.len()).sum::<usize>();
        let mut image = alloc::vec::Vec::with_capacity(length);
        image.extend_from_slice(&MAGIC);
        image.extend_from_slice(&VERSION.to_le_bytes());
        image.extend_from_slice(&(kind as u32).to_le_bytes());
        image.extend_from_slice(&IDENTITY.to_le_bytes());
        image.extend_from_slice(&VECTORS.to_le_bytes());
        image.extend_from_slice(&(length as u64).to_le_bytes());
        image.extend_from_slice(&[0; 8]);
        image.extend_from_slice(&flags.to_le_bytes());
        image.extend_from_slice(&modules.to_le_bytes());
        let mut start = HEADER;
        for section in sections {
            image.extend_from_slice(&(start as u32).to_le_bytes());
            image.extend_from_slice(&(section.len() as u32).to_le_bytes());
            start += section.len();
        }
        image.resize(HEADER, 0);
        for section in sections {
            image.extend_from_slice(section);
        }
        let hash = hash(&image);
        image[HASH_AT..HASH_AT + 8].copy_from_slice(&hash.to_le_bytes());
        image
    }
}
