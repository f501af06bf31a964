//! The map of the images.

use maud::{Markup, html};

use crate::images::{EmbeddingMap, SIDE};
use crate::numbers::{counted, tenth};
use crate::text::Text;

/// Colours and shapes in the style sheet. Neighbouring classes differ in both, so that they can be told apart without
/// colours, and fifty classes have marks of their own.
const COLOURS: usize = 10;
const SHAPES: usize = 5;

pub(super) fn section(map: &EmbeddingMap, held_out: bool) -> Markup {
    let noun = if held_out { "held-out image" } else { "pretraining image" };
    let images = counted(map.points.len(), noun);
    html! {
        section #map {
            h2 { "A map of the images" }
            p .reading {
                "Each point is one of " (images) ". Points near each other have similar features. Good features put "
                "images of a kind together, though the encoder was never told what kinds there are. Point at one to see "
                "it."
            }
            @if map.has_tsne { (switch()) }
            div .map {
                figure { (points(map)) (captions(map)) }
                @if !map.classes.is_empty() { (legend(&map.classes)) }
            }
            img #thumbnails src=(map.thumbnails.picture.address) alt="" hidden;
        }
    }
}

fn points(map: &EmbeddingMap) -> Markup {
    let label = format!("Map of {} by their features", counted(map.points.len(), "image"));
    html! {
        svg .points #points viewBox=(format!("0 0 {SIDE} {SIDE}")) role="img" tabindex="0" aria-label=(label) {
            (marks())
            @for point in &map.points {
                @let [x, y] = point.tsne.map(tenth);
                @let (colour, shape) = mark(point.class);
                use href=(format!("#mark{shape}")) class=(format!("point c{colour}"))
                    transform=(format!("translate({x} {y})")) {}
            }
        }
    }
}

/// The marks of the classes, of similar area, around (0, 0).
fn marks() -> Markup {
    html! {
        defs {
            circle #mark0 r="5" {}
            rect #mark1 x="-4.4" y="-4.4" width="8.8" height="8.8" {}
            path #mark2 d="M0 -6.4 5.8 4.2H-5.8Z" {}
            path #mark3 d="M0 -6.6 6 0 0 6.6 -6 0Z" {}
            path #mark4 d="M-2 -6H2V-2H6V2H2V6H-2V2H-6V-2H-2Z" {}
        }
    }
}

/// Numbers of a class's colour and shape.
fn mark(class: Option<usize>) -> (usize, usize) {
    class.map_or((0, 0), |class| (class % COLOURS, (class + class / COLOURS) % SHAPES))
}

/// The choice between the two maps, which the script makes visible.
fn switch() -> Markup {
    html! {
        fieldset .switch #projection hidden {
            legend { "Map by" }
            label { input type="radio" name="projection" value="tsne" checked; "t-SNE" }
            label { input type="radio" name="projection" value="pca"; "PCA" }
        }
        noscript {
            p .note {
                "Names, thumbnails and the map by PCA need JavaScript; everything else is here without it."
            }
        }
    }
}

fn captions(map: &EmbeddingMap) -> Markup {
    let [first, second] = map.explained.map(|share| format!("{:.0} %", 100.0 * share));
    html! {
        figcaption {
            @if map.has_tsne {
                span data-projection="tsne" {
                    "t-SNE keeps neighbours beside each other and bends the rest: that points lie together means "
                    "something; how large a group is, and how far it is from the next, does not."
                }
            }
            span data-projection="pca" hidden[map.has_tsne] {
                "PCA: the two directions in which the features differ most, " (first) " and " (second) " of all "
                "variance. Distances mean what they say, but most directions are missing."
            }
        }
    }
}

fn legend(classes: &[Text]) -> Markup {
    html! {
        ul .legend #legend aria-label="Classes" {
            @for (class, name) in classes.iter().enumerate() {
                @let (colour, shape) = mark(Some(class));
                li {
                    button type="button" data-class=(class) aria-pressed="false" {
                        svg viewBox="-8 -8 16 16" aria-hidden="true" {
                            use href=(format!("#mark{shape}")) class=(format!("point c{colour}")) {}
                        }
                        bdi { (name) }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn fifty_classes_have_marks_of_their_own() {
        let marks: BTreeSet<_> = (0..50).map(|class| mark(Some(class))).collect();
        assert_eq!(marks.len(), 50);
    }
}
