//! The curve of a range test as a picture.

use std::fmt::Write;

use crate::rate::learning_rate_curve::LearningRateCurve;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 400.0;
/// Room for the axes: left, right, top, bottom.
const MARGINS: [f64; 4] = [64.0, 20.0, 40.0, 48.0];

/// Straight lines from (decades of the rate, loss) to points of the picture.
struct Axes {
    decades: [f64; 2],
    losses: [f64; 2],
}

impl Axes {
    /// Whole decades, and all losses with some air; a curve of one point gets axes of length one.
    fn around(curve: &LearningRateCurve) -> Self {
        let range = |values: &mut dyn Iterator<Item = f64>| {
            values.fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], x| {
                [low.min(x), high.max(x)]
            })
        };
        let decades = range(&mut curve.tried.iter().map(|t| t.rate.log10()));
        let guessing = std::iter::once(curve.guessing);
        let losses = range(&mut curve.tried.iter().map(|t| t.loss).chain(guessing));
        let air = ((losses[1] - losses[0]) * 0.05).max(0.01);
        let low = (decades[0] + 1e-9).floor();
        Self {
            decades: [low, (decades[1] - 1e-9).ceil().max(low + 1.0)],
            losses: [losses[0] - air, losses[1] + air],
        }
    }

    fn x(&self, decade: f64) -> f64 {
        let [left, right, ..] = MARGINS;
        left + (decade - self.decades[0]) / (self.decades[1] - self.decades[0])
            * (WIDTH - left - right)
    }

    fn y(&self, loss: f64) -> f64 {
        let [_, _, top, bottom] = MARGINS;
        HEIGHT
            - bottom
            - (loss - self.losses[0]) / (self.losses[1] - self.losses[0]) * (HEIGHT - top - bottom)
    }

    fn line(&self, points: impl Iterator<Item = (f64, f64)>) -> String {
        let points =
            points.map(|(decade, loss)| format!("{:.1},{:.1}", self.x(decade), self.y(loss)));
        points.collect::<Vec<_>>().join(" ")
    }
}

impl LearningRateCurve {
    /// The curve as an SVG: each loss, the smoothed losses, the loss of guessing and the suggested rate.
    #[must_use]
    pub fn to_svg(&self) -> String {
        let title = match self.suggestion() {
            Some(rate) => format!("Steepest descent at {}", short(rate)),
            None => "No rate lowered the loss".to_owned(),
        };
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
             font-family=\"sans-serif\" font-size=\"12\" fill=\"#333\">\n\
             <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"white\"/>\n\
             <text x=\"{}\" y=\"24\" font-size=\"15\">{title}</text>\n",
            MARGINS[0],
        );
        if !self.tried.is_empty() {
            self.draw(&Axes::around(self), &mut svg);
        }
        svg.push_str("</svg>\n");
        svg
    }

    fn draw(&self, axes: &Axes, svg: &mut String) {
        draw_axes(axes, svg);
        let decades = || self.tried.iter().map(|tried| tried.rate.log10());
        let raw = axes.line(decades().zip(self.tried.iter().map(|tried| tried.loss)));
        let smoothed = axes.line(decades().zip(self.smoothed()));
        let (y, [left, right, ..]) = (axes.y(self.guessing), MARGINS);
        let _ = writeln!(
            svg,
            "<line x1=\"{left}\" x2=\"{}\" y1=\"{y:.1}\" y2=\"{y:.1}\" stroke=\"#777\" \
             stroke-dasharray=\"2 3\"/><text x=\"{}\" y=\"{:.1}\">guessing</text>",
            WIDTH - right,
            left + 6.0,
            y - 5.0
        );
        for (points, colour, width) in [(raw, "#b8c4d6", 1.0), (smoothed, "#1f4e9c", 2.5)] {
            let style = format!("fill=\"none\" stroke=\"{colour}\" stroke-width=\"{width}\"");
            let _ = writeln!(svg, "<polyline points=\"{points}\" {style}/>");
        }
        if let Some(rate) = self.suggestion() {
            let (x, [_, _, top, bottom]) = (axes.x(rate.log10()), MARGINS);
            let _ = writeln!(
                svg,
                "<line x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{top}\" y2=\"{}\" stroke=\"#c0392b\" \
                 stroke-width=\"1.5\" stroke-dasharray=\"5 4\"/>",
                HEIGHT - bottom
            );
        }
    }
}

/// A frame with a tick for each decade and for five losses.
fn draw_axes(axes: &Axes, svg: &mut String) {
    let [left, right, top, bottom] = MARGINS;
    let (floor, far) = (HEIGHT - bottom, WIDTH - right);
    let mut decade = axes.decades[0];
    while decade <= axes.decades[1] {
        let (x, label) = (axes.x(decade), short(10_f64.powf(decade)));
        let _ = writeln!(
            svg,
            "<line x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{top}\" y2=\"{floor}\" stroke=\"#e6e6e6\"/>\
             <text x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">{label}</text>",
            floor + 16.0
        );
        decade += 1.0;
    }
    for tick in 0..5 {
        let [low, high] = axes.losses;
        let loss = low + (high - low) * f64::from(tick) / 4.0;
        let y = axes.y(loss);
        let _ = writeln!(
            svg,
            "<line x1=\"{left}\" x2=\"{far}\" y1=\"{y:.1}\" y2=\"{y:.1}\" stroke=\"#e6e6e6\"/>\
             <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{loss:.2}</text>",
            left - 6.0,
            y + 4.0
        );
    }
    let _ = writeln!(
        svg,
        "<text x=\"{:.1}\" y=\"{}\" text-anchor=\"middle\">learning rate</text>\
         <text x=\"14\" y=\"{:.1}\" text-anchor=\"middle\" transform=\"rotate(-90 14 {:.1})\">loss</text>",
        f64::midpoint(left, far),
        HEIGHT - 10.0,
        f64::midpoint(top, floor),
        f64::midpoint(top, floor),
    );
}

/// Two digits: `1.3e-3`.
fn short(rate: f64) -> String {
    format!("{rate:.1e}").replace(".0e", "e")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rate::learning_rate_curve::TriedRate;

    fn curve(steps: u32) -> LearningRateCurve {
        let tried = (0..steps).map(|i| {
            let decade = -7.0 + 0.08 * f64::from(i);
            let loss = 5.0 - 2.0 / (1.0 + (-4.0 * (decade + 3.0)).exp());
            TriedRate { rate: 10_f64.powf(decade), loss }
        });
        LearningRateCurve { tried: tried.collect(), guessing: 4.9, diverged: false }
    }

    #[test]
    fn a_plot_holds_every_point_within_its_frame_and_names_the_suggestion() {
        let curve = curve(90);
        let svg = curve.to_svg();
        let title = format!("Steepest descent at {}", short(curve.suggestion().unwrap()));
        assert!(svg.contains(&title), "{svg}");
        let lines: Vec<Vec<(f64, f64)>> = svg
            .lines()
            .filter_map(|line| line.strip_prefix("<polyline points=\"")?.split_once('"'))
            .map(|(points, _)| points.split(' ').map(point).collect())
            .collect();
        assert_eq!(lines.iter().map(Vec::len).collect::<Vec<_>>(), [90, 90]);
        for (x, y) in lines.concat() {
            assert!((64.0..=700.0).contains(&x) && (40.0..=352.0).contains(&y), "{x}, {y}");
        }
        assert!(lines[1][0].1 < lines[1][89].1, "a lower loss is further down");
    }

    fn point(text: &str) -> (f64, f64) {
        let (x, y) = text.split_once(',').unwrap();
        (x.parse().unwrap(), y.parse().unwrap())
    }

    #[test]
    fn curves_of_no_point_and_of_one_are_plots_too() {
        for steps in [0, 1] {
            let svg = curve(steps).to_svg();
            assert!(
                svg.ends_with("</svg>\n") && !svg.contains("NaN") && !svg.contains("inf"),
                "{svg}"
            );
        }
    }
}
