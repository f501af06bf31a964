//! Figures per class, and what is taken for what.

use std::fmt::Write;

use simclr_eval::Report;

use crate::page::{bar, percent};
use crate::quality::{ConfusedPair, Quality};
use crate::text::Text;

/// Classes up to which there is a matrix: beyond it, cells are smaller than a finger.
const MOST_CLASSES: usize = 50;
/// Shades of a cell in the style sheet beside none.
const SHADES: usize = 10;

pub(super) fn section(quality: &Quality) -> String {
    let judged = quality.linear.as_ref().unwrap_or(&quality.knn);
    let names: Vec<Text> = judged.per_class.iter().map(|class| Text::new(&class.class)).collect();
    let by = if quality.linear.is_some() { "linear probe" } else { "kNN" };
    [
        "<section id=\"classes\">\n<h2>Class by class</h2>\n".to_owned(),
        per_class(quality, &names),
        matrix(judged, &names, by),
        confused(&quality.confused, &names, by),
        "</section>\n".to_owned(),
    ]
    .concat()
}

fn per_class(quality: &Quality, names: &[Text]) -> String {
    let linear = quality.linear.as_ref();
    let mut html = "<p class=\"reading\">Recall is the share of a class's images that were recognised; precision, of \
         those taken for the class, the share that are of it; F1 is both in one.</p>\n\
         <div class=\"scroll\"><table class=\"classes\">\n<thead>\
         <tr><td rowspan=\"2\"></td><th scope=\"col\" rowspan=\"2\">test images</th>\
         <th scope=\"colgroup\" colspan=\"2\">kNN</th><th scope=\"colgroup\" colspan=\"3\">linear probe</th></tr>\n\
         <tr><th scope=\"col\">recall</th><th scope=\"col\">precision</th><th scope=\"col\">recall</th>\
         <th scope=\"col\">precision</th><th scope=\"col\">F1</th></tr></thead>\n<tbody>\n"
        .to_owned();
    for (class, (name, knn)) in names.iter().zip(&quality.knn.per_class).enumerate() {
        let linear = linear.map(|report| &report.per_class[class]);
        let cell = |share| format!("<td>{}</td>", percent(share));
        let barred = |share| format!("<td>{}{}</td>", bar(share, "after"), percent(share));
        let _ = writeln!(
            html,
            "<tr><th scope=\"row\"><bdi>{name}</bdi></th><td>{}</td>{}{}{}{}{}</tr>",
            knn.images,
            barred(knn.recall),
            cell(knn.precision),
            barred(linear.and_then(|figures| figures.recall)),
            cell(linear.and_then(|figures| figures.precision)),
            cell(linear.and_then(|figures| figures.f1))
        );
    }
    html + "</tbody></table></div>\n"
}

fn matrix(report: &Report, names: &[Text], by: &str) -> String {
    let confusion = &report.confusion;
    if confusion.classes() > MOST_CLASSES {
        return format!(
            "<p class=\"reading\">A matrix of {} classes would fit no screen: the pairs below are its largest cells.</p>\n",
            confusion.classes()
        );
    }
    let mut html = format!(
        "<h3>What is taken for what</h3>\n\
         <p class=\"reading\">By the {by}: a row holds the images of a class, its columns say what they were taken for. \
         The diagonal is right; a strong colour beside it is a pair of classes that look alike to the encoder.</p>\n\
         <div class=\"scroll\"><table class=\"matrix\" id=\"matrix\">\n<thead><tr><td></td>"
    );
    for name in names {
        let _ = write!(html, "<th scope=\"col\"><span><bdi>{name}</bdi></span></th>");
    }
    html.push_str("</tr></thead>\n<tbody>\n");
    for (class, counts) in confusion.rows().iter().enumerate() {
        let (name, images) = (&names[class], counts.iter().sum::<usize>());
        let _ = write!(html, "<tr><th scope=\"row\"><bdi>{name}</bdi></th>");
        for (predicted, &count) in counts.iter().enumerate() {
            if count == 0 {
                html.push_str("<td></td>");
                continue;
            }
            let shade = (count * SHADES).div_ceil(images);
            let right = if class == predicted { " right" } else { "" };
            let _ = write!(
                html,
                "<td class=\"shade{shade}{right}\" title=\"{count} of {images} images of {name} were taken for {}\">{count}</td>",
                names[predicted]
            );
        }
        html.push_str("</tr>\n");
    }
    html + "</tbody></table></div>\n"
}

fn confused(pairs: &[ConfusedPair], names: &[Text], by: &str) -> String {
    if pairs.is_empty() {
        return format!("<p>The {by} confused nothing.</p>\n");
    }
    let mut html = format!(
        "<h3>Confused most</h3>\n\
         <p class=\"reading\">The pairs that the {by} confuses most often, with the images it was surest about.</p>\n\
         <div class=\"pairs\">\n"
    );
    for ConfusedPair { confusion, of, examples } in pairs {
        let [class, predicted] = [&names[confusion.class], &names[confusion.predicted]];
        let _ = write!(
            html,
            "<figure><figcaption><b><bdi>{class}</bdi></b> taken for <b><bdi>{predicted}</bdi></b>: {} of {of}</figcaption>\n<p>",
            confusion.images
        );
        for example in examples {
            let _ = write!(
                html,
                "<span title=\"{}\">{}</span>",
                example.name,
                example.picture.html(&example.name)
            );
        }
        html.push_str("</p></figure>\n");
    }
    html + "</div>\n"
}
