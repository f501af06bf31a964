//! Normalised correlation.

/// Normalised correlation of two lists, a pair at a time.
#[derive(Debug, Clone, Default)]
pub(super) struct Correlation {
    n: f64,
    a: f64,
    b: f64,
    aa: f64,
    bb: f64,
    ab: f64,
}

impl Correlation {
    pub(super) fn add(&mut self, a: f64, b: f64) {
        self.n += 1.0;
        self.a += a;
        self.b += b;
        self.aa += a * a;
        self.bb += b * b;
        self.ab += a * b;
    }

    /// The correlation, in -1..=1 but for rounding; 0 if either list is constant.
    pub(super) fn value(&self) -> f64 {
        let n = self.n.max(1.0);
        let [aa, bb] = [self.aa - self.a * self.a / n, self.bb - self.b * self.b / n];
        let product = aa * bb;
        if product > 0.0 { (self.ab - self.a * self.b / n) / product.sqrt() } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gain_and_offset_change_nothing_and_a_constant_correlates_with_nothing() {
        let of = |pairs: &[(f64, f64)]| {
            let mut correlation = Correlation::default();
            for &(a, b) in pairs {
                correlation.add(a, b);
            }
            correlation.value()
        };
        assert!((of(&[(1.0, 12.0), (2.0, 14.0), (4.0, 18.0)]) - 1.0).abs() < 1e-12);
        assert!((of(&[(0.0, 1.0), (1.0, 0.0), (0.0, 1.0), (1.0, 0.0)]) + 1.0).abs() < 1e-12);
        assert!(of(&[(1.0, 3.0), (1.0, 4.0)]).abs() < 1e-12);
    }
}
