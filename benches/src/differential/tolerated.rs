//! The differences that are no faults, as `tolerated.txt` lists them.

use super::outcome::{Outcome, class};

const LIST: &str = include_str!("tolerated.txt");

/// A difference between the classes of two traps.
pub struct Rule {
    pub name: &'static str,
    ours: &'static str,
    theirs: &'static str,
    pub section: &'static str,
    pub why: &'static str,
}

/// All of them.
pub fn rules() -> impl Iterator<Item = Rule> {
    let lines = LIST.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| {
        let mut parts = line.split('|').map(str::trim);
        let mut part = || parts.next().unwrap_or_default();
        Rule {
            name: part(),
            ours: part(),
            theirs: part(),
            section: part(),
            why: part(),
        }
    })
}

/// The name of what tolerates the difference, if anything does.
pub fn by(ours: &Outcome, theirs: &Outcome) -> Option<&'static str> {
    if nan_bits(ours, theirs) {
        return Some(NAN_BITS);
    }
    let (Some(our_error), Some(their_error)) = (&ours.error, &theirs.error) else {
        return None;
    };
    let classes = (class(our_error), class(their_error));
    let is = |rule: &Rule| classes.0 == rule.ours && classes.1 == rule.theirs;
    let rule = rules().find(is)?;
    (ours.seen == theirs.seen).then_some(rule.name)
}

/// The rule about memories, not traps.
const NAN_BITS: &str = "nan-bits";

/// Both returned, a NaN was passed, and nothing differs but what the memories hold.
fn nan_bits(ours: &Outcome, theirs: &Outcome) -> bool {
    const NANS: [&str; 2] = ["0x7fc00000f32", "0x7ff8000000000000f64"];
    let memory = |line: &&String| line.starts_with("stat-");
    let passed = |line: &String| NANS.iter().any(|nan| line.contains(nan));
    let others = |outcome: &Outcome| -> Vec<String> {
        let lines = outcome.seen.iter();
        lines.filter(|line| !memory(line)).cloned().collect()
    };
    ours.error.is_none()
        && theirs.error.is_none()
        && ours.seen.len() == theirs.seen.len()
        && ours.seen.iter().any(passed)
        && others(ours) == others(theirs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(seen: &str, error: Option<&str>) -> Outcome {
        Outcome {
            seen: vec![seen.to_string()],
            error: error.map(str::to_string),
        }
    }

    #[test]
    fn each_line_is_complete_and_tolerates_only_what_it_says() {
        for rule in rules() {
            assert!(
                !rule.section.is_empty() && !rule.why.is_empty(),
                "{}",
                rule.name
            );
            if rule.name == NAN_BITS {
                continue;
            }
            assert_ne!(rule.ours, rule.theirs);
            let ours = outcome("h", Some(rule.ours));
            let theirs = outcome("h", Some(rule.theirs));
            assert_eq!(by(&ours, &theirs), Some(rule.name));
            assert_eq!(by(&ours, &outcome("i", Some(rule.theirs))), None);
            assert_eq!(by(&ours, &outcome("h", None)), None);
            assert_eq!(by(&outcome("h", None), &theirs), None);
            assert_eq!(by(&ours, &outcome("h", Some("something else"))), None);
        }
    }

    #[test]
    fn memories_may_differ_only_where_a_nan_was_passed() {
        let outcome = |lines: [&str; 2], error: Option<&str>| Outcome {
            seen: lines.map(str::to_string).to_vec(),
            error: error.map(str::to_string),
        };
        let ours = outcome(["h[0x7fc00000f32]", "stat-a 1"], None);
        let theirs = outcome(["h[0x7fc00000f32]", "stat-a 2"], None);
        assert_eq!(by(&ours, &theirs), Some(NAN_BITS));
        let failed = outcome(["h[0x7fc00000f32]", "stat-a 2"], Some("unreachable"));
        assert_eq!(by(&ours, &failed), None);
        let other = outcome(["h[0x7fc00001f32]", "stat-a 2"], None);
        assert_eq!(by(&ours, &other), None);
        let plain = |stat| outcome(["h[0x0f32]", stat], None);
        assert_eq!(by(&plain("stat-a 1"), &plain("stat-a 2")), None);
        assert!(rules().any(|rule| rule.name == NAN_BITS));
    }
}
