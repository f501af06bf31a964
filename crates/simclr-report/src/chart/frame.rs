//! Where a chart's lines are in its picture.

use crate::chart::line_chart::{LineChart, Unit};
use crate::chart::scale::{Scale, Spread};

/// Size of the picture.
pub(crate) const WIDTH: f64 = 480.0;
pub(crate) const HEIGHT: f64 = 250.0;
/// Edges of the plot in it; the axes' labels are outside.
pub(crate) const LEFT: f64 = 50.0;
pub(crate) const RIGHT: f64 = WIDTH - 14.0;
pub(crate) const TOP: f64 = 12.0;
pub(crate) const BOTTOM: f64 = HEIGHT - 40.0;

/// The two axes of a chart.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Frame {
    pub(crate) x: Scale,
    pub(crate) y: Scale,
}

impl Frame {
    /// Axes that hold the chart's lines and its level line.
    pub(crate) fn around(chart: &LineChart) -> Self {
        let bins = || chart.lines.iter().flat_map(|line| &line.bins);
        let level = chart.level.map(|(value, _)| value);
        let low = bins().map(|bin| bin.low).chain(level).fold(f64::INFINITY, f64::min);
        let high = bins().map(|bin| bin.high).chain(level).fold(f64::NEG_INFINITY, f64::max);
        let (low, high) = if low <= high { (low, high) } else { (0.0, 1.0) };
        let air = if low < high { (high - low) * 0.06 } else { high.abs() * 0.06 };
        // A line of zeros needs some height as well.
        let air = if air > 0.0 { air } else { 1.0 };
        let values = match chart.unit {
            Unit::Plain => [low - air, high + air],
            Unit::Amount => [0.0, high + air],
            Unit::Percent => [0.0, (high * 1.06).clamp(1.0, 100.0)],
        };
        let (spread, ends) = (chart.x.spread, chart.x.ends);
        Self {
            x: Scale { spread, values: ends, places: [LEFT, RIGHT] },
            y: Scale { spread: Spread::Linear, values, places: [BOTTOM, TOP] },
        }
    }
}
