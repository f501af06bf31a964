//! A curve as SVG.

use std::fmt::Write;

use serde::Serialize;

use crate::bins::Bin;
use crate::curves::{Curve, Line, Unit};
use crate::ticks::{label, ticks};

const WIDTH: f64 = 480.0;
const HEIGHT: f64 = 250.0;
/// Room for the axes: left, right, top, bottom.
const MARGINS: [f64; 4] = [50.0, 14.0, 12.0, 40.0];
/// Lines of so few points show each.
const MOST_DOTS: usize = 40;

/// Straight lines from epochs and values to points of the picture.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Axes {
    x: [f64; 2],
    y: [f64; 2],
}

/// What the page's script needs to know of a chart to show values under the pointer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct ChartData {
    id: &'static str,
    suffix: &'static str,
    /// Left, right, top and bottom of the plot in the picture.
    frame: [f64; 4],
    x: [f64; 2],
    y: [f64; 2],
    lines: Vec<LineData>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct LineData {
    name: &'static str,
    /// Epoch, mean, lowest and highest of each point.
    points: Vec<[f64; 4]>,
}

impl Axes {
    fn around(curve: &Curve, epochs: f64) -> Self {
        let bins = || curve.lines.iter().flat_map(|line| &line.bins);
        let reference = curve.reference.map(|(value, _)| value);
        let low = bins().map(|bin| bin.low).chain(reference).fold(f64::INFINITY, f64::min);
        let high = bins().map(|bin| bin.high).chain(reference).fold(f64::NEG_INFINITY, f64::max);
        let (low, high) = if low <= high { (low, high) } else { (0.0, 1.0) };
        let air = if low < high { (high - low) * 0.06 } else { high.abs() * 0.06 };
        // A line of zeros needs some height as well.
        let air = if air > 0.0 { air } else { 1.0 };
        let y = match curve.unit {
            Unit::Plain => [low - air, high + air],
            Unit::Amount => [0.0, high + air],
            Unit::Percent => [0.0, (high * 1.06).clamp(1.0, 100.0)],
        };
        Self { x: [0.0, if epochs > 0.0 { epochs } else { 1.0 }], y }
    }

    fn x(&self, epoch: f64) -> f64 {
        let [left, right, ..] = MARGINS;
        left + (epoch - self.x[0]) / (self.x[1] - self.x[0]) * (WIDTH - left - right)
    }

    fn y(&self, value: f64) -> f64 {
        let [_, _, top, bottom] = MARGINS;
        HEIGHT - bottom - (value - self.y[0]) / (self.y[1] - self.y[0]) * (HEIGHT - top - bottom)
    }
}

impl Curve {
    /// The chart, on an axis from 0 to `epochs`. Colours are the page's.
    pub(crate) fn svg(&self, epochs: f64) -> String {
        let axes = Axes::around(self, epochs);
        let mut svg = format!(
            "<svg class=\"chart\" id=\"chart-{}\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" \
             aria-label=\"{}\" tabindex=\"0\">\n",
            self.id,
            self.in_words()
        );
        draw_axes(&mut svg, &axes, self.unit);
        if let Some((value, name)) = self.reference {
            draw_reference(&mut svg, &axes, value, name);
        }
        for (index, line) in self.lines.iter().enumerate().rev() {
            draw_line(&mut svg, &axes, line, index);
        }
        svg.push_str("<g class=\"cursor\"></g></svg>\n");
        svg
    }

    /// The chart for those who do not see it.
    fn in_words(&self) -> String {
        let mut words = self.title.to_owned();
        for line in &self.lines {
            let (Some(first), Some(last)) = (line.bins.first(), line.bins.last()) else { continue };
            let suffix = self.unit.suffix();
            let [from, to] = [first.mean, last.mean].map(short);
            let _ = write!(words, "; {}: from {from}{suffix} to {to}{suffix}", line.name);
        }
        words
    }

    pub(crate) fn data(&self, epochs: f64) -> ChartData {
        let axes = Axes::around(self, epochs);
        let [left, right, top, bottom] = MARGINS;
        let point = |bin: &Bin| [bin.x, bin.mean, bin.low, bin.high].map(significant);
        let lines = self.lines.iter().map(|line| LineData {
            name: line.name,
            points: line.bins.iter().map(point).collect(),
        });
        ChartData {
            id: self.id,
            suffix: self.unit.suffix(),
            frame: [left, WIDTH - right, top, HEIGHT - bottom],
            x: axes.x,
            y: axes.y,
            lines: lines.collect(),
        }
    }
}

/// A frame with round numbers on both axes.
fn draw_axes(svg: &mut String, axes: &Axes, unit: Unit) {
    let [left, right, _, bottom] = MARGINS;
    let (floor, far) = (HEIGHT - bottom, WIDTH - right);
    let values = ticks(axes.y[0], axes.y[1], 4);
    let step = step(&values, axes.y);
    for &value in &values {
        let (y, text, suffix) = (axes.y(value), label(value, step), unit.suffix());
        let _ = writeln!(
            svg,
            "<line class=\"grid\" x1=\"{left}\" x2=\"{far}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
             <text class=\"tick\" x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{text}{suffix}</text>",
            left - 6.0,
            y + 4.0
        );
    }
    let epochs = ticks(axes.x[0], axes.x[1], 6);
    let step = self::step(&epochs, axes.x);
    for &epoch in &epochs {
        let (x, text) = (axes.x(epoch), label(epoch, step));
        let _ = writeln!(
            svg,
            "<line class=\"axis\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{floor}\" y2=\"{}\"/>\
             <text class=\"tick\" x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">{text}</text>",
            floor + 4.0,
            floor + 17.0
        );
    }
    let _ = writeln!(
        svg,
        "<line class=\"axis\" x1=\"{left}\" x2=\"{far}\" y1=\"{floor}\" y2=\"{floor}\"/>\
         <text class=\"tick\" x=\"{}\" y=\"{}\" text-anchor=\"middle\">epoch</text>",
        f64::midpoint(left, far),
        HEIGHT - 6.0
    );
}

fn step(ticks: &[f64], range: [f64; 2]) -> f64 {
    if let [first, second, ..] = ticks { second - first } else { range[1] - range[0] }
}

fn draw_reference(svg: &mut String, axes: &Axes, value: f64, name: &str) {
    let ([left, right, ..], y) = (MARGINS, axes.y(value));
    let far = WIDTH - right;
    let _ = writeln!(
        svg,
        "<line class=\"reference\" x1=\"{left}\" x2=\"{far}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
         <text class=\"tick\" x=\"{far}\" y=\"{:.1}\" text-anchor=\"end\">{name}</text>",
        y - 5.0
    );
}

/// The range of each bin as a band, the means as a line.
fn draw_line(svg: &mut String, axes: &Axes, line: &Line, index: usize) {
    let point = |x: f64, y: f64| format!("{:.1},{:.1}", axes.x(x), axes.y(y));
    if line.bins.iter().any(|bin| bin.low < bin.high) {
        let above = line.bins.iter().map(|bin| point(bin.x, bin.high));
        let below = line.bins.iter().rev().map(|bin| point(bin.x, bin.low));
        let band: Vec<String> = above.chain(below).collect();
        let _ =
            writeln!(svg, "<polygon class=\"band line{index}\" points=\"{}\"/>", band.join(" "));
    }
    let means: Vec<String> = line.bins.iter().map(|bin| point(bin.x, bin.mean)).collect();
    let _ = writeln!(svg, "<polyline class=\"line line{index}\" points=\"{}\"/>", means.join(" "));
    if line.bins.len() <= MOST_DOTS {
        for bin in &line.bins {
            let (x, y) = (axes.x(bin.x), axes.y(bin.mean));
            let _ = write!(
                svg,
                "<circle class=\"dot line{index}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\"/>"
            );
        }
        svg.push('\n');
    }
}

/// Five digits: more than a chart shows.
fn significant(value: f64) -> f64 {
    format!("{value:.4e}").parse().unwrap_or(value)
}

/// Three digits, or a small number's exponent.
fn short(value: f64) -> String {
    if value != 0.0 && value.abs() < 1e-3 {
        return crate::ticks::scientific(value);
    }
    format!("{value:.2e}").parse::<f64>().unwrap_or(value).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bins::bins;

    fn curve(unit: Unit, values: &[f64]) -> Curve {
        let points: Vec<(f64, f64)> =
            values.iter().enumerate().map(|(index, value)| (index as f64, *value)).collect();
        Curve {
            id: "x",
            title: "A curve",
            unit,
            reading: "",
            lines: vec![Line { name: "values", bins: bins(&points, 5) }],
            reference: Some((2.5, "guessing")),
        }
    }

    #[test]
    fn every_point_lies_within_the_frame() {
        for unit in [Unit::Plain, Unit::Amount, Unit::Percent] {
            let values = [4.0, 1.0, 3.0, 0.5, 2.0, 9.0, 8.0];
            let svg = curve(unit, &values).svg(6.0);
            let points = svg.split("points=\"").skip(1).flat_map(|rest| {
                rest.split('"').next().unwrap().split(' ').map(|point| {
                    let (x, y) = point.split_once(',').unwrap();
                    (x.parse::<f64>().unwrap(), y.parse::<f64>().unwrap())
                })
            });
            let points: Vec<(f64, f64)> = points.collect();
            assert_eq!(points.len(), 8 + 4);
            for (x, y) in points {
                assert!((50.0..=466.0).contains(&x) && (11.9..=210.1).contains(&y), "{x}, {y}");
            }
        }
    }

    #[test]
    fn curves_of_no_point_of_one_and_of_equal_values_are_charts_too() {
        for values in [&[] as &[f64], &[1.0], &[0.0, 0.0], &[7.0, 7.0, 7.0]] {
            for unit in [Unit::Plain, Unit::Amount, Unit::Percent] {
                let mut curve = curve(unit, values);
                curve.reference = None;
                let svg = curve.svg(2.0);
                assert!(!svg.contains("NaN") && !svg.contains("inf"), "{values:?}: {svg}");
            }
        }
    }

    #[test]
    fn a_chart_says_in_words_how_it_went() {
        let words = curve(Unit::Percent, &[10.0, 81.27]).in_words();
        assert_eq!(words, "A curve; values: from 10 % to 81.3 %");
        let words = curve(Unit::Amount, &[0.003, 4.5e-8]).in_words();
        assert_eq!(words, "A curve; values: from 0.003 to 4.5e-8");
    }
}
