//! Names that may be meant by one that there isn't.

/// How many are suggested.
const MOST: usize = 3;

/// `; did you mean …?` with the nearest names, or nothing where none is near.
pub fn hint<S: AsRef<str>>(wanted: &str, known: impl IntoIterator<Item = S>) -> String {
    let known: Vec<S> = known.into_iter().collect();
    let near = nearest(wanted, known.iter().map(AsRef::as_ref));
    let near: Vec<String> = near.iter().map(|name| format!("`{name}`")).collect();
    match &near[..] {
        [] => String::new(),
        [one] => format!("; did you mean {one}?"),
        [before @ .., last] => format!("; did you mean {} or {last}?", before.join(", ")),
    }
}

/// The nearest names, the nearest first; none where none is near.
pub fn nearest<'n>(wanted: &str, known: impl Iterator<Item = &'n str>) -> Vec<&'n str> {
    let wanted = wanted.to_lowercase();
    let mut found: Vec<(usize, &str)> = known
        .filter_map(|name| Some((distance_within(&wanted, &name.to_lowercase())?, name)))
        .collect();
    found.sort();
    found.dedup();
    found.truncate(MOST);
    found.into_iter().map(|(_, name)| name).collect()
}

/// How far apart two names are, if they are near: at most every third letter is another, or one is
/// part of the other.
fn distance_within(a: &str, b: &str) -> Option<usize> {
    if a.is_empty() || b.is_empty() {
        return None;
    }
    let (longer, shorter) = (a.len().max(b.len()), a.len().min(b.len()));
    if shorter >= 3 && (a.contains(b) || b.contains(a)) {
        return Some((longer - shorter).div_ceil(2));
    }
    let most = longer.div_ceil(3).min(4);
    if longer - shorter > most {
        return None;
    }
    Some(distance(a, b)).filter(|distance| *distance <= most && *distance < shorter)
}

/// Levenshtein's distance: letters that are inserted, left out or others.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, letter) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, other) in b.iter().enumerate() {
            let changed = diagonal + usize::from(letter != *other);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 5] = ["area", "centroid", "audit", "store", "store.len"];

    #[test]
    fn what_is_mistyped_is_near() {
        for (wanted, expected) in [
            ("aera", "; did you mean `area`?"),
            ("Area", "; did you mean `area`?"),
            ("centriod", "; did you mean `centroid`?"),
            ("stor", "; did you mean `store` or `store.len`?"),
            ("len", "; did you mean `store.len`?"),
            ("?", ""),
            ("", ""),
            ("volume", ""),
        ] {
            assert_eq!(hint(wanted, NAMES), expected, "{wanted}");
        }
    }

    #[test]
    fn a_distance_counts_letters() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("äb", "ab"), 1);
    }
}
