//! `simclr runs`.

mod diff;

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};
use simclr::data::{escape_name, printable};
use simclr::train::{RunOverview, RunsBelow, differing_settings};

use crate::output::{Output, percent, with_causes};
use crate::plan::duration;
use crate::text_table::TextTable;

/// How many folders without a run are named.
const NAMED: usize = 20;

/// What differs between most runs and says little of them, or has a column of its own.
const NOT_LISTED: [&str; 6] =
    ["device", "devices", "simclr", "revision", "images.encoder", "train.epochs"];

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    task: Option<Task>,
    /// Folders with runs in them, or runs [default: runs]
    #[arg(value_name = "FOLDER")]
    folders: Vec<PathBuf>,
}

#[derive(Subcommand)]
enum Task {
    /// Say in which settings two runs differ, with their figures side by side
    Diff(diff::Arguments),
}

impl Arguments {
    pub(crate) fn run(&self, output: &Output) -> Result<()> {
        if let Some(Task::Diff(arguments)) = &self.task {
            return arguments.run(output);
        }
        let default = [PathBuf::from("runs")];
        let folders = if self.folders.is_empty() { &default[..] } else { &self.folders };
        let (mut runs, mut others) = (Vec::new(), Vec::new());
        for folder in folders {
            let found = RunsBelow::find(folder)?;
            runs.extend(found.runs);
            others.extend(found.others);
        }
        let differing = differing_settings(&runs);
        if runs.is_empty() {
            output.line("no runs");
        } else {
            output.text(&table(&runs, &differing).to_string());
        }
        for (path, error) in others.iter().take(NAMED) {
            output.line(format!("{}: {}", escape_name(path), printable(&with_causes(error))));
        }
        if let Some(more @ 1..) = others.len().checked_sub(NAMED) {
            output.line(format!("and {more} other folders that hold no run that can be read"));
        }
        let others = others.iter().map(|(path, error)| {
            json!({ "path": escape_name(path), "reason": printable(&with_causes(error)) })
        });
        let others: Vec<Value> = others.collect();
        let runs: Vec<Value> = runs.iter().map(|run| in_json(run, &differing)).collect();
        output.result(&json!({ "runs": runs, "others": others }));
        Ok(())
    }
}

fn table(runs: &[RunOverview], differing: &BTreeSet<&str>) -> TextTable {
    let head =
        ["run", "state", "epochs", "encoder", "kNN", "linear", "loss", "time", "what differs"];
    let mut table = TextTable::new(&head);
    for run in runs {
        let figures = &run.figures;
        let values = listed(differing)
            .filter_map(|path| run.settings.get(path).map(|value| format!("{path}={value}")));
        table.row([
            escape_name(&run.path),
            run.state.to_string(),
            format!("{}/{}", figures.epochs, figures.epochs_planned),
            run.encoder().unwrap_or("-").to_owned(),
            percent(figures.knn_top1),
            percent(figures.linear_probe),
            number(figures.loss_last),
            run.seconds.map_or_else(|| "-".to_owned(), duration),
            values.collect::<Vec<_>>().join(" "),
        ]);
    }
    table
}

fn listed<'a>(differing: &BTreeSet<&'a str>) -> impl Iterator<Item = &'a str> {
    differing.iter().copied().filter(|path| !NOT_LISTED.contains(path))
}

fn in_json(run: &RunOverview, differing: &BTreeSet<&str>) -> Value {
    let differs: Map<String, Value> = listed(differing)
        .filter_map(|path| Some((path.to_owned(), json!(run.settings.get(path)?))))
        .collect();
    let figures = &run.figures;
    json!({
        "path": escape_name(&run.path),
        "state": run.state.to_string(),
        "epochs": figures.epochs,
        "epochs_planned": figures.epochs_planned,
        "encoder": run.encoder(),
        "knn_top1_initial": figures.knn_top1_initial,
        "knn_top1": figures.knn_top1,
        "linear_probe": figures.linear_probe,
        "loss_first": figures.loss_first,
        "loss_last": figures.loss_last,
        "images_per_second": figures.images_per_second,
        "seconds": run.seconds,
        "differs": differs,
    })
}

/// Four digits after the point; a dash for none.
fn number(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.4}"))
}
