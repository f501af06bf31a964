//! What the page's script knows of a chart.

use serde::Serialize;

use crate::chart::bins::Bin;
use crate::chart::frame::{BOTTOM, Frame, LEFT, RIGHT, TOP};
use crate::chart::line_chart::LineChart;

/// What it takes to show the values under the pointer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct ChartData {
    id: &'static str,
    suffix: &'static str,
    /// Left, right, top and bottom of the plot in the picture.
    frame: [f64; 4],
    /// Name of the x axis.
    axis: &'static str,
    /// The ends of both axes.
    x: [f64; 2],
    y: [f64; 2],
    lines: Vec<LineData>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct LineData {
    name: &'static str,
    style: &'static str,
    /// Place on the x axis, mean, lowest and highest of each point.
    points: Vec<[f64; 4]>,
}

impl ChartData {
    pub(crate) fn new(chart: &LineChart) -> Self {
        let frame = Frame::around(chart);
        let point = |bin: &Bin| [bin.x, bin.mean, bin.low, bin.high].map(five_digits);
        let lines = chart.lines.iter().map(|line| LineData {
            name: line.name,
            style: line.style.class(),
            points: line.bins.iter().map(point).collect(),
        });
        Self {
            id: chart.caption.id,
            suffix: chart.unit.suffix(),
            frame: [LEFT, RIGHT, TOP, BOTTOM],
            axis: chart.x.name,
            x: frame.x.values,
            y: frame.y.values,
            lines: lines.collect(),
        }
    }
}

/// More digits than a chart shows.
fn five_digits(value: f64) -> f64 {
    format!("{value:.4e}").parse().unwrap_or(value)
}
