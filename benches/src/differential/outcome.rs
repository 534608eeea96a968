//! What can be seen of a case, and what of it may differ.

/// What the host saw, in order, and what ended it early.
#[derive(Debug)]
pub struct Outcome {
    pub seen: Vec<String>,
    pub error: Option<String>,
}

/// The kinds of errors, and what messages of either engine say so. The first that fits counts.
const CLASSES: &[(&str, &[&str])] = &[
    ("borrow", &["borrow", "lent"]),
    ("handle", &["handle"]),
    ("unaligned", &["not aligned", "unaligned", "misaligned"]),
    ("discriminant", &["discriminant"]),
    ("char", &["char"]),
    ("string", &["utf-8", "utf8", "utf-16", "utf16", "surrogate"]),
    (
        "bounds",
        &[
            "out of bounds",
            "out-of-bounds",
            "too long",
            "too large",
            "beyond end",
        ],
    ),
    ("leave", &["cannot leave"]),
    ("unreachable", &["unreachable"]),
];

/// The class of an error; its message if it is of none, so that it is never taken for another.
pub fn class(error: &str) -> String {
    let lower = error.to_lowercase();
    let found = CLASSES
        .iter()
        .find(|(_, words)| words.iter().any(|word| lower.contains(word)));
    found.map_or_else(|| error.to_string(), |(class, _)| class.to_string())
}

impl Outcome {
    /// In the form in which it is compared.
    pub fn comparable(&self) -> (Vec<String>, Option<String>) {
        (self.seen.clone(), self.error.as_deref().map(class))
    }
}
