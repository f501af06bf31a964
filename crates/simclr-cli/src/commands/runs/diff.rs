//! `simclr runs diff`.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use serde_json::{Map, Value, json};
use simclr::data::escape_name;
use simclr::train::{RunDirectory, RunOverview, differing_settings};

use super::number;
use crate::output::{Output, percent};
use crate::plan::duration;
use crate::text_table::TextTable;

#[derive(Args)]
pub(crate) struct Arguments {
    /// A run directory
    #[arg(value_name = "A")]
    first: PathBuf,
    /// Another one
    #[arg(value_name = "B")]
    second: PathBuf,
}

impl Arguments {
    pub(crate) fn run(&self, output: &Output) -> Result<()> {
        let of = |path: &PathBuf| RunOverview::of(&RunDirectory::open(path)?);
        let runs = [of(&self.first)?, of(&self.second)?];
        let names = runs.each_ref().map(|run| escape_name(&run.path));
        let settings = differing_settings(&runs);
        let mut table = TextTable::new(&["setting", &names[0], &names[1]]);
        for path in &settings {
            let value = |run: &RunOverview| {
                run.settings.get(*path).map_or_else(|| "-".to_owned(), ToString::to_string)
            };
            table.row([(*path).to_owned(), value(&runs[0]), value(&runs[1])]);
        }
        if settings.is_empty() {
            output.line("the same settings");
        } else {
            output.text(&table.to_string());
        }
        output.line("");
        output.text(&figures(&names, &runs).to_string());
        let differing = settings.iter().map(|path| {
            ((*path).to_owned(), json!(runs.each_ref().map(|run| run.settings.get(*path))))
        });
        let differing: Map<String, Value> = differing.collect();
        let figures = runs.each_ref().map(|run| {
            json!({ "state": run.state.to_string(), "seconds": run.seconds, "summary": run.figures })
        });
        output.result(&json!({ "runs": names, "settings": differing, "figures": figures }));
        Ok(())
    }
}

fn figures(names: &[String; 2], runs: &[RunOverview; 2]) -> TextTable {
    let mut table = TextTable::new(&["figure", &names[0], &names[1]]);
    let mut row = |name: &str, value: fn(&RunOverview) -> String| {
        table.row([name.to_owned(), value(&runs[0]), value(&runs[1])]);
    };
    row("state", |run| run.state.to_string());
    row("epochs", |run| format!("{} of {}", run.figures.epochs, run.figures.epochs_planned));
    row("kNN before training", |run| percent(run.figures.knn_top1_initial));
    row("kNN", |run| percent(run.figures.knn_top1));
    row("linear probe", |run| percent(run.figures.linear_probe));
    row("loss of the first epoch", |run| number(run.figures.loss_first));
    row("loss of the last epoch", |run| number(run.figures.loss_last));
    row("images a second", |run| {
        run.figures.images_per_second.map_or_else(|| "-".to_owned(), |rate| format!("{rate:.0}"))
    });
    row("time", |run| run.seconds.map_or_else(|| "-".to_owned(), duration));
    row("unreadable images", |run| run.figures.skipped_images.to_string());
    table
}
