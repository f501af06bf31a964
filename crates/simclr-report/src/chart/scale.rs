//! From values to places in a picture.

use crate::chart::ticks::{Tick, decades, ticks};

/// How values are spread over an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spread {
    Linear,
    /// By their logarithms: values are positive, and the axis has whole decades.
    Logarithmic,
}

impl Spread {
    fn along(self, value: f64) -> f64 {
        match self {
            Self::Linear => value,
            Self::Logarithmic => value.log10(),
        }
    }
}

/// An axis in a picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Scale {
    pub(crate) spread: Spread,
    /// The values at the two ends, which differ.
    pub(crate) values: [f64; 2],
    /// Where the two ends are.
    pub(crate) places: [f64; 2],
}

impl Scale {
    pub(crate) fn place(&self, value: f64) -> f64 {
        let [low, high] = self.values.map(|value| self.spread.along(value));
        let share = (self.spread.along(value) - low) / (high - low);
        self.places[0] + share * (self.places[1] - self.places[0])
    }

    /// Round numbers within the axis: `about` of them, or all decades.
    pub(crate) fn ticks(&self, about: usize) -> Vec<Tick> {
        match self.spread {
            Spread::Linear => ticks(self.values, about),
            Spread::Logarithmic => decades(self.values),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_logarithmic_axis_gives_each_decade_the_same_room() {
        let spread = Spread::Logarithmic;
        let scale = Scale { spread, values: [1e-4, 1.0], places: [50.0, 450.0] };
        for (value, place) in [(1e-4, 50.0), (1e-3, 150.0), (0.1, 350.0), (1.0, 450.0)] {
            assert!((scale.place(value) - place).abs() < 1e-9, "{value}");
        }
        let labels: Vec<String> = scale.ticks(2).into_iter().map(|tick| tick.label).collect();
        assert_eq!(labels, ["1e-4", "1e-3", "1e-2", "1e-1", "1e0"]);
    }

    #[test]
    #[expect(clippy::float_cmp, reason = "these places are exact in binary")]
    fn an_axis_may_run_upwards() {
        let scale = Scale { spread: Spread::Linear, values: [0.0, 2.0], places: [210.0, 10.0] };
        assert_eq!([0.0, 0.5, 2.0].map(|value| scale.place(value)), [210.0, 160.0, 10.0]);
    }
}
