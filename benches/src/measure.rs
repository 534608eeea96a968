//! Time and its statistics.

use anyhow::Result;
use cpu_time::ThreadTime;

/// Milliseconds of the thread's CPU time that `work` takes, and what it returns.
pub fn time<T>(work: impl FnOnce() -> Result<T>) -> Result<(f64, T)> {
    let start = ThreadTime::try_now()?;
    let result = work()?;
    Ok((start.try_elapsed()?.as_secs_f64() * 1e3, result))
}

/// The middle of the samples; of an even number the mean of the middle two.
pub fn median(samples: &mut [f64]) -> f64 {
    samples.sort_by(f64::total_cmp);
    let middle = samples.len() / 2;
    match samples.len() {
        0 => f64::NAN,
        odd if odd % 2 == 1 => samples[middle],
        _ => (samples[middle - 1] + samples[middle]) / 2.0,
    }
}

/// The mean that suits ratios.
pub fn geometric_mean(ratios: &[f64]) -> f64 {
    let logs: f64 = ratios.iter().map(|ratio| ratio.ln()).sum();
    (logs / ratios.len() as f64).exp()
}

/// The times of several process starts.
#[derive(Default)]
pub struct Samples {
    starts: Vec<Vec<f64>>,
}

impl Samples {
    /// A process has been started.
    pub fn start(&mut self) {
        self.starts.push(Vec::new());
    }

    /// A time that the process last started took.
    pub fn add(&mut self, time: f64) {
        if let Some(times) = self.starts.last_mut() {
            times.push(time);
        }
    }

    fn medians(&self) -> Vec<f64> {
        let starts = self.starts.iter().filter(|times| !times.is_empty());
        starts.map(|times| median(&mut times.clone())).collect()
    }

    /// The median of the starts' medians.
    pub fn median(&self) -> f64 {
        median(&mut self.medians())
    }

    /// How far the slowest start's median lies above the fastest's, as a share of the median.
    pub fn spread(&self) -> f64 {
        let medians = self.medians();
        let least = medians.iter().copied().fold(f64::INFINITY, f64::min);
        let most = medians.iter().copied().fold(0.0, f64::max);
        (most - least) / self.median()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_and_means_are_right() {
        assert_eq!(median(&mut [3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&mut [4.0, 1.0, 2.0, 3.0]), 2.5);
        assert!((geometric_mean(&[0.5, 2.0]) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn samples_are_summed_up_by_start() {
        let mut samples = Samples::default();
        for times in [[1.0, 9.0, 2.0], [4.0, 3.0, 5.0], [3.0, 3.0, 30.0]] {
            samples.start();
            times.into_iter().for_each(|time| samples.add(time));
        }
        assert_eq!(samples.median(), 3.0);
        assert!((samples.spread() - 2.0 / 3.0).abs() < 1e-12);
    }
}
