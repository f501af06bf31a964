//! What a chart shows.

use std::fmt::Write;

use crate::chart::bins::{Bin, bins};
use crate::chart::scale::Spread;
use crate::numbers::short;

/// The most points of a line: about as many as the chart has pixels.
pub(crate) const MOST_POINTS: usize = 360;

/// Lines over one axis, with the values that they are compared with.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LineChart {
    pub(crate) caption: Caption,
    pub(crate) x: Axis,
    /// Of the values, which the other axis shows.
    pub(crate) unit: Unit,
    pub(crate) lines: Vec<Line>,
    /// A value to compare with, and its name: a level line.
    pub(crate) level: Option<(f64, &'static str)>,
    /// A place on the x axis to look at, and its name: an upright line.
    pub(crate) mark: Option<(f64, String)>,
}

/// What a chart is called, and how to read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Caption {
    /// Names the chart in the page's script.
    pub(crate) id: &'static str,
    pub(crate) title: &'static str,
    /// One sentence.
    pub(crate) reading: &'static str,
}

/// The x axis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Axis {
    pub(crate) name: &'static str,
    pub(crate) spread: Spread,
    /// Its first and last value, which differ.
    pub(crate) ends: [f64; 2],
}

/// What kind of values a chart shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Values of any range.
    Plain,
    /// Values from 0.
    Amount,
    /// Percentages, 0 to 100.
    Percent,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Line {
    pub(crate) name: &'static str,
    pub(crate) style: Style,
    pub(crate) bins: Vec<Bin>,
}

/// What a line looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    First,
    Second,
    /// Behind the others: what they were computed from.
    Faint,
}

impl Unit {
    /// What follows a value.
    pub(crate) fn suffix(self) -> &'static str {
        if self == Self::Percent { " %" } else { "" }
    }
}

impl Style {
    /// Its class in the style sheets.
    pub(crate) fn class(self) -> &'static str {
        match self {
            Self::First => "line0",
            Self::Second => "line1",
            Self::Faint => "faint",
        }
    }
}

impl Line {
    /// A line through `points`, those that are not finite left out.
    pub(crate) fn new(name: &'static str, style: Style, mut points: Vec<(f64, f64)>) -> Self {
        points.retain(|(x, y)| x.is_finite() && y.is_finite());
        Self { name, style, bins: bins(&points, MOST_POINTS) }
    }
}

impl LineChart {
    pub(crate) fn is_empty(&self) -> bool {
        self.lines.iter().all(|line| line.bins.is_empty())
    }

    /// The chart for those who do not see it.
    pub(crate) fn in_words(&self) -> String {
        let mut words = self.caption.title.to_owned();
        for line in &self.lines {
            let (Some(first), Some(last)) = (line.bins.first(), line.bins.last()) else { continue };
            let suffix = self.unit.suffix();
            let [from, to] = [first.mean, last.mean].map(short);
            let _ = write!(words, "; {}: from {from}{suffix} to {to}{suffix}", line.name);
        }
        if let Some((_, name)) = &self.mark {
            let _ = write!(words, "; {name}");
        }
        words
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A chart of one line with `values` at 0, 1, 2, ..., on an axis from 0 to 6.
    pub(crate) fn chart(unit: Unit, values: &[f64]) -> LineChart {
        let points = values.iter().enumerate().map(|(index, value)| (index as f64, *value));
        LineChart {
            caption: Caption { id: "x", title: "A curve", reading: "" },
            x: Axis { name: "epoch", spread: Spread::Linear, ends: [0.0, 6.0] },
            unit,
            lines: vec![Line::new("values", Style::First, points.collect())],
            level: None,
            mark: None,
        }
    }

    #[test]
    fn a_chart_says_in_words_how_it_went() {
        let words = chart(Unit::Percent, &[10.0, 81.27]).in_words();
        assert_eq!(words, "A curve; values: from 10 % to 81.3 %");
        let words = chart(Unit::Amount, &[0.003, 4.5e-8]).in_words();
        assert_eq!(words, "A curve; values: from 0.003 to 4.5e-8");
    }

    #[test]
    fn points_that_are_not_finite_are_left_out() {
        let points = vec![(0.0, 1.0), (1.0, f64::NAN), (f64::INFINITY, 2.0)];
        assert_eq!(Line::new("loss", Style::First, points).bins.len(), 1);
    }
}
