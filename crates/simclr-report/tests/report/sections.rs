//! What is on a page.

use std::fs;
use std::path::Path;

use burn::tensor::Device;
use simclr_report::{ReportConfig, RunReport};

use crate::runs::{count, hostile, report, unlabelled};

#[test]
fn a_labelled_run_gets_every_section() {
    let (run, data) = hostile();
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("report-labelled.html");
    report(run, data).unwrap().write(&path).unwrap();
    let html = fs::read_to_string(&path).unwrap();
    for section in ["trained", "figures", "curves", "views", "map", "neighbours", "classes"] {
        assert_eq!(count(&html, &format!("<section id=\"{section}\">")), 1, "{section}");
    }
    let test = data.labelled.as_ref().unwrap().test.len();
    assert_eq!(count(&html, "transform=\"translate("), test);
    for chart in ["loss", "contrastive", "knn", "rank", "learning-rate", "speed"] {
        assert_eq!(count(&html, &format!("id=\"chart-{chart}\"")), 1, "{chart}");
    }
    assert!(html.contains("raw pixels, 16 × 16") && html.contains("random weights"));
    assert!(
        html.contains(
            "logistic regression (L-BFGS), C = 1; h (encoder), 16 features, standardised"
        )
    );
}

#[test]
fn a_run_without_labels_gets_curves_views_a_map_and_neighbours() {
    let (run, data) = unlabelled();
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("report-unlabelled.html");
    report(run, data).unwrap().write(&path).unwrap();
    let html = fs::read_to_string(&path).unwrap();
    assert!(html.contains("There are no labels, so there are no accuracies"));
    assert_eq!(count(&html, "transform=\"translate("), 30);
    assert_eq!(count(&html, "id=\"chart-knn\"") + count(&html, "id=\"legend\""), 0);
    assert_eq!(count(&html, "id=\"chart-loss\""), 1);
    assert_eq!(count(&html, "id=\"chart-range-test\""), 0);
    assert!(html.contains("<section id=\"neighbours\">") && !html.contains("✓</span>"));
    assert_eq!(count(&html, "<section id=\"classes\">"), 0);
}

#[test]
fn a_device_has_a_plain_name() {
    let (run, data) = hostile();
    let html = report(run, data).unwrap().to_html();
    assert!(html.contains("<th scope=\"row\">Device</th><td><bdi>flex</bdi></td>"));
}

#[test]
fn the_same_seed_makes_the_same_bytes_for_any_number_of_threads() {
    let (run, data) = hostile();
    let page = |seed, map_points| {
        let config = ReportConfig { seed, map_points, ..ReportConfig::default() };
        RunReport::new(run, data, &config, &Device::flex()).unwrap().to_html()
    };
    let alone = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    assert!(page(1, 8) == alone.install(|| page(1, 8)), "the page differs from itself");
    assert!(page(1, 8) != page(2, 8), "the seed chooses what is shown");
}
