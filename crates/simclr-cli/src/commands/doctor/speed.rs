//! How long something takes on a device.

use std::time::{Duration, Instant};

use anyhow::Result;
use serde::{Deserialize, Serialize};
use simclr::burn::tensor::Device;

/// The most measurements, of which the median counts.
const MOST_MEASUREMENTS: usize = 5;
/// A measurement is not made longer than this.
const LONG_ENOUGH: Duration = Duration::from_millis(500);
/// The most repetitions in a measurement.
const MOST_REPETITIONS: usize = 50;
/// The share of the time limit that measuring may take, the device's opening and the warm-up included.
const SHARE_OF_LIMIT: f64 = 0.8;

/// The time of one repetition, and how it was measured.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Speed {
    /// Seconds of one repetition: the median of the measurements.
    pub(super) seconds: f64,
    /// The number of measurements.
    pub(super) measurements: usize,
    /// Repetitions in a measurement, after which it waits for the device once.
    pub(super) repetitions: usize,
    /// Seconds of the first repetition, in which kernels are compiled and chosen.
    pub(super) first_seconds: f64,
}

impl Speed {
    /// Measures `work`, which leaves its results on the device, and says its time. It runs twice before; the second time
    /// is said too, in case there is none for more.
    pub(super) fn of(
        device: &Device,
        limit: Duration,
        say: impl Fn(&Self) -> Result<()>,
        mut work: impl FnMut() -> Result<()>,
    ) -> Result<()> {
        let deadline = Instant::now() + limit.mul_f64(SHARE_OF_LIMIT);
        let mut measure = |repetitions: usize| -> Result<f64> {
            let started = Instant::now();
            (0..repetitions).try_for_each(|_| work())?;
            device.sync()?;
            Ok(started.elapsed().as_secs_f64() / repetitions as f64)
        };
        let first_seconds = measure(1)?;
        let typical = measure(1)?.max(1e-6);
        say(&Self { seconds: typical, measurements: 1, repetitions: 1, first_seconds })?;
        let left = deadline.saturating_duration_since(Instant::now()).as_secs_f64();
        let affordable = (left / typical).max(1.0) as usize;
        let measurements = affordable.min(MOST_MEASUREMENTS);
        let wanted = (LONG_ENOUGH.as_secs_f64() / typical) as usize;
        let repetitions = wanted.min(affordable / measurements).clamp(1, MOST_REPETITIONS);
        let mut times = vec![measure(repetitions)?];
        // The second repetition may have been quicker than the others are.
        let fits = |last: f64| {
            Instant::now() + Duration::from_secs_f64(repetitions as f64 * last) < deadline
        };
        while times.len() < measurements && fits(times[times.len() - 1]) {
            times.push(measure(repetitions)?);
        }
        let measurements = times.len();
        say(&Self { seconds: median(&mut times), measurements, repetitions, first_seconds })
    }
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 {
        values[middle]
    } else {
        f64::midpoint(values[middle - 1], values[middle])
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        assert!((median(&mut [3.0, 1.0, 2.0]) - 2.0).abs() < 1e-12);
        assert!((median(&mut [4.0, 1.0, 3.0, 2.0]) - 2.5).abs() < 1e-12);
    }

    #[test]
    fn a_measurement_comes_after_two_repetitions_and_keeps_to_its_limit() {
        let (mut runs, said) = (0, RefCell::new(Vec::new()));
        let pause = Duration::from_millis(10);
        let say = |speed: &Speed| {
            said.borrow_mut().push(speed.clone());
            Ok(())
        };
        let work = || {
            runs += 1;
            std::thread::sleep(pause);
            Ok(())
        };
        Speed::of(&Device::flex(), Duration::from_millis(100), say, work).unwrap();
        let said = said.into_inner();
        let [first, speed] = &said[..] else { panic!("expected two speeds, found {said:?}") };
        assert_eq!((first.measurements, first.repetitions), (1, 1));
        assert_eq!(runs, 2 + speed.measurements * speed.repetitions);
        assert!(speed.seconds >= pause.as_secs_f64() && runs < 12, "{speed:?}");
    }
}
