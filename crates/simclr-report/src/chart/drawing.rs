//! A chart as SVG.
//!
//! Elements have classes, and a style sheet gives these their looks: the page's, or `chart.css` in a file of the
//! chart's own. An SVG element is always closed (`line {}`), as XML wants it.

use maud::{Markup, PreEscaped, html};

use crate::chart::bins::Bin;
use crate::chart::frame::{BOTTOM, Frame, HEIGHT, LEFT, RIGHT, TOP, WIDTH};
use crate::chart::line_chart::{Line, LineChart};
use crate::numbers::tenth;

const STYLE: &str = include_str!("../../assets/chart.css");
/// Height of the heading in a file of the chart's own.
const HEADING: f64 = 26.0;
/// Room for the name of a mark.
const MARK_NAME: f64 = 130.0;
/// A line of at most so many points shows each.
const MOST_DOTS: usize = 40;

impl LineChart {
    /// The chart for the page, whose script draws a cursor into it.
    pub(crate) fn to_markup(&self) -> Markup {
        html! {
            svg .chart id=(format!("chart-{}", self.caption.id)) viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) role="img"
                aria-label=(self.in_words()) tabindex="0" {
                (self.content())
                g .cursor {}
            }
        }
    }

    /// The chart as a file of its own, which any viewer of SVG shows.
    pub(crate) fn to_file(&self, heading: &str) -> String {
        let height = HEIGHT + HEADING;
        let view = format!("0 {} {WIDTH} {height}", -HEADING);
        html! {
            svg .chart xmlns="http://www.w3.org/2000/svg" viewBox=(view) role="img" aria-label=(self.in_words()) {
                style { (PreEscaped(STYLE)) }
                rect .paper y=(-HEADING) width=(WIDTH) height=(height) {}
                text .heading x=(LEFT) y="-8" { (heading) }
                (self.content())
            }
        }
        .into_string()
    }

    fn content(&self) -> Markup {
        let frame = Frame::around(self);
        html! {
            (y_axis(&frame, self.unit.suffix()))
            (x_axis(&frame, self.x.name))
            @if let Some((value, name)) = self.level { (level(&frame, value, name)) }
            @if let Some((value, name)) = &self.mark { (mark(&frame, *value, name)) }
            @for line in self.lines.iter().rev() { (drawn(&frame, line)) }
        }
    }
}

/// Round values with level lines through the plot.
fn y_axis(frame: &Frame, suffix: &str) -> Markup {
    html! {
        @for tick in frame.y.ticks(4) {
            @let y = frame.y.place(tick.value);
            line .grid x1=(LEFT) x2=(RIGHT) y1=(tenth(y)) y2=(tenth(y)) {}
            text .tick x=(LEFT - 6.0) y=(tenth(y + 4.0)) text-anchor="end" { (tick.label) (suffix) }
        }
    }
}

/// The axis, its round values and its name.
fn x_axis(frame: &Frame, name: &str) -> Markup {
    html! {
        @for tick in frame.x.ticks(6) {
            @let x = tenth(frame.x.place(tick.value));
            line .axis x1=(x) x2=(x) y1=(BOTTOM) y2=(BOTTOM + 4.0) {}
            text .tick x=(x) y=(BOTTOM + 17.0) text-anchor="middle" { (tick.label) }
        }
        line .axis x1=(LEFT) x2=(RIGHT) y1=(BOTTOM) y2=(BOTTOM) {}
        text .tick x=(f64::midpoint(LEFT, RIGHT)) y=(HEIGHT - 6.0) text-anchor="middle" { (name) }
    }
}

fn level(frame: &Frame, value: f64, name: &str) -> Markup {
    let y = frame.y.place(value);
    html! {
        line .level x1=(LEFT) x2=(RIGHT) y1=(tenth(y)) y2=(tenth(y)) {}
        text .tick x=(RIGHT) y=(tenth(y - 5.0)) text-anchor="end" { (name) }
    }
}

/// An upright line with its name at its foot: before the line, where a falling curve leaves room, if the name fits.
fn mark(frame: &Frame, value: f64, name: &str) -> Markup {
    let x = tenth(frame.x.place(value));
    let (beside, anchor) = if x - LEFT > MARK_NAME { (x - 6.0, "end") } else { (x + 6.0, "start") };
    html! {
        line .mark x1=(x) x2=(x) y1=(TOP) y2=(BOTTOM) {}
        text .tick x=(tenth(beside)) y=(BOTTOM - 8.0) text-anchor=(anchor) { (name) }
    }
}

/// The range of each bin as a band, the means as a line.
fn drawn(frame: &Frame, line: &Line) -> Markup {
    let (class, bins) = (line.style.class(), &line.bins);
    let point = |x: f64, y: f64| (tenth(frame.x.place(x)), tenth(frame.y.place(y)));
    let mean = |bin: &Bin| point(bin.x, bin.mean);
    html! {
        @if bins.iter().any(|bin| bin.low < bin.high) {
            @let above = bins.iter().map(|bin| point(bin.x, bin.high));
            @let below = bins.iter().rev().map(|bin| point(bin.x, bin.low));
            polygon .band .(class) points=(list(above.chain(below))) {}
        }
        polyline .line .(class) points=(list(bins.iter().map(mean))) {}
        @if bins.len() <= MOST_DOTS {
            @for (x, y) in bins.iter().map(mean) {
                circle .dot .(class) cx=(x) cy=(y) r="3" {}
            }
        }
    }
}

/// Points as SVG lists them.
fn list(points: impl Iterator<Item = (f64, f64)>) -> String {
    points.map(|(x, y)| format!("{x},{y}")).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::line_chart::tests::chart;
    use crate::chart::line_chart::{MOST_POINTS, Unit};

    fn points(svg: &str) -> Vec<(f64, f64)> {
        let lists = svg.split("points=\"").skip(1).map(|rest| rest.split('"').next().unwrap());
        let point = |point: &str| {
            let (x, y) = point.split_once(',').unwrap();
            (x.parse::<f64>().unwrap(), y.parse::<f64>().unwrap())
        };
        lists.flat_map(|list| list.split(' ').map(point)).collect()
    }

    #[test]
    fn every_point_lies_within_the_frame() {
        // Seven hundred values in two waves: two of them a point, so that there is a band.
        let values: Vec<f64> =
            (0..700).map(|index| 5.0 + 4.0 * (f64::from(index) / 55.0).sin()).collect();
        for unit in [Unit::Plain, Unit::Amount, Unit::Percent] {
            let mut chart = chart(unit, &values);
            chart.x.ends = [0.0, 700.0];
            chart.level = Some((2.5, "chance level"));
            let points = points(&chart.to_markup().into_string());
            assert_eq!(points.len(), 3 * 350);
            const { assert!(350 <= MOST_POINTS) };
            for (x, y) in points {
                assert!((50.0..=466.0).contains(&x) && (11.9..=210.1).contains(&y), "{x}, {y}");
            }
        }
    }

    #[test]
    fn curves_of_no_point_of_one_and_of_equal_values_are_charts_too() {
        for values in [&[] as &[f64], &[1.0], &[0.0, 0.0], &[7.0, 7.0, 7.0]] {
            for unit in [Unit::Plain, Unit::Amount, Unit::Percent] {
                let svg = chart(unit, values).to_markup().into_string();
                assert!(!svg.contains("NaN") && !svg.contains("inf"), "{values:?}: {svg}");
            }
        }
    }

    #[test]
    fn a_file_of_its_own_closes_every_element_as_xml_wants_it() {
        let mut chart = chart(Unit::Plain, &[1.0, 3.0]);
        chart.mark = Some((2.0, "<best>".to_owned()));
        let svg = chart.to_file("Loss & rate");
        assert!(svg.contains("Loss &amp; rate") && svg.contains("&lt;best&gt;"), "{svg}");
        let mut open = Vec::new();
        for tag in svg.split('<').skip(1).map(|tag| tag.split(['>', ' ']).next().unwrap()) {
            match tag.strip_prefix('/') {
                Some(closed) => assert_eq!(open.pop(), Some(closed)),
                None => open.push(tag),
            }
        }
        assert_eq!(open, [] as [&str; 0]);
    }

    #[test]
    fn the_style_sheet_cannot_end_its_element() {
        assert!(!STYLE.contains(['<', '&']));
    }
}
