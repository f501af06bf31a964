//! The top of the page.

use maud::{Markup, html};
use simclr_train::Summary;

use crate::numbers::{counted, grouped, percent};
use crate::quality::{Quality, Stage, Stages};
use crate::run::RunFacts;

/// The encoder, what it was trained on, the four figures that one wants first, and what one should know before them.
pub(super) fn header(facts: &RunFacts, quality: Option<&Quality>, skipped: usize) -> Markup {
    html! {
        header {
            p .eyebrow { "SimCLR pretraining" }
            h1 { bdi { (facts.encoder) } }
            p .lead { (facts.headline) ". " span .path { bdi { (facts.run) } } }
            dl .tiles {
                @if let Some(quality) = quality { (accuracies(quality)) }
                @if let Some(summary) = &facts.summary { (training(summary)) }
            }
            @for note in &facts.notes { p .note { bdi { (note) } } }
            @if skipped > 0 {
                p .note {
                    "This page leaves out " (counted(skipped, "image")) " that could not be read."
                }
            }
        }
    }
}

/// The run's own figures where it measured all images, the page's elsewhere.
fn accuracies(quality: &Quality) -> Markup {
    let linear = |stage: &Stage| stage.linear;
    html! {
        (accuracy("kNN top-1", quality, |stage| stage.knn))
        @if quality.linear.is_some() { (accuracy("Linear probe top-1", quality, linear)) }
    }
}

fn accuracy(name: &str, quality: &Quality, figure: impl Fn(&Stage) -> Option<f64>) -> Markup {
    let measured = |stages: &&Stages| figure(stages.after_and_before().0).is_some();
    let stages = quality.by_run.as_ref().filter(measured).unwrap_or(&quality.stages);
    let (after, before) = stages.after_and_before();
    let on = stages.images.test.in_words("test image");
    let note = match figure(before) {
        Some(share) => format!("{} with {}, on {on}", percent(Some(share)), before.name),
        None => format!("on {on}"),
    };
    tile(name, &percent(figure(after)), &note)
}

fn training(summary: &Summary) -> Markup {
    let losses = summary.loss_first.zip(summary.loss_last);
    let speed = summary.images_per_second.map_or(String::new(), |images| {
        format!("{} images per second at the end", grouped(&format!("{images:.0}")))
    });
    let ended = if summary.epochs < summary.epochs_planned { "stopped; " } else { "" };
    html! {
        @if let Some((first, last)) = losses {
            (tile("Loss", &format!("{last:.2}"), &format!("{first:.2} in the first epoch")))
        }
        (tile("Epochs", &summary.epochs.to_string(), &format!("{ended}{speed}")))
    }
}

fn tile(name: &str, value: &str, note: &str) -> Markup {
    html! { div { dt { (name) } dd { (value) small { (note) } } } }
}
