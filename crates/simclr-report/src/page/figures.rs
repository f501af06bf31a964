//! Before and after pretraining.

use maud::{Markup, html};
use simclr_eval::Report;

use crate::numbers::percent;
use crate::page::bar::bar;
use crate::quality::{Quality, Stages};

pub(super) fn section(quality: Option<&Quality>) -> Markup {
    html! {
        section #figures {
            h2 { "Before and after" }
            @if let Some(quality) = quality {
                p .reading {
                    "The share of held-out images that get their right class: by a vote of the most similar labelled "
                    "images (kNN), and by a linear layer that is trained on the frozen features (linear probe). What "
                    "counts is the gain over random weights, and over no encoder at all."
                }
                (stages(quality))
                (evaluated(quality))
            } @else {
                p .reading {
                    "There are no labels, so there are no accuracies: look at the curves, and judge the map and the "
                    "neighbours by eye. A few dozen labelled images in class folders are enough for figures."
                }
            }
        }
    }
}

/// Accuracies of the same images stand together, under the number of these images.
fn stages(quality: &Quality) -> Markup {
    html! {
        div .scroll {
            table .stages {
                thead {
                    tr {
                        th scope="col" { "features" }
                        th scope="col" { "kNN top-1" }
                        th scope="col" { "linear probe top-1" }
                    }
                }
                @if let Some(by_run) = &quality.by_run { (group(by_run, "measured by the run")) }
                (group(&quality.stages, "measured for this page"))
            }
        }
    }
}

fn group(stages: &Stages, by: &str) -> Markup {
    let last = stages.rows.len() - 1;
    html! {
        tbody {
            tr .group {
                th scope="rowgroup" colspan="3" { "On " (stages.images.in_words()) "; " (by) }
            }
            @for (index, stage) in stages.rows.iter().enumerate() {
                @let class = if index == last { "after" } else { "before" };
                tr .(class) {
                    th scope="row" { (stage.name) }
                    td { (bar(stage.knn, class)) }
                    td { (bar(stage.linear, class)) }
                }
            }
        }
    }
}

/// The page's other figures, and what exactly was evaluated.
fn evaluated(quality: &Quality) -> Markup {
    html! {
        div .scroll {
            table .evaluated {
                caption { "After pretraining, on " (quality.stages.images.test.in_words("test image")) }
                thead {
                    tr {
                        @for name in
                            ["protocol", "top-1", "top-5", "mean over classes", "macro F1", "what was evaluated"]
                        { th scope="col" { (name) } }
                    }
                }
                tbody {
                    (protocol("kNN", &quality.knn))
                    @if let Some(linear) = &quality.linear { (protocol("linear probe", linear)) }
                }
            }
        }
    }
}

fn protocol(name: &str, report: &Report) -> Markup {
    let shares =
        [Some(report.top1), report.top5, Some(report.balanced_accuracy), Some(report.macro_f1)];
    html! {
        tr {
            th scope="row" { (name) }
            @for share in shares { td { (percent(share)) } }
            td .words { (report.evaluated.to_string()) }
        }
    }
}
