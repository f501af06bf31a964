//! What the encoder saw.

use std::fmt::Write;

use crate::text::Text;
use crate::view_rows::ViewRow;

pub(super) fn section(rows: &[ViewRow]) -> String {
    let mut html = "<section id=\"views\">\n<h2>What the encoder saw</h2>\n\
         <p class=\"reading\">Training images, and the pairs of views that the first passes over the images drew of them, \
         by the run's own settings and seed. The two views of a pair should get like features: if you cannot tell what \
         they share, neither can the encoder.</p>\n<div class=\"scroll\"><table class=\"views\">\n<thead><tr>\
         <th scope=\"col\">image</th>"
        .to_owned();
    let passes = rows.first().map_or(0, |row| row.pairs.len());
    for pass in 1..=passes {
        let _ = write!(html, "<th scope=\"col\">pass {pass}</th>");
    }
    html.push_str("</tr></thead>\n<tbody>\n");
    for row in rows {
        let _ = write!(
            html,
            "<tr><th scope=\"row\">{}<span class=\"name\"><bdi>{}</bdi></span></th>",
            row.original.html(&Text::new("the whole image")),
            row.name
        );
        for (pass, [a, b]) in row.pairs.iter().enumerate() {
            let alternative = |view| Text::new(format!("view {view} of pass {}", pass + 1));
            let [a, b] = [a.html(&alternative("a")), b.html(&alternative("b"))];
            let _ = write!(html, "<td><span class=\"pair\">{a}{b}</span></td>");
        }
        html.push_str("</tr>\n");
    }
    html + "</tbody></table></div>\n</section>\n"
}
