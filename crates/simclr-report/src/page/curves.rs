//! How training went.

use maud::{Markup, html};

use crate::chart::LineChart;
use crate::run::Curves;

pub(super) fn section(curves: &Curves) -> Markup {
    html! {
        section #curves {
            h2 { "How training went" }
            p .reading {
                "Every step and every epoch of the run. Where many steps share a pixel, the line is their mean and the "
                "band their range."
            }
            @for (epoch, text) in &curves.warnings {
                p .note { "After epoch " (epoch) ": " bdi { (text) } }
            }
            @if curves.charts.is_empty() { p { "The run logged nothing." } }
            div .charts { @for chart in &curves.charts { (figure(chart)) } }
        }
    }
}

fn figure(chart: &LineChart) -> Markup {
    let lines = &chart.lines;
    html! {
        figure {
            h3 {
                (chart.caption.title) " "
                @if lines.len() > 1 {
                    @for line in lines { span .key .(line.style.class()) { (line.name) } }
                }
            }
            (chart.to_markup())
            figcaption { (chart.caption.reading) }
        }
    }
}
