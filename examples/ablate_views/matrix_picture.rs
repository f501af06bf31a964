//! The matrix as a picture.

use std::path::Path;

use anyhow::{Context, Result};
use simclr::data::replace_file;

use crate::results::mean;
use crate::transformation::Transformation;

/// Width and height of a cell, and the corner of the first.
const CELL: [f64; 2] = [70.0, 46.0];
const ORIGIN: [f64; 2] = [124.0, 84.0];
/// Between the matrix, the averages and the scale.
const GAP: f64 = 18.0;
/// The scale is as high as this at least, and has so many steps.
const SCALE_HEIGHT: f64 = 150.0;
const STEPS: u32 = 40;
/// The colours of the lowest, the middle and the highest value.
const COLOURS: [[f64; 3]; 3] = [[247.0, 244.0, 232.0], [102.0, 176.0, 178.0], [22.0, 60.0, 104.0]];

/// A matrix of shares in 0..=1. A cell may be missing.
pub(crate) struct MatrixPicture<'a> {
    /// The names of both rows and columns.
    pub(crate) names: &'a [Transformation],
    pub(crate) values: Vec<Vec<Option<f64>>>,
    /// A value to compare with, on the scale: that of random weights.
    pub(crate) random: f64,
}

impl MatrixPicture<'_> {
    /// Writes the picture as SVG.
    pub(crate) fn save(&self, path: &Path) -> Result<()> {
        let svg = self.svg();
        replace_file(path, |file| file.write_all(svg.as_bytes()))
            .with_context(|| format!("cannot write {}", path.display()))
    }

    fn svg(&self) -> String {
        let ([left, top], side) = (ORIGIN, self.names.len() as f64);
        let [right, bottom] = [left + side * CELL[0], top + side * CELL[1]];
        let averages = right + GAP;
        let scale = averages + CELL[0] + 2.0 * GAP;
        let (width, height) = (scale + 200.0, bottom.max(top + SCALE_HEIGHT) + 20.0);
        let mut parts = vec![
            format!(
                "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
                 font-family=\"sans-serif\" font-size=\"14\" fill=\"#20262e\">\n\
                 <title>Top-1 of a linear probe for each pair of transformations, in percent</title>\n\
                 <rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>\n"
            ),
            text([f64::midpoint(left, right), 34.0], "middle", "second transformation"),
            format!("<g transform=\"translate(24 {}) rotate(-90)\">\n", f64::midpoint(top, bottom)),
            text([0.0, 0.0], "middle", "first transformation"),
            "</g>\n".to_owned(),
            text([averages + CELL[0] / 2.0, top - 12.0], "middle", "average"),
            text([scale, top - 12.0], "start", "top-1, %"),
            self.scale([scale, top]),
        ];
        for (row, (name, values)) in self.names.iter().zip(&self.values).enumerate() {
            let [x, y] = [left + row as f64 * CELL[0], top + row as f64 * CELL[1]];
            parts.push(text([x + CELL[0] / 2.0, top - 12.0], "middle", &name.to_string()));
            parts.push(text([left - 10.0, y + CELL[1] / 2.0 + 5.0], "end", &name.to_string()));
            for (column, &value) in values.iter().enumerate() {
                parts.push(self.cell([left + column as f64 * CELL[0], y], value));
            }
            // Of whole rows alone: others cannot be compared with them.
            let whole: Option<Vec<f64>> = values.iter().copied().collect();
            let average = whole.and_then(|values| mean(values.into_iter()));
            parts.push(self.cell([averages, y], average));
        }
        parts.concat() + "</svg>\n"
    }

    /// A cell with its value in percent.
    fn cell(&self, [x, y]: [f64; 2], value: Option<f64>) -> String {
        let Some(value) = value else { return String::new() };
        let share = self.share(value);
        let ink = if share > 0.6 { "#ffffff" } else { "#20262e" };
        let number = text([x + CELL[0] / 2.0, y + CELL[1] / 2.0 + 5.0], "middle", &percent(value));
        let place = [x + 1.0, y + 1.0];
        rectangle(place, CELL.map(|length| length - 2.0), share)
            + &format!("<g fill=\"{ink}\">{}</g>\n", number.trim_end())
    }

    /// The colour scale, with its ends and the value of random weights.
    fn scale(&self, [x, y]: [f64; 2]) -> String {
        let height = (self.names.len() as f64 * CELL[1]).max(SCALE_HEIGHT);
        let step = height / f64::from(STEPS);
        let band = |number: u32| {
            let above = f64::from(number) * step;
            // Taller than a step, so that no seam shows.
            rectangle([x, y + above], [18.0, step + 0.5], 1.0 - (above + step / 2.0) / height)
        };
        let place = |value: f64| y + height * (1.0 - self.share(value));
        let label =
            |value: f64, text_of: String| text([x + 24.0, place(value) + 5.0], "start", &text_of);
        let (low, high) = self.range();
        // Room for a line of text between two of them.
        let far = |value: &f64| (place(*value) - place(self.random)).abs() > 16.0;
        let ends = [low, high].into_iter().filter(far).map(|value| label(value, percent(value)));
        let random = label(self.random, format!("{} random weights", percent(self.random)));
        (0..STEPS).map(band).chain(ends).chain([random]).collect()
    }

    /// The values at the ends of the scale.
    fn range(&self) -> (f64, f64) {
        let values = self.values.iter().flatten().flatten();
        values.fold((self.random, self.random), |(low, high), &value| {
            (low.min(value), high.max(value))
        })
    }

    /// A value's place between the ends of the scale, in 0..=1.
    fn share(&self, value: f64) -> f64 {
        let (low, high) = self.range();
        if high > low { (value - low) / (high - low) } else { 0.0 }
    }
}

fn percent(share: f64) -> String {
    format!("{:.1}", 100.0 * share)
}

fn text([x, y]: [f64; 2], anchor: &str, words: &str) -> String {
    format!("<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{words}</text>\n")
}

/// A rectangle in the colour of a place on the scale.
fn rectangle([x, y]: [f64; 2], [width, height]: [f64; 2], share: f64) -> String {
    let (from, to, part) =
        if share < 0.5 { (0, 1, 2.0 * share) } else { (1, 2, 2.0 * share - 1.0) };
    let mixed = |channel| {
        let [from, to]: [f64; 2] = [from, to].map(|stop: usize| COLOURS[stop][channel]);
        (from + part * (to - from)).round() as u8
    };
    let [red, green, blue] = [0, 1, 2].map(mixed);
    format!(
        "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" \
         fill=\"#{red:02x}{green:02x}{blue:02x}\"/>\n"
    )
}
