//! What was trained: the top of the page, and the table.

use std::fmt::Write;

use crate::page::percent;
use crate::run_facts::RunFacts;
use crate::run_report::RunReport;

/// Name, one line, the four figures that one wants first, and what one should know before them.
pub(super) fn header(report: &RunReport) -> String {
    let facts = &report.facts;
    let mut html = format!(
        "<header>\n<p class=\"eyebrow\">SimCLR pretraining</p>\n<h1><bdi>{}</bdi></h1>\n\
         <p class=\"lead\">{}. <span class=\"path\"><bdi>{}</bdi></span></p>\n<dl class=\"tiles\">\n",
        facts.encoder, facts.headline, facts.run
    );
    for (name, value, note) in tiles(report) {
        let _ = writeln!(html, "<div><dt>{name}</dt><dd>{value}<small>{note}</small></dd></div>");
    }
    html.push_str("</dl>\n");
    for note in &facts.notes {
        let _ = writeln!(html, "<p class=\"note\"><bdi>{note}</bdi></p>");
    }
    if report.skipped > 0 {
        let _ = writeln!(
            html,
            "<p class=\"note\">{} images could not be read for this page, and are left out of it.</p>",
            report.skipped
        );
    }
    html + "</header>\n"
}

fn tiles(report: &RunReport) -> Vec<(&'static str, String, String)> {
    let mut tiles = Vec::new();
    if let Some(quality) = &report.quality {
        let before = quality.stages.iter().rev().nth(1);
        let from = |share: Option<f64>| format!("{} with random weights", percent(share));
        let knn = quality.knn.top1;
        tiles.push(("kNN top-1", percent(Some(knn)), from(before.map(|stage| stage.knn))));
        if let Some(linear) = &quality.linear {
            let before = before.and_then(|stage| stage.linear);
            tiles.push(("Linear probe top-1", percent(Some(linear.top1)), from(before)));
        }
    }
    let Some(summary) = &report.facts.summary else { return tiles };
    if let (Some(first), Some(last)) = (summary.loss_first, summary.loss_last) {
        tiles.push(("Loss", format!("{last:.2}"), format!("{first:.2} in the first epoch")));
    }
    let speed = summary.images_per_second;
    let speed =
        speed.map_or(String::new(), |speed| format!("{speed:.0} images per second at the end"));
    let ended = if summary.epochs < summary.epochs_planned { "stopped; " } else { "" };
    tiles.push(("Epochs", summary.epochs.to_string(), format!("{ended}{speed}")));
    tiles
}

pub(super) fn section(facts: &RunFacts) -> String {
    let mut rows = String::new();
    for (name, value) in &facts.rows {
        let _ = writeln!(rows, "<tr><th scope=\"row\">{name}</th><td><bdi>{value}</bdi></td></tr>");
    }
    format!(
        "<section id=\"trained\">\n<h2>What was trained</h2>\n\
         <p class=\"reading\">An encoder turns an image into a list of numbers, its features. It was trained \
         without labels: two random views of an image should get features that are alike, and unlike those of all \
         other images.</p>\n<table class=\"facts\">\n<tbody>\n{rows}</tbody>\n</table>\n\
         <details><summary>config.toml: all it takes to repeat the run</summary>\n<pre>{}</pre>\n</details>\n\
         </section>\n",
        facts.config
    )
}
