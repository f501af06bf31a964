//! A share in a table.

use maud::{Markup, html};

use crate::numbers::{percent, tenth};

/// A share as a bar and a number.
pub(super) fn bar(share: Option<f64>, class: &str) -> Markup {
    let width = tenth(100.0 * share.unwrap_or(0.0).clamp(0.0, 1.0));
    html! {
        svg .bar viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true" {
            rect .track width="100" height="10" {}
            rect .(class) width=(width) height="10" {}
        }
        (percent(share))
    }
}
