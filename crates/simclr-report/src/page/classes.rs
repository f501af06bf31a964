//! Figures per class, and which class is taken for which.

use maud::{Markup, html};
use simclr_eval::{ClassFigures, Report};

use crate::numbers::percent;
use crate::page::bar::bar;
use crate::quality::{ConfusedPair, Quality};
use crate::text::Text;

/// A matrix has at most so many classes: with more, its cells would be smaller than a finger.
const MOST_CLASSES: usize = 50;
/// Shades of a cell in the style sheet, beside none.
const SHADES: usize = 10;

pub(super) fn section(quality: &Quality) -> Markup {
    let judged = quality.linear.as_ref().unwrap_or(&quality.knn);
    let names: Vec<Text> = judged.per_class.iter().map(|class| Text::new(&class.class)).collect();
    let by = if quality.linear.is_some() { "linear probe" } else { "kNN" };
    html! {
        section #classes {
            h2 { "Class by class" }
            (per_class(quality, &names))
            (matrix(judged, &names, by))
            (confused(&quality.confused, &names, by))
        }
    }
}

fn per_class(quality: &Quality, names: &[Text]) -> Markup {
    let linear = |class: usize| quality.linear.as_ref().map(|report| &report.per_class[class]);
    html! {
        p .reading {
            "On " (quality.stages.images.test.in_words("test image")) ". Recall is the share of a class's images that "
            "were recognised; precision is the share of the images taken for the class that are of it; F1 is both in "
            "one."
        }
        div .scroll {
            table .classes {
                thead {
                    tr {
                        td rowspan="2" {}
                        th scope="col" rowspan="2" { "test images" }
                        th scope="colgroup" colspan="2" { "kNN" }
                        th scope="colgroup" colspan="3" { "linear probe" }
                    }
                    tr {
                        @for name in ["recall", "precision", "recall", "precision", "F1"] {
                            th scope="col" { (name) }
                        }
                    }
                }
                tbody {
                    @for (class, (name, knn)) in names.iter().zip(&quality.knn.per_class).enumerate() {
                        (class_row(name, knn, linear(class)))
                    }
                }
            }
        }
    }
}

fn class_row(name: &Text, knn: &ClassFigures, linear: Option<&ClassFigures>) -> Markup {
    html! {
        tr {
            th scope="row" { bdi { (name) } }
            td { (knn.images) }
            td { (bar(knn.recall, "after")) }
            td { (percent(knn.precision)) }
            td { (bar(linear.and_then(|figures| figures.recall), "after")) }
            td { (percent(linear.and_then(|figures| figures.precision))) }
            td { (percent(linear.and_then(|figures| figures.f1))) }
        }
    }
}

fn matrix(report: &Report, names: &[Text], by: &str) -> Markup {
    let confusion = &report.confusion;
    if confusion.classes() > MOST_CLASSES {
        return html! {
            p .reading {
                "A matrix of " (confusion.classes()) " classes fits no screen: the pairs below are its largest cells."
            }
        };
    }
    html! {
        h3 { "What is taken for what" }
        p .reading {
            "By the " (by) ": a row holds the images of a class, and its columns say what they were taken for. The "
            "diagonal is right; a strong colour beside it is a pair of classes that look alike to the encoder."
        }
        div .scroll {
            table .matrix #matrix {
                thead {
                    tr {
                        td {}
                        @for name in names { th scope="col" { span { bdi { (name) } } } }
                    }
                }
                tbody {
                    @for (class, counts) in confusion.rows().iter().enumerate() {
                        tr {
                            th scope="row" { bdi { (names[class]) } }
                            (cells(class, counts, names))
                        }
                    }
                }
            }
        }
    }
}

/// What the images of `class` were taken for.
fn cells(class: usize, counts: &[usize], names: &[Text]) -> Markup {
    let (name, images) = (&names[class], counts.iter().sum::<usize>());
    html! {
        @for (predicted, (&count, taken_for)) in counts.iter().zip(names).enumerate() {
            @if count == 0 {
                td {}
            } @else {
                @let shade = (count * SHADES).div_ceil(images);
                td .{ "shade" (shade) } .right[class == predicted]
                    title={ (count) " of " (images) " images of " (name) " were taken for " (taken_for) } { (count) }
            }
        }
    }
}

fn confused(pairs: &[ConfusedPair], names: &[Text], by: &str) -> Markup {
    if pairs.is_empty() {
        return html! { p { "The " (by) " confused nothing." } };
    }
    html! {
        h3 { "Confused most" }
        p .reading {
            "The pairs that the " (by) " confuses most often, with the images that it was surest about."
        }
        div .pairs { @for pair in pairs { (confused_pair(pair, names)) } }
    }
}

fn confused_pair(pair: &ConfusedPair, names: &[Text]) -> Markup {
    let ConfusedPair { confusion, of, examples } = pair;
    let [class, predicted] = [&names[confusion.class], &names[confusion.predicted]];
    html! {
        figure {
            figcaption {
                b { bdi { (class) } } " taken for " b { bdi { (predicted) } } ": " (confusion.images) " of " (of)
            }
            p {
                @for example in examples {
                    span title=(example.name) { (example.picture.to_markup(&example.name)) }
                }
            }
        }
    }
}
