//! What the encoder saw.

use maud::{Markup, html};

use crate::images::{Picture, ViewRow};

pub(super) fn section(rows: &[ViewRow]) -> Markup {
    let passes = rows.first().map_or(0, |row| row.pairs.len());
    html! {
        section #views {
            h2 { "What the encoder saw" }
            p .reading {
                "Images that the run learnt from, and the pairs of views that its first passes over the images drew of "
                "them, by its own settings and seed. The two views of a pair should get similar features: if you cannot "
                "tell what they share, neither can the encoder."
            }
            div .scroll {
                table .views {
                    thead {
                        tr {
                            th scope="col" { "image" }
                            @for pass in 1..=passes { th scope="col" { "pass " (pass) } }
                        }
                    }
                    tbody {
                        @for row in rows {
                            tr {
                                th scope="row" {
                                    (row.original.to_markup(&"the whole image"))
                                    span .name { bdi { (row.name) } }
                                }
                                @for (pass, pair) in (1..).zip(&row.pairs) { td { (views(pass, pair)) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn views(pass: usize, pair: &[Picture; 2]) -> Markup {
    html! {
        span .pair {
            @for (view, name) in pair.iter().zip(["a", "b"]) {
                (view.to_markup(&format!("view {name} of pass {pass}")))
            }
        }
    }
}
