//! What the encoder finds similar.

use maud::{Markup, html};

use crate::images::{NeighbourRow, Shown, ShownNeighbour};
use crate::text::Text;

pub(super) fn section(rows: &[NeighbourRow], labelled: bool) -> Markup {
    let most = rows.iter().map(|row| row.neighbours.len()).max().unwrap_or(0);
    html! {
        section #neighbours {
            h2 { "Nearest neighbours" }
            p .reading {
                @if labelled {
                    "Held-out images, and the labelled images whose features are most similar to theirs. ✓ is of the "
                    "same class, ✗ of another. "
                } @else {
                    "Images, and the others whose features are most similar to theirs. "
                }
                "The number is the cosine of the two: 1 is the same direction, 0 has nothing in common."
            }
            div .scroll {
                table .neighbours {
                    thead {
                        tr {
                            th scope="col" { "image" }
                            @for rank in 1..=most { th scope="col" { (rank) } }
                        }
                    }
                    tbody { @for row in rows { (neighbours(row)) } }
                }
            }
        }
    }
}

fn neighbours(row: &NeighbourRow) -> Markup {
    let NeighbourRow { query, neighbours } = row;
    html! {
        tr {
            th scope="row" {
                (picture(query))
                (class(query.class.as_ref()))
                span .name { bdi { (query.name) } }
            }
            @for neighbour in neighbours { (cell(neighbour)) }
        }
    }
}

fn cell(neighbour: &ShownNeighbour) -> Markup {
    let ShownNeighbour { image, cosine, same_class } = neighbour;
    let verdict = same_class.map(|same| {
        if same { ("right", "same class", "✓") } else { ("wrong", "other class", "✗") }
    });
    html! {
        td class=[verdict.map(|(class, ..)| class)] title=(image.name) {
            (picture(image))
            span .cosine {
                @if let Some((_, label, sign)) = verdict {
                    span .verdict aria-label=(label) { (sign) } " "
                }
                (format!("{cosine:.3}"))
            }
            @if verdict.is_some() { (class(image.class.as_ref())) }
        }
    }
}

fn picture(image: &Shown) -> Markup {
    let Shown { picture, name, class } = image;
    picture.to_markup(class.as_ref().unwrap_or(name))
}

fn class(name: Option<&Text>) -> Markup {
    html! { @if let Some(name) = name { span .class { bdi { (name) } } } }
}
