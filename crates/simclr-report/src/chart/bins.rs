//! Long curves as a few points.

/// A few neighbouring points of a curve as one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Bin {
    /// Mean of the points' places.
    pub(crate) x: f64,
    /// Mean, lowest and highest of their values.
    pub(crate) mean: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
}

/// At most `most` bins with the same number of neighbouring points; the last may have fewer. A curve of at most `most`
/// points keeps them.
///
/// A bin keeps the lowest and the highest value, so that one wild step among a hundred thousand is still seen.
pub(crate) fn bins(points: &[(f64, f64)], most: usize) -> Vec<Bin> {
    let size = points.len().div_ceil(most).max(1);
    points.chunks(size).map(Bin::of).collect()
}

impl Bin {
    fn of(points: &[(f64, f64)]) -> Self {
        let count = points.len() as f64;
        let values = || points.iter().map(|point| point.1);
        let (low, high) =
            (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max));
        Self {
            x: points.iter().map(|point| point.0).sum::<f64>() / count,
            // A sum of equal values may be rounded past them.
            mean: (values().sum::<f64>() / count).clamp(low, high),
            low,
            high,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_short_curve_keeps_its_points() {
        let kept = bins(&[(1.0, 4.0), (2.0, 3.0)], 2);
        assert_eq!(kept[1], Bin { x: 2.0, mean: 3.0, low: 3.0, high: 3.0 });
        assert_eq!(bins(&[], 2), []);
    }

    #[test]
    fn a_wild_step_stays_visible() {
        let mut points: Vec<(f64, f64)> = (0..100_000).map(|step| (f64::from(step), 1.0)).collect();
        points[70_001].1 = 99.0;
        let bins = bins(&points, 400);
        assert_eq!(bins.len(), 400);
        assert_eq!(bins.iter().filter(|bin| bin.high > 98.0 && bin.low < 2.0).count(), 1);
    }

    proptest! {
        #[test]
        fn bins_hold_all_points_in_order(
            values in prop::collection::vec(-1e3..1e3_f64, 1..300),
            most in 1..50_usize,
        ) {
            let points: Vec<_> = values.iter().enumerate().map(|(i, v)| (i as f64, *v)).collect();
            let bins = bins(&points, most);
            let (low, high) = values.iter().fold((f64::MAX, f64::MIN), |(l, h), v| (l.min(*v), h.max(*v)));
            prop_assert!(bins.len() <= most);
            prop_assert!(bins.iter().all(|bin| bin.low <= bin.mean && bin.mean <= bin.high));
            let (lowest, highest) =
                bins.iter().fold((f64::MAX, f64::MIN), |(l, h), b| (l.min(b.low), h.max(b.high)));
            prop_assert_eq!([lowest.to_bits(), highest.to_bits()], [low.to_bits(), high.to_bits()]);
            prop_assert!(bins.is_sorted_by(|a, b| a.x < b.x));
        }
    }
}
