//! The page: its frame, and its sections from top to bottom.

mod bar;
mod classes;
mod curves;
mod facts;
mod figures;
mod header;
mod map;
mod map_data;
mod neighbours;
mod views;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, PreEscaped, html};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::chart::ChartData;
use crate::contents::Contents;
use crate::page::map_data::MapData;
use crate::text::json_in_html;

const STYLE: &str = include_str!("../assets/page.css");
const SCRIPT: &str = include_str!("../assets/page.js");

/// What the script is told.
#[derive(Serialize)]
struct PageData<'a> {
    charts: Vec<ChartData>,
    map: MapData<'a>,
}

pub(crate) fn html(contents: &Contents) -> String {
    let Contents { facts, quality, curves, views, map, neighbours, skipped } = contents;
    let (style, script) = (unix_lines(STYLE), unix_lines(SCRIPT));
    let charts = curves.charts.iter().map(ChartData::new).collect();
    let data = json_in_html(&PageData { charts, map: MapData::new(map) });
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy(&style, &script));
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (facts.encoder) " · " (facts.run) }
                link rel="icon" href="data:,";
                style { (PreEscaped(&style)) }
            }
            body {
                main {
                    (header::header(facts, quality.as_ref(), *skipped))
                    (facts::section(facts))
                    (figures::section(quality.as_ref()))
                    (curves::section(curves))
                    (views::section(views))
                    (map::section(map, quality.is_some()))
                    (neighbours::section(neighbours, quality.is_some()))
                    @if let Some(quality) = quality { (classes::section(quality)) }
                }
                div #tip role="status" hidden {}
                script type="application/json" id="data" { (PreEscaped(data)) }
                script { (PreEscaped(&script)) }
            }
        }
    };
    page.into_string()
}

/// A Content-Security-Policy: a browser shows pictures that are in the page, applies this style, runs this script, and
/// connects to nothing.
fn policy(style: &str, script: &str) -> String {
    let [style, script] = [style, script].map(hash);
    format!(
        "default-src 'none'; img-src data:; style-src '{style}'; script-src '{script}'; base-uri 'none'; form-action 'none'"
    )
}

/// The policy's name for a style or a script.
fn hash(content: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(content.as_bytes())))
}

/// A checkout may have changed the files' line ends, and a browser changes them back before it hashes.
fn unix_lines(file: &str) -> String {
    file.replace("\r\n", "\n")
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
