//! How training went.

use std::fmt::Write;

use crate::curves::{Curve, Curves};

pub(super) fn section(curves: &Curves) -> String {
    let mut html = "<section id=\"curves\">\n<h2>How training went</h2>\n\
         <p class=\"reading\">Every step and every epoch of the run. Where many steps share a pixel, the line is their \
         mean and the band their range.</p>\n"
        .to_owned();
    for (epoch, text) in &curves.warnings {
        let _ = writeln!(html, "<p class=\"note\">After epoch {epoch}: <bdi>{text}</bdi></p>");
    }
    if curves.all.is_empty() {
        html.push_str("<p>The run logged nothing.</p>\n");
    }
    html.push_str("<div class=\"charts\">\n");
    for curve in &curves.all {
        html.push_str(&figure(curve, curves.epochs));
    }
    html + "</div>\n</section>\n"
}

fn figure(curve: &Curve, epochs: f64) -> String {
    let Curve { title, reading, .. } = curve;
    let mut keys = String::new();
    if curve.lines.len() > 1 {
        for (index, line) in curve.lines.iter().enumerate() {
            let _ = write!(keys, "<span class=\"key line{index}\">{}</span>", line.name);
        }
    }
    format!(
        "<figure>\n<h3>{title} {keys}</h3>\n{}<figcaption>{reading}</figcaption>\n</figure>\n",
        curve.svg(epochs)
    )
}
