//! What the encoder finds alike.

use std::fmt::Write;

use crate::neighbour_rows::{NeighbourRow, Shown, ShownNeighbour};
use crate::text::Text;

pub(super) fn section(rows: &[NeighbourRow], labelled: bool) -> String {
    let among = if labelled {
        "Images that were held out, and the labelled images whose features are most like theirs. ✓ is of the same class, \
         ✗ of another."
    } else {
        "Images, and the others whose features are most like theirs."
    };
    let mut html = format!(
        "<section id=\"neighbours\">\n<h2>Nearest neighbours</h2>\n\
         <p class=\"reading\">{among} The number is the cosine of the two: 1 is the same direction, 0 has nothing in \
         common.</p>\n<div class=\"scroll\"><table class=\"neighbours\">\n<thead><tr><th scope=\"col\">image</th>"
    );
    let most = rows.iter().map(|row| row.neighbours.len()).max().unwrap_or(0);
    for rank in 1..=most {
        let _ = write!(html, "<th scope=\"col\">{rank}</th>");
    }
    html.push_str("</tr></thead>\n<tbody>\n");
    for NeighbourRow { query, neighbours } in rows {
        let _ = write!(html, "<tr><th scope=\"row\">{}{}</th>", picture(query), names(query));
        for neighbour in neighbours {
            html.push_str(&cell(neighbour));
        }
        html.push_str("</tr>\n");
    }
    html + "</tbody></table></div>\n</section>\n"
}

fn cell(neighbour: &ShownNeighbour) -> String {
    let ShownNeighbour { image, cosine, right } = neighbour;
    let (class, verdict) = match right {
        Some(true) => ("right", "<span class=\"verdict\" aria-label=\"same class\">✓</span> "),
        Some(false) => ("wrong", "<span class=\"verdict\" aria-label=\"other class\">✗</span> "),
        None => ("", ""),
    };
    let label = image.class.as_ref().filter(|_| right.is_some());
    let label = label
        .map_or(String::new(), |class| format!("<span class=\"class\"><bdi>{class}</bdi></span>"));
    format!(
        "<td class=\"{class}\" title=\"{}\">{}<span class=\"cosine\">{verdict}{cosine:.3}</span>{label}</td>",
        image.name,
        picture(image)
    )
}

fn picture(image: &Shown) -> String {
    let Shown { picture, name, class } = image;
    picture.html(class.as_ref().unwrap_or(name))
}

/// Class and name, as far as they are two.
fn names(image: &Shown) -> String {
    let name = &image.name;
    let class: Option<&Text> = image.class.as_ref();
    let class = class
        .map_or(String::new(), |class| format!("<span class=\"class\"><bdi>{class}</bdi></span>"));
    format!("{class}<span class=\"name\"><bdi>{name}</bdi></span>")
}
