//! Before and after.

use std::fmt::Write;

use crate::page::{bar, percent};
use crate::quality::Quality;
use crate::run_report::RunReport;

pub(super) fn section(report: &RunReport) -> String {
    let Some(quality) = &report.quality else { return unlabelled() };
    let (train, test) = report.looked_at;
    let mut html = format!(
        "<section id=\"figures\">\n<h2>Before and after</h2>\n\
         <p class=\"reading\">How many of {test} held-out images get their right class, as a share: by a vote of \
         the most alike of {train} labelled images (kNN), and by a linear layer that is trained on the frozen features \
         (linear probe). What counts is the gain over random weights, and over no encoder at all.</p>\n\
         <div class=\"scroll\"><table class=\"stages\">\n<thead><tr><th scope=\"col\">features</th>\
         <th scope=\"col\">kNN top-1</th><th scope=\"col\">linear probe top-1</th></tr></thead>\n<tbody>\n"
    );
    for (index, stage) in quality.stages.iter().enumerate() {
        let class = if index + 1 == quality.stages.len() { "after" } else { "before" };
        let cell = |share| format!("<td>{}{}</td>", bar(share, class), percent(share));
        let _ = writeln!(
            html,
            "<tr class=\"{class}\"><th scope=\"row\">{}</th>{}{}</tr>",
            stage.name,
            cell(Some(stage.knn)),
            cell(stage.linear)
        );
    }
    html.push_str("</tbody></table></div>\n");
    html.push_str(&evaluated(quality));
    html + "</section>\n"
}

fn unlabelled() -> String {
    "<section id=\"figures\">\n<h2>Before and after</h2>\n\
     <p class=\"reading\">There are no labels, so there are no accuracies: look at the curves, and judge the map and \
     the neighbours by eye. A few dozen labelled images in class folders are enough for figures.</p>\n</section>\n"
        .to_owned()
}

/// The other figures, and what exactly was evaluated.
fn evaluated(quality: &Quality) -> String {
    let reports =
        [Some(("kNN", &quality.knn)), quality.linear.as_ref().map(|r| ("linear probe", r))];
    let mut html = "<div class=\"scroll\"><table class=\"evaluated\">\n<caption>After pretraining</caption>\n<thead><tr>\
         <th scope=\"col\">protocol</th><th scope=\"col\">top-1</th><th scope=\"col\">top-5</th>\
         <th scope=\"col\">mean over classes</th><th scope=\"col\">macro F1</th>\
         <th scope=\"col\">what was evaluated</th></tr></thead>\n<tbody>\n"
        .to_owned();
    for (name, report) in reports.into_iter().flatten() {
        let shares =
            [Some(report.top1), report.top5, Some(report.balanced_accuracy), Some(report.macro_f1)];
        let cells = shares.map(|share| format!("<td>{}</td>", percent(share))).concat();
        let _ = writeln!(
            html,
            "<tr><th scope=\"row\">{name}</th>{cells}<td class=\"words\">{}</td></tr>",
            report.evaluated
        );
    }
    html + "</tbody></table></div>\n"
}
