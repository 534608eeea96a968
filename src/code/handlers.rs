//! The handlers of a function's exceptions: a side table behind its last instruction.
//!
//! Code that doesn't throw never reads it, so a `try_table` costs nothing until something is thrown.
//! The header's fourth field says how many entries there are; inner ones come before outer ones, so the
//! first that covers an instruction and takes the tag is the one that the specification means.

use super::HEADER_WORDS;

/// Words of an entry: `{start, end}`, `{target, slot, kind}`, `{tag, fuel}`.
pub const HANDLER_WORDS: usize = 3;

/// Which exceptions a handler takes, and what it is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Takes {
    /// Every exception, and nothing of what they carry. Otherwise those with the entry's tag.
    pub all: bool,
    /// A reference to the exception as well, behind what it carries.
    pub reference: bool,
}

/// One handler. Positions are words of the function's code, header included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Handler {
    /// The first instruction that it covers.
    pub start: u32,
    /// The end of what it covers.
    pub end: u32,
    /// Where it is.
    pub target: u32,
    /// The first slot of what it is given.
    pub slot: u16,
    /// Which exceptions it takes.
    pub takes: Takes,
    /// The tag of the exceptions that it takes; zero where it takes all.
    pub tag: u32,
    /// Fuel for getting there, where that repeats something.
    pub fuel: u32,
}

impl Handler {
    /// As words.
    pub fn encode(&self) -> [u64; HANDLER_WORDS] {
        let kind = u64::from(self.takes.all) | u64::from(self.takes.reference) << 1;
        let pair = |lo: u32, hi: u32| u64::from(lo) | u64::from(hi) << 32;
        [
            pair(self.start, self.end),
            u64::from(self.target) | u64::from(self.slot) << 32 | kind << 48,
            pair(self.tag, self.fuel),
        ]
        .map(u64::to_le)
    }

    /// From words; `None` for a kind that there isn't.
    pub fn decode(words: &[u64; HANDLER_WORDS]) -> Option<Handler> {
        let [range, place, tag] = words.map(u64::from_le);
        let kind = place >> 48;
        (kind < 4).then_some(Handler {
            start: range as u32,
            end: (range >> 32) as u32,
            target: place as u32,
            slot: (place >> 32) as u16,
            takes: Takes {
                all: kind & 1 != 0,
                reference: kind & 2 != 0,
            },
            tag: tag as u32,
            fuel: (tag >> 32) as u32,
        })
    }

    /// Whether it covers the instruction at this word.
    pub fn covers(&self, at: usize) -> bool {
        (self.start as usize..self.end as usize).contains(&at)
    }
}

/// A function's code without its handlers, and their words; `None` if there is less code than
/// the header claims.
pub fn split(code: &[u64]) -> Option<(&[u64], &[[u64; HANDLER_WORDS]])> {
    let header = u64::from_le(*code.first()?);
    let words = usize::from((header >> 48) as u16) * HANDLER_WORDS;
    let end = code.len().checked_sub(words)?;
    if words > 0 && end < HEADER_WORDS {
        return None;
    }
    let (instructions, words) = code.split_at(end);
    Some((instructions, words.as_chunks().0))
}

/// Writes the number of handlers into a header's first word; `None` if there are too many.
pub fn count_in(header: u64, handlers: usize) -> Option<u64> {
    let count = u16::try_from(handlers).ok()?;
    Some((u64::from_le(header) | u64::from(count) << 48).to_le())
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn handlers_survive_encoding() {
        for (all, reference) in [(false, false), (false, true), (true, false), (true, true)] {
            let handler = Handler {
                start: 3,
                end: u32::MAX,
                target: 70_000,
                slot: 65_535,
                takes: Takes { all, reference },
                tag: 999_999,
                fuel: 12,
            };
            assert_eq!(Handler::decode(&handler.encode()), Some(handler));
        }
        assert_eq!(Handler::decode(&[0, 4 << 48, 0].map(u64::to_le)), None);
    }

    #[test]
    fn a_header_that_claims_more_handlers_than_there_is_code_is_noticed() {
        let mut code = Vec::from([0u64; 8]);
        code[0] = count_in(code[0], 2).expect("few");
        let (instructions, handlers) = split(&code).expect("two handlers");
        assert_eq!((instructions.len(), handlers.len()), (2, 2));
        code[0] = count_in(0, 3).expect("few");
        assert_eq!(split(&code), None);
        assert_eq!(split(&[]), None);
        assert_eq!(count_in(0, 65_536), None);
    }
}
