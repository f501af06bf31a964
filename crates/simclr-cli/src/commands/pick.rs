//! `simclr pick`.

use std::collections::HashMap;
use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use serde_json::json;
use simclr::data::{LabelTable, printable};
use simclr::embed::typical_images;

use crate::bar::while_waiting;
use crate::failure::usage;
use crate::output::Output;
use crate::photo_args::PhotoArgs;
use crate::table_args::TableArgs;

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    photos: PhotoArgs,
    /// How many images to pick
    #[arg(short, long, value_name = "N")]
    count: usize,
    /// Table of images that have a label already, such as an earlier pick that was filled in: they are not
    /// picked, and what is like them waits
    #[arg(long, value_name = "FILE.csv")]
    labelled: Option<PathBuf>,
    /// For the groups that the images are picked from
    #[arg(long, value_name = "SEED", default_value_t = 0)]
    seed: u64,
    #[command(flatten)]
    table: TableArgs,
}

impl Arguments {
    pub(crate) fn run(&self, output: &Output) -> Result<()> {
        self.table.check()?;
        let labelled = self.labelled.as_ref().map(LabelTable::read).transpose()?;
        let photos = self.photos.embed()?;
        let rows: HashMap<&str, usize> =
            photos.names().iter().map(String::as_str).zip(0..).collect();
        let mut known = Vec::new();
        for label in labelled.iter().flat_map(LabelTable::rows).filter(|row| !row.class.is_empty())
        {
            let row = rows.get(&label.name[..]).copied().ok_or_else(|| {
                let (line, name) = (label.line, printable(&label.name));
                usage(format!("expected the name of an image of --data in line {line} of --labelled, found {name}"))
            })?;
            known.push(row);
        }
        let (features, device) = (&photos.embedded.features, photos.embedder.device());
        let picked = while_waiting("picking", || {
            typical_images(features, self.count, &known, self.seed, device)
        })?;
        let names: Vec<&String> = picked.iter().map(|&row| &photos.names()[row]).collect();
        for name in &names {
            output.line(printable(name));
        }
        let rows = names.iter().map(|name| [(*name).clone(), String::new()]);
        let result = json!({
            "images": features.len(),
            "skipped_images": photos.embedded.skipped.len(),
            "picked": names,
        });
        self.table.write(["name", "label"], rows, output, result)
    }
}
