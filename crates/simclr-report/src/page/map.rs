//! The map of the embeddings.

use std::fmt::Write;

use serde::Serialize;

use crate::embedding_map::{EmbeddingMap, Point, SIDE};
use crate::text::Text;

/// Colours and shapes of the style sheet. Neighbouring classes differ in both, so that those who see few
/// colours can tell them apart, and fifty classes have marks of their own.
const COLOURS: usize = 10;
const SHAPES: usize = 5;

/// What the script needs to know of the map.
#[derive(Serialize)]
pub(super) struct MapData<'a> {
    tile: u32,
    columns: u32,
    classes: &'a [Text],
    points: Vec<PointData<'a>>,
}

#[derive(Serialize)]
struct PointData<'a> {
    pca: [f64; 2],
    tsne: [f64; 2],
    #[serde(rename = "class")]
    label: Option<usize>,
    name: &'a Text,
}

impl<'a> MapData<'a> {
    pub(super) fn new(map: &'a EmbeddingMap) -> Self {
        let point = |point: &'a Point| PointData {
            pca: point.pca.map(tenth),
            tsne: point.tsne.map(tenth),
            label: point.class,
            name: &point.name,
        };
        Self {
            tile: map.thumbnails.tile,
            columns: map.thumbnails.columns,
            classes: &map.classes,
            points: map.points.iter().map(point).collect(),
        }
    }
}

pub(super) fn section(map: &EmbeddingMap, held_out: bool) -> String {
    let (count, kind) =
        (map.points.len(), if held_out { "held-out images" } else { "of the training images" });
    let mut html = format!(
        "<section id=\"map\">\n<h2>A map of the images</h2>\n\
         <p class=\"reading\">Each point is one of {count} {kind}; points that lie near each other have features that are \
         alike. Good features put images of a kind together, though the encoder was never told what kinds there are. \
         Point at one to see it.</p>\n{}<div class=\"map\">\n<figure>\n",
        switch(map.has_tsne)
    );
    let _ = writeln!(
        html,
        "<svg class=\"points\" id=\"points\" viewBox=\"0 0 {SIDE} {SIDE}\" role=\"img\" tabindex=\"0\" \
         aria-label=\"Map of {count} images by their features\">\n{MARKS}"
    );
    for point in &map.points {
        let ([x, y], (colour, shape)) = (point.tsne.map(tenth), mark(point.class));
        let _ = writeln!(
            html,
            "<use href=\"#mark{shape}\" class=\"point c{colour}\" transform=\"translate({x} {y})\"/>"
        );
    }
    let _ = write!(html, "</svg>\n{}</figure>\n{}</div>\n", captions(map), legend(&map.classes));
    let sheet = &map.thumbnails.picture.address;
    let _ = writeln!(html, "<img id=\"thumbnails\" src=\"{sheet}\" alt=\"\" hidden>");
    html + "</section>\n"
}

/// The marks of the classes, of like areas, around (0, 0).
const MARKS: &str = "<defs>\
    <circle id=\"mark0\" r=\"5\"/>\
    <rect id=\"mark1\" x=\"-4.4\" y=\"-4.4\" width=\"8.8\" height=\"8.8\"/>\
    <path id=\"mark2\" d=\"M0 -6.4 5.8 4.2H-5.8Z\"/>\
    <path id=\"mark3\" d=\"M0 -6.6 6 0 0 6.6 -6 0Z\"/>\
    <path id=\"mark4\" d=\"M-2 -6H2V-2H6V2H2V6H-2V2H-6V-2H-2Z\"/>\
    </defs>\n";

/// Number of a class's colour and of its shape.
fn mark(class: Option<usize>) -> (usize, usize) {
    class.map_or((0, 0), |class| (class % COLOURS, (class + class / COLOURS) % SHAPES))
}

/// The choice between the two maps, which the script makes visible.
fn switch(has_tsne: bool) -> String {
    if !has_tsne {
        return String::new();
    }
    "<fieldset class=\"switch\" id=\"projection\" hidden><legend>Map by</legend>\
     <label><input type=\"radio\" name=\"projection\" value=\"tsne\" checked>t-SNE</label>\
     <label><input type=\"radio\" name=\"projection\" value=\"pca\">PCA</label></fieldset>\n\
     <noscript><p class=\"note\">Names, thumbnails and the map by PCA take JavaScript; all else is here without.</p>\
     </noscript>\n"
        .to_owned()
}

fn captions(map: &EmbeddingMap) -> String {
    let [first, second] = map.explained.map(|share| 100.0 * share);
    let pca = format!(
        "PCA: the two directions in which the features differ most, {first:.0} % and {second:.0} % of all variance. \
         Distances mean what they say, but most directions are missing."
    );
    if !map.has_tsne {
        return format!("<figcaption>{pca}</figcaption>\n");
    }
    format!(
        "<figcaption><span data-projection=\"tsne\">t-SNE keeps neighbours beside each other and bends the rest: \
         that points lie together means something; how large a group is, and how far from the next, does not.</span>\
         <span data-projection=\"pca\" hidden>{pca}</span></figcaption>\n"
    )
}

fn legend(classes: &[Text]) -> String {
    if classes.is_empty() {
        return String::new();
    }
    let mut html = "<ul class=\"legend\" id=\"legend\" aria-label=\"Classes\">\n".to_owned();
    for (class, name) in classes.iter().enumerate() {
        let (colour, shape) = mark(Some(class));
        let _ = writeln!(
            html,
            "<li><button type=\"button\" data-class=\"{class}\" aria-pressed=\"false\">\
             <svg viewBox=\"-8 -8 16 16\" aria-hidden=\"true\"><use href=\"#mark{shape}\" class=\"point c{colour}\"/></svg>\
             <bdi>{name}</bdi></button></li>"
        );
    }
    html + "</ul>\n"
}

fn tenth(value: f64) -> f64 {
    (10.0 * value).round() / 10.0
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
