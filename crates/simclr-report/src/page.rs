//! The page: its frame, and its sections from top to bottom.

mod classes;
mod curves;
mod facts;
mod figures;
mod map;
mod neighbours;
mod template;
mod views;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::line_chart::ChartData;
use crate::run_report::RunReport;
use crate::text::json_in_html;

const FRAME: &str = include_str!("../assets/page.html");
const STYLE: &str = include_str!("../assets/page.css");
const SCRIPT: &str = include_str!("../assets/page.js");

/// What the script is told.
#[derive(Serialize)]
struct PageData<'a> {
    charts: Vec<ChartData>,
    map: map::MapData<'a>,
}

pub(crate) fn html(report: &RunReport) -> String {
    let (style, script) = (unix_lines(STYLE), unix_lines(SCRIPT));
    let sections = [
        facts::section(&report.facts),
        figures::section(report),
        curves::section(&report.curves),
        views::section(&report.views),
        map::section(&report.map, report.quality.is_some()),
        neighbours::section(&report.neighbours, report.quality.is_some()),
        report.quality.as_ref().map_or(String::new(), classes::section),
    ];
    let charts = report.curves.all.iter().map(|curve| curve.data(report.curves.epochs));
    let data = PageData { charts: charts.collect(), map: map::MapData::new(&report.map) };
    template::fill(
        FRAME,
        &[
            ("title", format!("{} · {}", report.facts.encoder, report.facts.run)),
            ("style_hash", hash(&style)),
            ("script_hash", hash(&script)),
            ("header", facts::header(report)),
            ("sections", sections.concat()),
            ("data", json_in_html(&data)),
            ("style", style),
            ("script", script),
        ],
    )
}

/// The policy's name for a style or a script: a browser runs what has this hash, and nothing else.
fn hash(content: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(content.as_bytes())))
}

/// A checkout may have changed the files' line ends, and a browser changes them back before it hashes.
fn unix_lines(file: &str) -> String {
    file.replace("\r\n", "\n")
}

/// A share as a percentage; a dash where there is none.
fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "–".to_owned(), |share| format!("{:.1} %", 100.0 * share))
}

/// A bar as long as a share, behind its number in a table.
fn bar(share: Option<f64>, class: &str) -> String {
    let width = 100.0 * share.unwrap_or(0.0).clamp(0.0, 1.0);
    format!(
        "<svg class=\"bar\" viewBox=\"0 0 100 10\" preserveAspectRatio=\"none\" aria-hidden=\"true\">\
         <rect class=\"track\" width=\"100\" height=\"10\"/>\
         <rect class=\"{class}\" width=\"{width:.1}\" height=\"10\"/></svg>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn style_and_script_cannot_end_their_elements() {
        assert!(!STYLE.contains("</") && !SCRIPT.contains("</"));
    }

    #[test]
    fn the_script_never_sets_markup() {
        for forbidden in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("]
        {
            assert!(!SCRIPT.contains(forbidden), "{forbidden}");
        }
    }
}
