//! What the encoder saw.

use maud::{Markup, html};

use crate::images::{Picture, ViewRow};

pub(super) fn section(rows: &[ViewRow]) -> Markup {
    let passes = rows.first().map_or(0, |row| row.passes.len());
    html! {
        section #views {
            h2 { "What the encoder saw" }
            p .reading {
                "Images that the run learnt from, and the views that its first passes over the images drew of them, by "
                "its own settings and seed. The views of a pass should get similar features: if you cannot tell what they "
                "share, neither can the encoder."
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
                                @for (pass, of_pass) in (1..).zip(&row.passes) { td { (views(pass, of_pass)) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn views(pass: usize, of_pass: &[Picture]) -> Markup {
    html! {
        span .pair {
            @for (view, name) in of_pass.iter().zip('a'..) {
                (view.to_markup(&format!("view {name} of pass {pass}")))
            }
        }
    }
}
