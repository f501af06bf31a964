//! The guess of view 0 at several temperatures, as a picture.

use std::fmt::Write;

use simclr::loss::Explanation;

use crate::softmax::Guess;

const WIDTH: f64 = 240.0;
const HEIGHT: f64 = 130.0;
const GAP: f64 = 20.0;
const LEFT: f64 = 20.0;
const WHOLE_HEIGHT: f64 = 500.0;
/// The tops of the two rows of panels.
const TOPS: [f64; 2] = [64.0, 290.0];
/// The nearest candidates, as many as a panel has room for.
const MOST_BARS: usize = 6;
const PARTNER: &str = "#2f8f5b";
const NEGATIVE: &str = "#2f6db5";
const PUSH: &str = "#c2571a";

/// Label, share and colour of a bar.
type Bar = (String, f64, &'static str);

/// An SVG: above, what share of the guess each candidate of view 0 gets; below, how the push is spread over the
/// negatives. A column for each temperature, and one scale for all.
pub(crate) fn chart(explained: &Explanation, temperatures: &[f64]) -> String {
    let columns: Vec<[Vec<Bar>; 2]> =
        temperatures.iter().map(|&t| bars(&Guess::new(explained, 0, t))).collect();
    let largest = columns.iter().flatten().flatten().map(|bar| bar.1).fold(0.0, f64::max);

    let width = LEFT + temperatures.len() as f64 * (WIDTH + GAP);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {WHOLE_HEIGHT}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <title>View 0: the share of each candidate in the guess, and of each negative in the push, by temperature</title>\n\
         <rect width=\"{width}\" height=\"{WHOLE_HEIGHT}\" fill=\"#ffffff\"/>\n"
    );
    let titles = ["share of the guess, p", "share of the push on the negatives"];
    for (title, top) in titles.iter().zip(TOPS) {
        let bold = format!("<tspan font-weight=\"bold\">{title}</tspan>");
        text(&mut svg, [LEFT, top - 40.0], "start", &bold);
    }
    for (column, (t, rows)) in temperatures.iter().zip(&columns).enumerate() {
        let left = LEFT + column as f64 * (WIDTH + GAP);
        for (bars, top) in rows.iter().zip(TOPS) {
            text(&mut svg, [left, top - 20.0], "start", &format!("t = {t:.1}"));
            panel(&mut svg, [left, top], HEIGHT / largest, bars);
        }
    }
    let colours = [("the partner", PARTNER), ("negatives", NEGATIVE), ("push", PUSH)];
    for (i, (name, colour)) in colours.iter().enumerate() {
        let x = LEFT + 120.0 * i as f64;
        rect(&mut svg, [x, WHOLE_HEIGHT - 20.0, 14.0, 10.0], colour);
        text(&mut svg, [x + 20.0, WHOLE_HEIGHT - 11.0], "start", name);
    }
    svg + "</svg>\n"
}

/// The bars of the guess, and those of the push.
fn bars(guess: &Guess) -> [Vec<Bar>; 2] {
    let colour = |is_partner| if is_partner { PARTNER } else { NEGATIVE };
    let all = guess.candidates.iter();
    let shares = all.clone().map(|c| (label(c.view, c.cosine), c.share, colour(c.is_partner)));
    let negatives = all.filter(|candidate| !candidate.is_partner).zip(guess.pushes());
    let pushes = negatives.map(|(c, push)| (label(c.view, c.cosine), push, PUSH));
    [shares.take(MOST_BARS).collect(), pushes.take(MOST_BARS).collect()]
}

/// A candidate's number, and below it its cosine with view 0.
fn label(view: usize, cosine: f64) -> String {
    format!("view {view}|{cosine:.3}")
}

fn panel(svg: &mut String, [left, top]: [f64; 2], scale: f64, bars: &[Bar]) {
    let base = top + HEIGHT;
    let _ = writeln!(
        svg,
        "<line x1=\"{left}\" x2=\"{:.1}\" y1=\"{base}\" y2=\"{base}\" stroke=\"#4a525c\"/>",
        left + WIDTH
    );
    let step = WIDTH / bars.len() as f64;
    for (i, (label, share, colour)) in bars.iter().enumerate() {
        let (x, height) = (left + step * i as f64, scale * share);
        rect(svg, [x + 4.0, base - height, step - 8.0, height], colour);
        let middle = x + step / 2.0;
        text(svg, [middle, base - height - 4.0], "middle", &format!("{:.1} %", 100.0 * share));
        for (line, part) in label.split('|').enumerate() {
            text(svg, [middle, base + 15.0 + 14.0 * line as f64], "middle", part);
        }
    }
}

fn rect(svg: &mut String, [x, y, width, height]: [f64; 4], fill: &str) {
    let _ = writeln!(
        svg,
        "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" fill=\"{fill}\"/>"
    );
}

fn text(svg: &mut String, [x, y]: [f64; 2], anchor: &str, content: &str) {
    let _ = writeln!(
        svg,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" fill=\"#22272e\">{content}</text>"
    );
}
