//! What was trained.

use maud::{Markup, html};

use crate::run::RunFacts;

pub(super) fn section(facts: &RunFacts) -> Markup {
    html! {
        section #trained {
            h2 { "What was trained" }
            p .reading {
                "An encoder turns an image into a list of numbers, its features. "
                @if facts.with_labels {
                    "It was trained with labels: random views of all images of a class should get features that are "
                    "alike, and unlike those of other classes."
                } @else {
                    "It was trained without labels: two random views of an image should get features that are alike, "
                    "and unlike those of all other images."
                }
            }
            table .facts {
                tbody {
                    @for (name, value) in &facts.rows {
                        tr { th scope="row" { (name) } td { bdi { (value) } } }
                    }
                }
            }
            details {
                summary { "config.toml: all it takes to repeat the run" }
                pre { (facts.config) }
            }
        }
    }
}
