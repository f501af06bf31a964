//! The curve of a learning-rate range test as a picture.

use simclr_train::LearningRateCurve;

use crate::chart::{Axis, Caption, Line, LineChart, Spread, Style, Unit};
use crate::numbers::scientific;

const CAPTION: Caption = Caption {
    id: "range-test",
    title: "Loss by learning rate",
    reading: "A range test: a network is trained with a rate that grows from step to step. Marked is the rate at which the \
              smoothed loss falls fastest, below the chance level.",
};

/// The curve of a range test as an SVG, the text of a file: the smoothed loss over the learning rate, each step's loss
/// behind it, the loss at chance level, and the suggested rate.
///
/// ```
/// use simclr_report::learning_rate_plot;
/// use simclr_train::{LearningRateCurve, TriedRate};
///
/// let loss = |decade: f64| 4.8 - 1.0 / (1.0 + (-4.0 * (decade + 3.0)).exp());
/// let decades = (0..100).map(|step| -7.0 + 0.06 * f64::from(step));
/// let tried = decades.map(|x| TriedRate { rate: 10_f64.powf(x), loss: loss(x) }).collect();
/// let curve = LearningRateCurve { tried, chance_level: 4.8, diverged: false };
///
/// let svg = learning_rate_plot(&curve);
/// assert!(svg.starts_with("<svg") && svg.contains("The loss falls fastest at 1"));
/// ```
#[must_use]
pub fn learning_rate_plot(curve: &LearningRateCurve) -> String {
    let heading = match curve.suggestion() {
        Some(rate) => format!("The loss falls fastest at {}", scientific(rate)),
        None => "No rate lowered the loss".to_owned(),
    };
    learning_rate_chart(curve).to_file(&heading)
}

/// The same as a chart of the page.
pub(crate) fn learning_rate_chart(curve: &LearningRateCurve) -> LineChart {
    // A file may hold any rate, but a logarithm takes a positive one.
    let rates = || curve.tried.iter().map(|tried| tried.rate).filter(|rate| *rate > 0.0);
    let line = |name, style, losses: Vec<f64>| {
        let points = curve.tried.iter().map(|tried| tried.rate).zip(losses);
        Line::new(name, style, points.filter(|(rate, _)| *rate > 0.0).collect())
    };
    LineChart {
        caption: CAPTION,
        x: Axis {
            name: "learning rate",
            spread: Spread::Logarithmic,
            ends: whole_decades(rates()),
        },
        unit: Unit::Plain,
        lines: vec![
            line("smoothed loss", Style::First, curve.smoothed()),
            line("loss of each step", Style::Faint, losses(curve)),
        ],
        level: Some((curve.chance_level, "chance level")),
        mark: curve.suggestion().map(|rate| (rate, format!("fastest: {}", scientific(rate)))),
    }
}

fn losses(curve: &LearningRateCurve) -> Vec<f64> {
    curve.tried.iter().map(|tried| tried.loss).collect()
}

/// The powers of ten below and above all rates, at least a decade apart.
fn whole_decades(rates: impl Iterator<Item = f64>) -> [f64; 2] {
    let decades = rates.map(f64::log10).fold(None, |ends: Option<[f64; 2]>, decade| {
        let [low, high] = ends.unwrap_or([decade; 2]);
        Some([low.min(decade), high.max(decade)])
    });
    let [low, high] = decades.unwrap_or([-1.0, 0.0]);
    // A rate of 1e-7 may have a logarithm a little below -7.
    let (low, high) = ((low + 1e-9).floor(), (high - 1e-9).ceil());
    [low, high.max(low + 1.0)].map(|decade| 10_f64.powf(decade))
}

#[cfg(test)]
mod tests {
    use super::*;
    use simclr_train::TriedRate;

    fn curve(steps: u32) -> LearningRateCurve {
        let tried = (0..steps).map(|i| {
            let decade = -7.0 + 0.08 * f64::from(i);
            let loss = 5.0 - 2.0 / (1.0 + (-4.0 * (decade + 3.0)).exp());
            TriedRate { rate: 10_f64.powf(decade), loss }
        });
        LearningRateCurve { tried: tried.collect(), chance_level: 4.9, diverged: false }
    }

    fn point(text: &str) -> (f64, f64) {
        let (x, y) = text.split_once(',').unwrap();
        (x.parse().unwrap(), y.parse().unwrap())
    }

    #[test]
    fn a_plot_holds_every_point_within_its_frame_and_names_the_suggestion() {
        let curve = curve(90);
        let svg = learning_rate_plot(&curve);
        let rate = scientific(curve.suggestion().unwrap());
        for text in [format!(">The loss falls fastest at {rate}<"), format!(">fastest: {rate}<")] {
            assert!(svg.contains(&text), "{svg}");
        }
        let lines: Vec<Vec<(f64, f64)>> = svg
            .split("<polyline ")
            .skip(1)
            .map(|line| line.split("points=\"").nth(1).unwrap().split('"').next().unwrap())
            .map(|points| points.split(' ').map(point).collect())
            .collect();
        assert_eq!(lines.iter().map(Vec::len).collect::<Vec<_>>(), [90, 90]);
        for (x, y) in lines.concat() {
            assert!((50.0..=466.0).contains(&x) && (12.0..=210.0).contains(&y), "{x}, {y}");
        }
        assert!(lines[1][0].1 < lines[1][89].1, "a lower loss is further down");
        assert!(svg.contains(">1e-7<") && svg.contains(">1e1<"), "{svg}");
    }

    #[test]
    fn curves_of_no_point_and_of_one_and_of_impossible_rates_are_plots_too() {
        let mut curves = [curve(0), curve(1), curve(2)];
        curves[2].tried[0].rate = 0.0;
        for curve in curves {
            let svg = learning_rate_plot(&curve);
            assert!(svg.ends_with("</svg>") && !svg.contains("NaN"), "{svg}");
            assert!(!svg.contains("inf"), "{svg}");
        }
    }
}
