//! Where an image's bytes lie, and the one cast of them to code.
//!
//! An image that stays where it is for ever is used in place. Of one that is handed over as a vector, the
//! code is copied function by function, since the bytes of a vector may lie at any address.

#![allow(unsafe_code)]

use super::error::ImageError;
use super::header::Kind;
use super::open;
use crate::code::module::{Bytes, Code, Text};
use crate::component::Component;
use crate::error::Result;
use crate::wasm::{Engine, Module};
use alloc::boxed::Box;
use alloc::string::String;
use core::ops::Range;

/// An image's code and bytes.
pub(crate) struct Source<'a> {
    /// The section `bytes`.
    pub bytes: Bytes,
    pub code: Words<'a>,
}

/// The section `code`.
pub(crate) enum Words<'a> {
    Static(&'static [u64]),
    Copied(&'a [u8]),
}

impl Source<'_> {
    /// The text of a range of the section `bytes`.
    pub fn text(&self, offset: u32, len: u32) -> Option<Text> {
        let range = offset as usize..(offset as usize).checked_add(len as usize)?;
        Some(match &self.bytes {
            Bytes::Static(bytes) => Text::Borrowed(core::str::from_utf8(bytes.get(range)?).ok()?),
            Bytes::Shared(bytes) => {
                Text::Owned(String::from(core::str::from_utf8(bytes.get(range)?).ok()?))
            }
        })
    }

    /// The code of a range of words.
    pub fn code(&self, range: Range<usize>) -> Option<Code> {
        Some(match self.code {
            Words::Static(words) => Code::Static(words.get(range)?),
            Words::Copied(bytes) => {
                let words: &[[u8; 8]] = bytes.as_chunks().0;
                let words = words.get(range)?.iter();
                // Code is little-endian words wherever it lies.
                let words: Box<[u64]> = words.map(|word| u64::from_ne_bytes(*word)).collect();
                Code::Owned(words)
            }
        })
    }
}

/// Bytes as words.
///
/// # Errors
/// If they don't begin or don't end at a multiple of eight.
pub(crate) fn words_of(bytes: &'static [u8]) -> Result<&'static [u64], ImageError> {
    // SAFETY: every bit pattern of eight bytes is a `u64`; `align_to` leaves over what isn't aligned.
    let (before, words, behind) = unsafe { bytes.align_to::<u64>() };
    match before.is_empty() && behind.is_empty() {
        true => Ok(words),
        false => Err(ImageError::Misaligned),
    }
}

impl Module {
    /// As [`Module::from_image`], without a look at the code.
    ///
    /// # Safety
    /// The image has to be what [`Module::to_image`] made.
    ///
    /// # Errors
    /// An [`ImageError`], where the image can't be meant for this build.
    pub unsafe fn from_image_trusted(engine: &Engine, image: &'static [u8]) -> Result<Module> {
        Module::of_image(engine, open::in_place(image, Kind::Module, true)?)
    }
}

impl Component {
    /// As [`Component::from_image`], without a look at the code.
    ///
    /// # Safety
    /// The image has to be what [`Component::to_image`] made.
    ///
    /// # Errors
    /// An [`ImageError`], where the image can't be meant for this build.
    pub unsafe fn from_image_trusted(engine: &Engine, image: &'static [u8]) -> Result<Component> {
        Component::of_image(engine, open::in_place(image, Kind::Component, true)?)
    }
}
