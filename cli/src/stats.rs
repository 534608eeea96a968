//! `--stats`: which instructions a run consisted of, as a table.

use cellule::code::{Info, Tier};

/// Heads, an instruction a line with the most frequent first, and the share of the fast tier.
pub fn lines(counts: impl Iterator<Item = (&'static Info, u64)>) -> impl Iterator<Item = String> {
    let mut rows: Vec<(&Info, u64)> = counts.collect();
    rows.sort_by_key(|(_, count)| core::cmp::Reverse(*count));
    let total: u64 = rows.iter().map(|(_, count)| count).sum();
    let fast = rows.iter().filter(|(info, _)| info.tier == Tier::Fast);
    let fast: u64 = fast.map(|(_, count)| count).sum();
    let line = |name: &str, tier: &str, count: u64| {
        let share = count as f64 * 100.0 / total.max(1) as f64;
        format!("{name:28} {tier:8} {count:>14} {share:>6.2} %")
    };
    let mut lines = vec![format!(
        "{:28} {:8} {:>14} {:>8}",
        "instruction", "tier", "count", "share"
    )];
    lines.extend(rows.iter().map(|(info, count)| {
        let tier = format!("{:?}", info.tier).to_lowercase();
        line(&info.to_string(), &tier, *count)
    }));
    lines.push(line("total", "", total));
    lines.push(line("of them fast", "", fast));
    lines.into_iter()
}
