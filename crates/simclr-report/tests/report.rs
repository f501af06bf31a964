//! Pages about real, if tiny, runs.
//!
//! Two of the pages stay in Cargo's folder for tests, `report-labelled.html` and `report-unlabelled.html`: a
//! browser drives them in `tests/drive_report.py`.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use burn::tensor::Device;
use image::{Rgb, RgbImage};
use simclr_augment::SimClrAugmentation;
use simclr_data::Splits;
use simclr_model::{ResNetConfig, ResNetDepth, Stem};
use simclr_report::{ReportConfig, ReportError, RunReport};
use simclr_train::{
    LearningRate, OptimizerConfig, PretrainConfig, Pretraining, Progress, Recipe, RunDirectory,
    TrainError,
};

/// Names that a browser must show and never read.
const HOSTILE_CLASS: &str = "<img src=x onerror=alert(1)>";
const HOSTILE_FILE: &str = "a\" onload=\"alert(2)' <script>alert(3)<!--{{script}}\u{2028}&amp;.png";

/// Folders with files of all tests, removed with the process.
fn folder(name: &str) -> PathBuf {
    static FOLDER: OnceLock<tempfile::TempDir> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| tempfile::tempdir().unwrap()).path().join(name);
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn config() -> PretrainConfig {
    PretrainConfig {
        seed: 3,
        epochs: 3,
        batch_size: 8,
        warmup_epochs: 1,
        learning_rate: LearningRate::unscaled(1e-3),
        optimizer: OptimizerConfig::adamw(1e-4),
        encoder: ResNetConfig::new(ResNetDepth::ResNet18, 2, Stem::Cifar).into(),
        augmentation: SimClrAugmentation::cifar10().with_size(16).unwrap().config().clone(),
        ..Recipe::Cifar10Google.config()
    }
}

fn pretrain(config: PretrainConfig, data: &Splits, path: &Path) -> RunDirectory {
    let pretraining = Pretraining::new(config).with_progress(Progress::Silent).in_directory(path);
    pretraining.run(data, &Device::flex()).unwrap();
    RunDirectory::open(path).unwrap()
}

fn report(run: &RunDirectory, data: &Splits) -> Result<RunReport, ReportError> {
    RunReport::new(run, data, &ReportConfig::default(), &Device::flex())
}

/// A run on class folders, one of which has a hostile name, and a hostile file in it.
fn hostile() -> &'static (RunDirectory, Splits) {
    static RUN: OnceLock<(RunDirectory, Splits)> = OnceLock::new();
    RUN.get_or_init(|| {
        let photos = folder("photos");
        // "</script>" cannot be part of a file's name, as it has a slash; a folder and a file can be.
        for (class, name) in [HOSTILE_CLASS, "plain", "<"].into_iter().enumerate() {
            let inside =
                if name == "<" { photos.join(name).join("script>") } else { photos.join(name) };
            fs::create_dir_all(&inside).unwrap();
            for number in 0..20_u8 {
                let shade = 80 * class as u8 + 4 * number;
                let image = RgbImage::from_fn(20, 18, |x, y| {
                    Rgb([shade, (12 * x) as u8, if class == 1 { 0 } else { (12 * y) as u8 }])
                });
                let file = if class == 0 { HOSTILE_FILE } else { ".png" };
                image.save(inside.join(format!("{number:02}{file}"))).unwrap();
            }
        }
        let data = Splits::open(&photos).unwrap();
        (pretrain(config(), &data, &folder("hostile-run")), data)
    })
}

fn unlabelled() -> &'static (RunDirectory, Splits) {
    static RUN: OnceLock<(RunDirectory, Splits)> = OnceLock::new();
    RUN.get_or_init(|| {
        let photos = folder("unlabelled-photos");
        for number in 0..30_u8 {
            let image =
                RgbImage::from_fn(20, 18, |x, y| Rgb([8 * number, (12 * x) as u8, (12 * y) as u8]));
            image.save(photos.join(format!("{number}.png"))).unwrap();
        }
        let data = Splits::open(&photos).unwrap();
        (pretrain(config(), &data, &folder("unlabelled-run")), data)
    })
}

fn count(html: &str, part: &str) -> usize {
    html.matches(part).count()
}

/// The page's frame: everything but the values of attributes and the texts of elements.
fn tags(html: &str) -> Vec<&str> {
    html.split('<').skip(1).map(|tag| tag.split([' ', '>', '\n']).next().unwrap()).collect()
}

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
fn hostile_names_are_text_wherever_they_stand() {
    let (run, data) = hostile();
    let html = report(run, data).unwrap().to_html();
    let escaped = "&lt;img src=x onerror=alert(1)&gt;";
    assert!(count(&html, escaped) > 10 && !html.contains(HOSTILE_CLASS));
    assert!(
        html.contains("a&quot; onload=&quot;alert(2)&#39; &lt;script&gt;alert(3)&lt;!--{{script}}")
    );
    assert!(html.contains("&lt;/script&gt;"));
    assert_eq!(count(&html, "<script"), 2, "the data and the script");
    assert_eq!(count(&html, "</script>"), 2);
    assert!(!tags(&html).contains(&"!--"));
    // The data is as it was, for a script that sets text.
    let json = html.split("id=\"data\">").nth(1).unwrap().split("</script>").next().unwrap();
    let data: serde_json::Value = serde_json::from_str(json).unwrap();
    let classes = data["map"]["classes"].as_array().unwrap();
    assert!(classes.iter().any(|name| name == HOSTILE_CLASS), "{classes:?}");
    let points = data["map"]["points"].as_array().unwrap();
    assert!(points.iter().any(|point| point["name"].as_str().unwrap().contains(HOSTILE_FILE)));
}

#[test]
fn the_page_asks_nobody_and_runs_nothing_but_its_own_script() {
    let html = report(&hostile().0, &hostile().1).unwrap().to_html();
    assert!(html.contains("content=\"default-src 'none'; img-src data:; style-src 'sha256-"));
    for address in html.split("src=\"").skip(1) {
        assert!(address.starts_with("data:image/jpeg;base64,"), "{}", &address[..40]);
    }
    for address in html.split("href=\"").skip(1) {
        assert!(address.starts_with('#') || address.starts_with("data:,"), "{}", &address[..40]);
    }
    // The policy forbids style attributes, and would leave the page without what they say.
    assert!(!html.contains(" style=\"") && !html.contains("url(http"));
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
    assert!(html.contains("<section id=\"neighbours\">") && !html.contains("✓</span>"));
    assert_eq!(count(&html, "<section id=\"classes\">"), 0);
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

#[test]
fn random_weights_are_those_that_the_run_began_with() {
    let (run, data) = hostile();
    let before = run.summary().unwrap().unwrap().knn_top1_initial.unwrap();
    let html = report(run, data).unwrap().to_html();
    let row = html.split("random weights</th>").nth(1).unwrap().split("</tr>").next().unwrap();
    let shown = row.split("</svg>").nth(1).unwrap().split("</td>").next().unwrap();
    assert_eq!(shown, format!("{:.1} %", 100.0 * before));
}

#[test]
fn fewer_images_are_drawn_where_they_are_asked_for() {
    let (run, data) = hostile();
    let config = ReportConfig { max_images: 9, map_points: 3, seed: 0 };
    let html = RunReport::new(run, data, &config, &Device::flex()).unwrap().to_html();
    assert!(html.contains("9 training images, 9 test images"));
    // Three points have a map by PCA alone.
    assert_eq!((count(&html, "transform=\"translate("), count(&html, "id=\"projection\"")), (3, 0));
}

#[test]
fn a_stopped_run_says_so_and_a_killed_one_is_an_error() {
    let (run, data) = unlabelled();
    let copy = folder("stopped-run");
    for file in ["config.toml", "metrics.jsonl", "summary.json", "encoder.safetensors"] {
        fs::copy(run.path().join(file), copy.join(file)).unwrap();
    }
    let summary = copy.join("summary.json");
    let text = fs::read_to_string(&summary).unwrap();
    fs::write(&summary, text.replace("\"epochs_planned\": 3", "\"epochs_planned\": 9")).unwrap();
    let stopped = RunDirectory::open(&copy).unwrap();
    let html = report(&stopped, data).unwrap().to_html();
    assert!(html.contains("The run was stopped after epoch 3 of 9"));

    fs::remove_file(&summary).unwrap();
    assert!(report(&stopped, data).unwrap().to_html().contains("The run left no summary.json"));

    fs::remove_file(stopped.encoder_weights()).unwrap();
    let error = report(&stopped, data).unwrap_err();
    assert!(matches!(error, ReportError::NoEncoder { .. }));
    assert!(error.to_string().contains("found none: the run has not ended"), "{error}");
}

#[test]
fn damaged_files_are_errors_that_name_them() {
    let (run, data) = unlabelled();
    for (file, damage, part) in [
        ("metrics.jsonl", "{\"event\":\"step\"}\n{}\n", "line 1"),
        ("summary.json", "{", "summary.json"),
        ("config.toml", "seed = 1", "config.toml"),
        ("encoder.safetensors", "no weights", "encoder.safetensors"),
    ] {
        let copy = folder(&format!("damaged-{file}"));
        for file in ["config.toml", "metrics.jsonl", "summary.json", "encoder.safetensors"] {
            fs::copy(run.path().join(file), copy.join(file)).unwrap();
        }
        fs::write(copy.join(file), damage).unwrap();
        let error = report(&RunDirectory::open(&copy).unwrap(), data).unwrap_err();
        let known =
            matches!(error, ReportError::Run(TrainError::Parse { .. }) | ReportError::Weights(_));
        assert!(known && error.to_string().contains(part), "{file}: {error}");
    }
}

#[test]
fn a_page_that_cannot_be_written_leaves_nothing() {
    let (run, data) = unlabelled();
    let page = report(run, data).unwrap();
    let folder = folder("unwritable");
    let path = folder.join("missing").join("report.html");
    let error = page.write(&path).unwrap_err();
    assert!(matches!(error, ReportError::Write { .. }), "{error}");
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
}
