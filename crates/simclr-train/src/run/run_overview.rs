//! A run at a glance: how far it is, what came of it, and its settings.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use crate::engine::train_config::TrainConfig;
use crate::error::TrainError;
use crate::run::bounded_text::check_file;
use crate::run::run_config::{MadeWith, RunConfig};
use crate::run::run_directory::RunDirectory;
use crate::run::run_lock::RunLock;
use crate::run::settings_by_path::settings_by_path;
use crate::run::summary::Summary;
use crate::watch::metrics_line::MetricsLine;
use crate::watch::metrics_log::read_metrics;
use crate::watch::plateau::is_flat;

/// Longest `metrics.jsonl` that is read, in bytes: some 4 million steps.
const MOST_METRICS: u64 = 1 << 30;

/// Whether a run trains, and if not, how it stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RunState {
    /// All its epochs are done, or it ended when it was flat, and its encoder is there.
    Finished,
    /// It has not ended, and no process trains it: it can be resumed.
    Stopped,
    /// A process trains it. On a file system without locks it is [`Stopped`](Self::Stopped).
    Running,
}

/// `finished`, `stopped` or `running`.
impl fmt::Display for RunState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Finished => "finished",
            Self::Stopped => "stopped",
            Self::Running => "running",
        })
    }
}

/// A run at a glance, to be compared with others.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct RunOverview {
    /// The run's folder.
    pub path: PathBuf,
    /// Whether it trains.
    pub state: RunState,
    /// Its figures so far: those of its log, and the linear probe of its summary.
    pub figures: Summary,
    /// The time that its steps and its monitor took, in seconds: the final probe is not in it. `None` without a log.
    pub seconds: Option<f64>,
    /// Its settings by path, such as `train.loss.temperature`, and what it was made with: `data`, `weights` (its first
    /// ones), `device`, `devices`, `simclr` and `revision`.
    pub settings: BTreeMap<String, Value>,
}

impl RunOverview {
    /// Looks at a run.
    ///
    /// # Errors
    ///
    /// [`TrainError::NotARun`] for another folder; [`TrainError::Io`] and [`TrainError::Parse`] if a file of the run cannot be
    /// read, is none, is too long, or is not in the format of this version.
    pub fn of(run: &RunDirectory) -> Result<Self, TrainError> {
        let config = run.config()?;
        let lines = lines_of(&run.metrics())?;
        let skipped =
            lines.iter().filter(|line| matches!(line, MetricsLine::Skipped { .. })).count();
        let device = config.made_with.device.clone();
        let mut figures = Summary::new(&lines, &config.train, device, skipped);
        let left = run.summary()?;
        // An older summary is of a run that went on since.
        let left = left.filter(|left| left.epochs >= figures.epochs);
        let is_running = RunLock::is_held(run.path());
        let state = match &left {
            _ if is_running => RunState::Running,
            Some(left)
                if (left.epochs >= config.train.epochs || ended_flat(&lines, &config.train))
                    && run.encoder_weights().is_file() =>
            {
                RunState::Finished
            }
            _ => RunState::Stopped,
        };
        if let Some(left) = left {
            figures = Summary { epochs_planned: config.train.epochs, ..left };
        }
        let seconds = seconds_of(&lines, config.train.batch_size);
        let settings = settings_of(&config, run)?;
        Ok(Self { path: run.path().to_owned(), state, figures, seconds, settings })
    }

    /// The encoder's name; `None` for a run that is not on images.
    #[must_use]
    pub fn encoder(&self) -> Option<&str> {
        self.settings.get("images.encoder")?.as_str()
    }
}

/// Whether a run has ended before its last epoch, since it did not learn more.
fn ended_flat(lines: &[MetricsLine], config: &TrainConfig) -> bool {
    config.stop_when_flat.is_some_and(|epochs| is_flat(lines, epochs))
}

/// The paths of the settings in which the runs differ from each other. A setting that some of them lack is such a
/// one.
#[must_use]
pub fn differing_settings(runs: &[RunOverview]) -> BTreeSet<&str> {
    let paths = runs.iter().flat_map(|run| run.settings.keys());
    let paths: BTreeSet<&str> = paths.map(String::as_str).collect();
    let differs = |path: &&str| {
        let mut values = runs.iter().map(|run| run.settings.get(*path));
        let first = values.next().flatten();
        values.any(|value| value != first)
    };
    paths.into_iter().filter(differs).collect()
}

/// The log; empty if there is none yet.
fn lines_of(path: &Path) -> Result<Vec<MetricsLine>, TrainError> {
    match check_file(path, MOST_METRICS) {
        Ok(()) => read_metrics(path),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(TrainError::io("read", path)(error)),
    }
}

/// The time of all steps, and of the monitor after them.
fn seconds_of(lines: &[MetricsLine], batch_size: usize) -> Option<f64> {
    let seconds = lines.iter().filter_map(|line| match line {
        MetricsLine::Step { images_per_second, left_out, .. } => {
            Some((1 + left_out) as f64 * batch_size as f64 / images_per_second)
        }
        MetricsLine::Epoch { monitor, .. } => Some(monitor.as_ref()?.seconds),
        _ => None,
    });
    let seconds: Vec<f64> =
        seconds.filter(|seconds| seconds.is_finite() && *seconds >= 0.0).collect();
    (!seconds.is_empty()).then(|| seconds.iter().sum())
}

fn settings_of(
    config: &RunConfig,
    run: &RunDirectory,
) -> Result<BTreeMap<String, Value>, TrainError> {
    let parse = |reason: String| TrainError::Parse { path: run.config_file(), reason };
    // Through text: converted directly, an f32 of 0.1 would become 0.10000000149011612.
    let text = toml::to_string(config).map_err(|error| parse(error.to_string()))?;
    let mut tables: Table = text.parse().map_err(|e: toml::de::Error| parse(e.to_string()))?;
    tables.remove("made_with");
    let mut settings = settings_by_path(&tables);
    let MadeWith { simclr, revision, device, devices, data, weights, .. } = &config.made_with;
    settings.extend([
        ("simclr".to_owned(), Value::from(simclr.clone())),
        ("revision".to_owned(), Value::from(revision.clone())),
        ("device".to_owned(), Value::from(device.clone())),
        ("devices".to_owned(), Value::from(i64::try_from(*devices).unwrap_or(i64::MAX))),
        ("data".to_owned(), Value::from(data.clone())),
    ]);
    settings.extend(weights.as_ref().map(|own| ("weights".to_owned(), own.to_string().into())));
    Ok(settings)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::train_config::TrainConfig;
    use crate::watch::metrics_line::step_line;

    fn config(seed: u64) -> RunConfig {
        let train = TrainConfig { epochs: 3, batch_size: 8, seed, ..TrainConfig::small() };
        let made_with = MadeWith::now("flex".to_owned(), 1, "ten photos".to_owned());
        let images = "[images]\nencoder = \"resnet18\"\n".parse().unwrap();
        RunConfig { made_with, train, subject: images }
    }

    fn run(folder: &Path, seed: u64) -> RunDirectory {
        RunDirectory::create(folder, &config(seed)).unwrap()
    }

    fn step(of_line: f64) -> String {
        let mut line = step_line(1, 1);
        if let MetricsLine::Step { images_per_second, .. } = &mut line {
            *images_per_second = of_line;
        }
        line.json()
    }

    fn epoch(epoch: usize) -> String {
        MetricsLine::Epoch {
            epoch,
            loss: Some(1.5),
            knn_top1: Some(0.25),
            images_per_second: Some(2.0),
            waiting_share: Some(0.1),
            contrastive_top1: Some(0.2),
            representation: None,
            monitor: None,
        }
        .json()
    }

    #[test]
    fn a_run_is_stopped_running_or_finished() {
        let folder = tempfile::tempdir().unwrap();
        let run = run(folder.path(), 1);
        let begun = RunOverview::of(&run).unwrap();
        assert_eq!(
            (begun.state, begun.seconds, begun.figures.epochs),
            (RunState::Stopped, None, 0)
        );
        assert_eq!(begun.encoder(), Some("resnet18"));

        std::fs::write(run.metrics(), [step(4.0), step(0.0), epoch(1), epoch(2)].concat()).unwrap();
        let held = RunLock::hold(run.path()).unwrap();
        let running = RunOverview::of(&run).unwrap();
        assert_eq!((running.state, running.figures.epochs), (RunState::Running, 2));
        assert_eq!((running.seconds, running.figures.knn_top1), (Some(2.0), Some(0.25)));
        drop(held);
        let mut left = running.figures;
        (left.epochs, left.linear_probe) = (3, Some(0.5));
        run.write_summary(&left).unwrap();
        assert_eq!(RunOverview::of(&run).unwrap().state, RunState::Stopped, "without an encoder");
        std::fs::write(run.encoder_weights(), "").unwrap();
        let finished = RunOverview::of(&run).unwrap();
        assert_eq!(finished.state, RunState::Finished);
        assert_eq!(finished.figures.linear_probe, Some(0.5));
    }

    #[test]
    fn the_figures_of_an_older_summary_are_not_those_of_a_run_that_went_on() {
        let folder = tempfile::tempdir().unwrap();
        let run = run(folder.path(), 1);
        std::fs::write(run.metrics(), [epoch(1), epoch(2)].concat()).unwrap();
        let mut old = RunOverview::of(&run).unwrap().figures;
        (old.epochs, old.knn_top1) = (1, Some(0.75));
        run.write_summary(&old).unwrap();
        let figures = RunOverview::of(&run).unwrap().figures;
        assert_eq!((figures.epochs, figures.knn_top1), (2, Some(0.25)));
    }

    #[test]
    fn only_settings_that_differ_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let runs = [("a", 1), ("b", 2), ("c", 2)]
            .map(|(name, seed)| RunOverview::of(&run(&folder.path().join(name), seed)).unwrap());
        let differing: Vec<&str> = differing_settings(&runs).into_iter().collect();
        assert_eq!(differing, ["train.seed"]);
        assert!(differing_settings(&runs[1..]).is_empty());
        let mut runs = [runs[0].clone(), runs[0].clone()];
        runs[1].settings.remove("data");
        let differing: Vec<&str> = differing_settings(&runs).into_iter().collect();
        assert_eq!(differing, ["data"]);
    }

    #[test]
    fn damaged_files_are_errors_that_name_them() {
        let folder = tempfile::tempdir().unwrap();
        let run = run(folder.path(), 1);
        for (file, text) in
            [("summary.json", "{"), ("metrics.jsonl", "nonsense\n"), ("config.toml", "seed = ")]
        {
            let path = folder.path().join(file);
            let before = std::fs::read(&path).ok();
            std::fs::write(&path, text).unwrap();
            let error = RunOverview::of(&run).unwrap_err();
            assert!(matches!(error, TrainError::Parse { .. }), "{error}");
            assert!(error.to_string().contains(file), "{error}");
            match before {
                Some(before) => std::fs::write(&path, before).unwrap(),
                None => std::fs::remove_file(&path).unwrap(),
            }
        }
        std::fs::create_dir(run.metrics()).unwrap();
        assert!(matches!(RunOverview::of(&run), Err(TrainError::Io { .. })));
    }
}
