//! Strings from one encoding into another, in the steps that the Canonical ABI prescribes.
//!
//! How much room is asked for, and when it is grown or shrunk, is visible to the guest whose
//! `realloc` it is; so the steps are the reference's own. Each step writes what it can and either
//! asks for room or is done, which lets a caller be suspended between them. The source was validated
//! before the first step ([`source`]).

#[cfg(test)]
mod tests;

use crate::error::{Error, ErrorKind, OutOfMemory, Trap};
use crate::store::components::Request;
use crate::tables::Encoding;
use alloc::borrow::Cow;
use alloc::string::String;

/// However the limit is set: neither a string nor the room that one is given is larger.
pub(crate) const MAX_BYTES: u32 = (1 << 31) - 1;
/// In a length of the encoding [`Encoding::CompactUtf16`]: the string is UTF-16. In one of 64 bits it is the
/// highest bit as well.
const TAG: u32 = 1 << 31;

/// The length field of a string that is stored; `tagged` is below [`TAG`] but for the tag.
pub(crate) fn length(tagged: u32, wide: bool) -> u64 {
    match wide {
        true => u64::from(tagged & !TAG) | u64::from(tagged & TAG) << 32,
        false => tagged.into(),
    }
}

/// The form of a string's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Utf8,
    Utf16,
    Latin1,
}

impl Form {
    /// The form with this number.
    pub fn of(number: u32) -> Form {
        match number {
            0 => Form::Utf8,
            1 => Form::Utf16,
            _ => Form::Latin1,
        }
    }
}

/// What a pointer and length in a memory mean.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source {
    pub form: Form,
    pub bytes: u32,
}

impl Source {
    /// The form and size of a string whose length field is `tagged`, or nothing if it is longer than
    /// `limit` bytes.
    pub fn of(encoding: Encoding, tagged: u64, wide: bool, limit: u32) -> Option<Source> {
        let tag = if wide { 1 << 63 } else { u64::from(TAG) };
        let (form, bytes) = match encoding {
            Encoding::Utf8 => (Form::Utf8, tagged),
            Encoding::Utf16 => (Form::Utf16, tagged.saturating_mul(2)),
            Encoding::CompactUtf16 if tagged & tag != 0 => {
                (Form::Utf16, (tagged ^ tag).saturating_mul(2))
            }
            Encoding::CompactUtf16 => (Form::Latin1, tagged),
        };
        (bytes <= limit.min(MAX_BYTES).into()).then_some(Source {
            form,
            bytes: bytes as u32,
        })
    }

    fn units(self) -> u32 {
        match self.form {
            Form::Utf16 => self.bytes / 2,
            _ => self.bytes,
        }
    }
}

/// The alignment of a string of an encoding.
pub(crate) fn alignment(encoding: Encoding) -> u32 {
    match encoding {
        Encoding::Utf8 => 1,
        _ => 2,
    }
}

/// Whether bytes are a string of their form.
pub(crate) fn validate(form: Form, bytes: &[u8]) -> Result<(), Trap> {
    match form {
        Form::Latin1 => Ok(()),
        Form::Utf8 => core::str::from_utf8(bytes)
            .map(drop)
            .map_err(|_| Trap::InvalidUtf8),
        Form::Utf16 => {
            let plain = |block: &[u8]| units_of(block).all(|unit| unit & 0xf800 != 0xd800);
            let mut decoded = char::decode_utf16(units_of(&bytes[prefix(bytes, plain)..]));
            match decoded.any(|unit| unit.is_err()) {
                true => Err(Trap::InvalidUtf16),
                false => Ok(()),
            }
        }
    }
}

/// The text that bytes are.
pub(crate) fn decode(form: Form, bytes: &[u8]) -> Result<Cow<'_, str>, Error> {
    if form == Form::Utf8 {
        let text = core::str::from_utf8(bytes);
        return Ok(text
            .map_err(|error| Error::of(ErrorKind::Trap, error))?
            .into());
    }
    validate(form, bytes)?;
    let mut text = String::new();
    // Of each unit becomes a byte at least.
    text.try_reserve(chars(form, bytes).size_hint().0)
        .map_err(OutOfMemory::from)?;
    for c in chars(form, bytes) {
        text.try_reserve(c.len_utf8()).map_err(OutOfMemory::from)?;
        text.push(c);
    }
    Ok(text.into())
}

fn units_of(bytes: &[u8]) -> impl Iterator<Item = u16> + Clone + '_ {
    bytes
        .chunks_exact(2)
        .map(|unit| u16::from_le_bytes([unit[0], unit[1]]))
}

/// The characters of a validated string.
pub(crate) fn chars(form: Form, bytes: &[u8]) -> impl Iterator<Item = char> + '_ {
    let utf8 = match form {
        Form::Utf8 => core::str::from_utf8(bytes).unwrap_or(""),
        _ => "",
    };
    let utf16 = if form == Form::Utf16 { bytes } else { &[] };
    let latin1 = if form == Form::Latin1 { bytes } else { &[] };
    utf8.chars()
        .chain(char::decode_utf16(units_of(utf16)).map(|unit| unit.unwrap_or('\u{fffd}')))
        .chain(latin1.iter().map(|byte| char::from(*byte)))
}

/// What a step came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Room is needed; the next step is given its address.
    Room(Request),
    /// The string is stored: its address, and its length with the tag of 32 bits.
    Done { ptr: usize, tagged: u32 },
}

/// A string on its way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Transcode {
    pub source: Source,
    pub to: Encoding,
    /// The steps that were made.
    pub at: u32,
    /// The room that the last step asked for.
    pub room: u32,
}

/// Steps after the first room was given.
const FIRST: u32 = 1;
const GROWN: u32 = 2;
const SHRUNK: u32 = 3;
const SHRUNK_LATIN1: u32 = 4;
/// Latin-1 after all, of a string that was probably UTF-16: its bytes may lie anywhere.
const NARROWED: u32 = 6;

impl Transcode {
    /// The first step.
    pub fn start(source: Source, to: Encoding) -> (Transcode, Request) {
        let units = source.units();
        let new_size = match (source.form, to) {
            (_, Encoding::Utf8) => units,
            (_, Encoding::Utf16) => 2 * units,
            (Form::Utf16, Encoding::CompactUtf16) => units,
            (_, Encoding::CompactUtf16) => units,
        };
        let transcode = Transcode {
            source,
            to,
            at: FIRST,
            room: new_size,
        };
        (transcode, Request::new(0, 0, alignment(to), new_size))
    }

    /// As [`Transcode::start`], for a source that says itself that it is probably UTF-16.
    pub fn start_tagged(source: Source, to: Encoding) -> (Transcode, Request) {
        let (mut transcode, mut request) = Transcode::start(source, to);
        if source.form == Form::Utf16 && to == Encoding::CompactUtf16 {
            transcode.at = PROBABLY_UTF16;
            transcode.room = source.bytes;
            request = Request::new(0, 0, request.align(), source.bytes);
        }
        (transcode, request)
    }

    /// The alignment of the room that the last step asked for.
    pub fn alignment(&self) -> u32 {
        match self.at {
            NARROWED => 1,
            _ => alignment(self.to),
        }
    }

    /// The room at `ptr` was given; it lies in `memory`, as was checked.
    pub fn resume(&mut self, ptr: usize, bytes: &[u8], memory: &mut [u8]) -> Step {
        let room = &mut memory[ptr..ptr + self.room as usize];
        match (self.at, self.source.form, self.to) {
            (FIRST, Form::Utf8, Encoding::Utf8) | (FIRST, Form::Utf16, Encoding::Utf16) => {
                room.copy_from_slice(bytes);
                self.done(ptr, self.source.units())
            }
            (FIRST, Form::Latin1, Encoding::CompactUtf16) => {
                room.copy_from_slice(bytes);
                self.done(ptr, self.source.units())
            }
            (FIRST, Form::Latin1, Encoding::Utf16) => {
                widen(bytes, room);
                self.done(ptr, self.source.units())
            }
            (FIRST, Form::Utf8, Encoding::Utf16) => {
                let ascii = ascii_prefix(bytes);
                let (head, tail) = room.split_at_mut(2 * ascii);
                widen(&bytes[..ascii], head);
                let written = write_utf16(chars(Form::Utf8, &bytes[ascii..]), tail);
                self.shrink(ptr, 2 * ascii as u32 + written, 2)
            }
            (FIRST, form, Encoding::Utf8) => self.ascii(ptr, form, bytes, room),
            (GROWN, form, Encoding::Utf8) => {
                // What was written is where the guest moved it: only the rest is stored, at its place.
                let mut at = plain_units(form, bytes, 0x80);
                for c in chars(form, rest(form, bytes, at)) {
                    at += c.encode_utf8(&mut room[at..]).len();
                }
                self.shrink(ptr, at as u32, 1)
            }
            (FIRST, form, Encoding::CompactUtf16) => self.latin1(ptr, form, bytes, room),
            (GROWN, form, Encoding::CompactUtf16) => {
                let (written, read) = latin1_prefix(form, bytes);
                inflate(&mut room[..2 * written]);
                let tail = chars(form, rest(form, bytes, read));
                let used = 2 * written as u32 + write_utf16(tail, &mut room[2 * written..]);
                self.shrink(ptr, used, 2)
            }
            (PROBABLY_UTF16, _, _) => {
                room.copy_from_slice(bytes);
                if units_of(bytes).any(|unit| unit >= 1 << 8) {
                    return self.done(ptr, self.source.units() | TAG);
                }
                for at in 0..bytes.len() / 2 {
                    room[at] = bytes[2 * at];
                }
                let old = core::mem::replace(&mut self.room, self.source.units());
                self.at = NARROWED;
                Step::Room(Request::new(ptr, old, 1, self.room))
            }
            // After shrinking: what is left is the string.
            (SHRUNK_LATIN1 | NARROWED, ..) => self.done(ptr, self.room),
            (_, _, Encoding::Utf8) => self.done(ptr, self.room),
            (_, _, Encoding::Utf16) => self.done(ptr, self.room / 2),
            (_, _, Encoding::CompactUtf16) => self.done(ptr, (self.room / 2) | TAG),
        }
    }

    fn done(&self, ptr: usize, tagged: u32) -> Step {
        Step::Done { ptr, tagged }
    }

    /// Gives back the room behind `used`.
    fn shrink(&mut self, ptr: usize, used: u32, align: u32) -> Step {
        let old = core::mem::replace(&mut self.room, used);
        self.at = SHRUNK;
        if used < old {
            return Step::Room(Request::new(ptr, old, align, used));
        }
        match self.to {
            Encoding::Utf8 => self.done(ptr, used),
            Encoding::Utf16 => self.done(ptr, used / 2),
            Encoding::CompactUtf16 => self.done(ptr, (used / 2) | TAG),
        }
    }

    fn grow(&mut self, ptr: usize, align: u32, worst: u32) -> Step {
        let old = core::mem::replace(&mut self.room, worst);
        self.at = GROWN;
        Step::Room(Request::new(ptr, old, align, worst))
    }

    /// To UTF-8, hoping for ASCII: one byte a unit.
    fn ascii(&mut self, ptr: usize, form: Form, bytes: &[u8], room: &mut [u8]) -> Step {
        if narrow(form, bytes, 0x80, room) == room.len() {
            return self.done(ptr, self.room);
        }
        let per_unit = if form == Form::Latin1 { 2 } else { 3 };
        self.grow(ptr, 1, per_unit * self.source.units())
    }

    /// To Latin-1 as long as it will do.
    fn latin1(&mut self, ptr: usize, form: Form, bytes: &[u8], room: &mut [u8]) -> Step {
        let mut written = narrow(form, bytes, 0x100, room);
        if form == Form::Utf8 {
            for c in chars(form, &bytes[written..]) {
                let Ok(byte) = u8::try_from(u32::from(c)) else {
                    return self.grow(ptr, 2, 2 * self.source.units());
                };
                room[written] = byte;
                written += 1;
            }
        } else if written < room.len() {
            return self.grow(ptr, 2, 2 * self.source.units());
        }
        let written = written as u32;
        if written < self.room {
            let old = core::mem::replace(&mut self.room, written);
            self.at = SHRUNK_LATIN1;
            return Step::Room(Request::new(ptr, old, 2, written));
        }
        self.done(ptr, written)
    }
}

/// Writes units below `limit` as bytes, up to the first that isn't; how many. Of UTF-8 only ASCII.
///
/// Looked for first and written then, both in loops that compilers turn into vector code.
fn narrow(form: Form, bytes: &[u8], limit: u16, room: &mut [u8]) -> usize {
    let len = plain_units(form, bytes, limit);
    match form {
        Form::Utf16 => {
            for (place, unit) in room.iter_mut().zip(bytes[..2 * len].chunks_exact(2)) {
                *place = unit[0];
            }
        }
        _ => room[..len].copy_from_slice(&bytes[..len]),
    }
    len
}

/// How many units at the start are below `limit`; of UTF-8 only ASCII.
fn plain_units(form: Form, bytes: &[u8], limit: u16) -> usize {
    match form {
        Form::Utf16 => {
            let len = prefix(bytes, |block| units_of(block).all(|unit| unit < limit)) / 2;
            len + units_of(&bytes[2 * len..])
                .take_while(|unit| *unit < limit)
                .count()
        }
        Form::Latin1 if limit > 0xff => bytes.len(),
        _ => ascii_prefix(bytes),
    }
}

/// What comes after as many units of a string.
fn rest(form: Form, bytes: &[u8], units: usize) -> &[u8] {
    match form {
        Form::Utf16 => &bytes[2 * units..],
        _ => &bytes[units..],
    }
}

/// How many characters at the start are Latin-1, and how many units they are.
fn latin1_prefix(form: Form, bytes: &[u8]) -> (usize, usize) {
    let plain = plain_units(form, bytes, 0x100);
    let (mut written, mut read) = (plain, plain);
    if form == Form::Utf8 {
        let more = chars(form, &bytes[plain..]).take_while(|c| u32::from(*c) < 0x100);
        for c in more {
            written += 1;
            read += c.len_utf8();
        }
    }
    (written, read)
}

/// Makes units of two of the bytes in the first half of a place.
fn inflate(place: &mut [u8]) {
    for at in (0..place.len() / 2).rev() {
        place[2 * at] = place[at];
        place[2 * at + 1] = 0;
    }
}

/// How many bytes at the start are ASCII.
fn ascii_prefix(bytes: &[u8]) -> usize {
    let len = prefix(bytes, <[u8]>::is_ascii);
    len + bytes[len..]
        .iter()
        .take_while(|byte| byte.is_ascii())
        .count()
}

/// The length of the blocks at the start of which all are as asked.
fn prefix(bytes: &[u8], all: impl Fn(&[u8]) -> bool) -> usize {
    const BLOCK: usize = 64;
    bytes
        .chunks_exact(BLOCK)
        .take_while(|block| all(block))
        .count()
        * BLOCK
}

const PROBABLY_UTF16: u32 = 5;

/// Writes bytes as units of two.
fn widen(bytes: &[u8], room: &mut [u8]) {
    for (unit, byte) in room.chunks_exact_mut(2).zip(bytes) {
        unit.copy_from_slice(&u16::from(*byte).to_le_bytes());
    }
}

/// Writes characters as UTF-16; how many bytes that were.
fn write_utf16(chars: impl Iterator<Item = char>, room: &mut [u8]) -> u32 {
    let mut at = 0;
    let mut pair = [0; 2];
    for c in chars {
        for unit in c.encode_utf16(&mut pair) {
            room[at..at + 2].copy_from_slice(&unit.to_le_bytes());
            at += 2;
        }
    }
    at as u32
}
