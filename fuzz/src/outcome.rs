//! What can be seen of a case on an engine, and whether two engines agree about it.

use crate::random::hash;

/// How a call or an instantiation ended that didn't return.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    Unreachable,
    MemoryOutOfBounds,
    TableOutOfBounds,
    IndirectCallToNull,
    BadSignature,
    IntegerOverflow,
    IntegerDivisionByZero,
    BadConversionToInteger,
    /// `ref.as_non_null`, `call_ref` or `throw_ref` of null.
    Null,
    UnalignedAtomic,
    AtomicWait,
    /// An exception that nothing caught.
    Thrown,
    /// A host function failed.
    Host,
    /// Imports that don't fit, or a limit on what is instantiated.
    Refused,
    /// What depends on the engine: how deep its stack is, or how much it keeps. Nothing after it is compared.
    Limit,
}

/// Why a module isn't compared at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Loaded {
    Yes,
    /// It is invalid.
    Invalid(String),
    /// The engine doesn't have what it needs.
    Unsupported(String),
}

/// What was seen, in order.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub loaded: Loaded,
    pub seen: Vec<String>,
    /// It ended where engines may differ.
    pub limited: bool,
    /// Calls that were made.
    pub calls: u64,
    /// Those of them that returned.
    pub returned: u64,
}

impl Outcome {
    /// Of a module that isn't one for the engine.
    pub fn not(loaded: Loaded) -> Outcome {
        Outcome {
            loaded,
            seen: Vec::new(),
            limited: false,
            calls: 0,
            returned: 0,
        }
    }

    /// Without what tells whether an access's alignment or its bounds were checked first.
    pub fn without_order(&self) -> Outcome {
        let mut outcome = self.clone();
        for line in &mut outcome.seen {
            *line = line.replace("UnalignedAtomic", "MemoryOutOfBounds");
        }
        outcome
    }

    /// All of it as a number, unless engines may differ about it.
    pub fn digest(&self) -> Option<u32> {
        match &self.loaded {
            _ if self.limited => None,
            Loaded::Unsupported(_) => None,
            Loaded::Invalid(_) => Some(0),
            Loaded::Yes => Some(hash(self.seen.join("\n").as_bytes()) as u32),
        }
    }
}

/// What comparing came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Same,
    /// The same up to where engines may differ.
    Limited,
    /// One of them doesn't have what the module needs.
    Skipped,
    Different,
}

/// Whether the engines agree.
pub fn compare(a: &Outcome, b: &Outcome) -> Verdict {
    match (&a.loaded, &b.loaded) {
        (Loaded::Yes, Loaded::Yes) => {}
        (Loaded::Unsupported(_), _) | (_, Loaded::Unsupported(_)) => return Verdict::Skipped,
        (Loaded::Invalid(_), Loaded::Invalid(_)) => return Verdict::Same,
        _ => return Verdict::Different,
    }
    match a.limited || b.limited {
        false if a.seen == b.seen => Verdict::Same,
        true if a.seen.iter().zip(&b.seen).all(|(a, b)| a == b) => Verdict::Limited,
        _ => Verdict::Different,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(seen: &[&str], limited: bool) -> Outcome {
        Outcome {
            seen: seen.iter().map(ToString::to_string).collect(),
            limited,
            ..Outcome::not(Loaded::Yes)
        }
    }

    #[test]
    fn what_was_seen_decides_and_nothing_after_a_limit_does() {
        let (ab, ac, a) = (
            outcome(&["a", "b"], false),
            outcome(&["a", "c"], false),
            outcome(&["a"], false),
        );
        assert_eq!(compare(&ab, &ab), Verdict::Same);
        assert_eq!(compare(&ab, &ac), Verdict::Different);
        assert_eq!(compare(&ab, &a), Verdict::Different);
        assert_eq!(compare(&ab, &outcome(&["a"], true)), Verdict::Limited);
        assert_eq!(compare(&ab, &outcome(&["b"], true)), Verdict::Different);
    }

    #[test]
    fn only_the_same_refusal_is_agreement() {
        let invalid = Outcome::not(Loaded::Invalid("x".to_string()));
        let unsupported = Outcome::not(Loaded::Unsupported("y".to_string()));
        let fine = outcome(&[], false);
        assert_eq!(compare(&invalid, &invalid), Verdict::Same);
        assert_eq!(compare(&invalid, &fine), Verdict::Different);
        assert_eq!(compare(&unsupported, &fine), Verdict::Skipped);
    }

    #[test]
    fn digests_tell_outcomes_apart() {
        assert_ne!(
            outcome(&["a"], false).digest(),
            outcome(&["b"], false).digest()
        );
        assert_ne!(
            outcome(&["a", "b"], false).digest(),
            outcome(&["a\n", "b"], false).digest()
        );
        assert_eq!(outcome(&["a"], true).digest(), None);
    }
}
