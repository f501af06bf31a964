//! Which figures a page shows, and of how many images.

use std::fs;

use burn::tensor::Device;
use simclr_data::Splits;
use simclr_report::{ReportConfig, RunReport};
use simclr_train::RunDirectory;

use crate::runs::{copy_of, count, hostile, report};

/// A run whose summary says something else than its encoder does.
fn with_figures_of_its_own(run: &RunDirectory, name: &str) -> RunDirectory {
    let copy = copy_of(run, name);
    let path = copy.path().join("summary.json");
    let mut summary: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    summary["knn_top1_initial"] = 0.1234.into();
    summary["knn_top1"] = 0.4321.into();
    summary["linear_probe"] = 0.4469.into();
    fs::write(&path, summary.to_string()).unwrap();
    copy
}

/// The page on at most nine images of each set.
fn page_of_a_part(run: &RunDirectory, data: &Splits) -> String {
    let config = ReportConfig { max_images: 9, map_points: 3, seed: 0 };
    RunReport::new(run, data, &config, &Device::flex()).unwrap().to_html()
}

/// The rows of the table of stages, in groups of the same images: the group's heading, and its rows as text.
fn groups(html: &str) -> Vec<(&str, Vec<String>)> {
    let table = html.split("<table class=\"stages\">").nth(1).unwrap();
    let table = table.split("</table>").next().unwrap();
    table
        .split("<tr class=\"group\">")
        .skip(1)
        .map(|group| {
            let heading = group.split("colspan=\"3\">").nth(1).unwrap();
            let rows = group.split("<tr class=").skip(1).map(text);
            (heading.split("</th>").next().unwrap(), rows.collect())
        })
        .collect()
}

/// The text of some HTML, elements apart.
fn text(html: &str) -> String {
    let texts = html.split('>').skip(1).map(|part| part.split('<').next().unwrap().trim());
    texts.filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" | ")
}

/// Value and note of a figure at the top.
fn tile(html: &str, name: &str) -> String {
    let tile = html.split(&format!("<dt>{name}</dt>")).nth(1).unwrap();
    text(&format!(">{}", tile.split("</dd>").next().unwrap()))
}

#[test]
fn figures_of_all_images_are_the_runs_own_and_those_of_a_part_say_how_large_it_is() {
    let (run, data) = hostile();
    let run = with_figures_of_its_own(run, "own-figures");
    let html = page_of_a_part(&run, data);
    assert_eq!(
        tile(&html, "kNN top-1"),
        "43.2 % | 12.3 % with random weights, on all 12 test images"
    );
    assert_eq!(tile(&html, "Linear probe top-1"), "44.7 % | on all 12 test images");

    let groups = groups(&html);
    let headings: Vec<&str> = groups.iter().map(|(heading, _)| *heading).collect();
    assert_eq!(
        headings,
        [
            "On all 12 test images, by all 48 training images; measured by the run",
            "On 9 of 12 test images, by 9 of 48 training images; measured for this page",
        ]
    );
    let by_run = ["random weights | 12.3 % | –", "after pretraining | 43.2 % | 44.7 %"];
    assert_eq!(groups[0].1, by_run);
    let names: Vec<&str> = groups[1].1.iter().map(|row| row.split(" | ").next().unwrap()).collect();
    assert_eq!(names, ["raw pixels, 16 × 16", "random weights", "after pretraining"]);

    // What else is measured on the part says so.
    assert!(html.contains("<caption>After pretraining, on 9 of 12 test images</caption>"));
    assert!(html.contains("9 training images, 9 test images"));
    assert!(html.contains("On 9 of 12 test images. Recall is"));
    // Three points have a map by PCA alone.
    assert_eq!((count(&html, "transform=\"translate("), count(&html, "id=\"projection\"")), (3, 0));
}

#[test]
fn a_page_on_all_images_shows_one_figure_for_each_the_runs_own() {
    let (run, data) = hostile();
    let summary = run.summary().unwrap().unwrap();
    let html = report(run, data).unwrap().to_html();
    let groups = groups(&html);
    let [(heading, rows)] = groups.as_slice() else { panic!("{groups:?}") };
    assert_eq!(
        *heading,
        "On all 12 test images, by all 48 training images; measured for this page"
    );
    let percent = |share: Option<f64>| format!("{:.1} %", 100.0 * share.unwrap());
    let [before, after] = [summary.knn_top1_initial, summary.knn_top1].map(percent);
    let linear = percent(summary.linear_probe);
    assert!(rows[1].starts_with(&format!("random weights | {before} | ")), "{rows:?}");
    assert_eq!(rows[2], format!("after pretraining | {after} | {linear}"));
    assert!(tile(&html, "kNN top-1").starts_with(&after));
    assert!(tile(&html, "Linear probe top-1").starts_with(&linear));
}

#[test]
fn another_measurement_of_all_images_stands_beside_the_runs_own() {
    let (run, data) = hostile();
    let run = with_figures_of_its_own(run, "other-measurement");
    let html = report(&run, data).unwrap().to_html();
    let headings: Vec<&str> = groups(&html).into_iter().map(|(heading, _)| heading).collect();
    assert!(headings[0].ends_with("measured by the run"), "{headings:?}");
    assert!(headings[1].ends_with("measured for this page"), "{headings:?}");
}

#[test]
fn a_summary_of_other_images_gives_no_figures() {
    let (run, data) = hostile();
    let run = with_figures_of_its_own(run, "other-images");
    let data = Splits { description: "others".to_owned(), ..data.clone() };
    let html = page_of_a_part(&run, &data);
    assert!(html.contains("This page shows other images than the run recorded."));
    assert!(!html.contains("43.2 %") && !html.contains("44.7 %"));
    assert!(tile(&html, "kNN top-1").ends_with("with random weights, on 9 of 12 test images"));
    assert_eq!(groups(&html).len(), 1);
}

#[test]
fn random_weights_are_those_that_the_run_began_with() {
    let (run, data) = hostile();
    let before = run.summary().unwrap().unwrap().knn_top1_initial.unwrap();
    let html = report(run, data).unwrap().to_html();
    let row = html.rsplit("random weights</th>").next().unwrap().split("</tr>").next().unwrap();
    let shown = row.split("</svg>").nth(1).unwrap().split("</td>").next().unwrap();
    assert_eq!(shown, format!("{:.1} %", 100.0 * before));
}
