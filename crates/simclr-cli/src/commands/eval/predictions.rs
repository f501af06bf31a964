//! What was said of each image, in a file.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use simclr::data::ImageDataset;
use simclr::eval::{Evaluation, PredictionTable};

use crate::failure::usage;
use crate::output::Output;

#[derive(Args)]
pub(super) struct PredictionArgs {
    /// Write what was said of each image to this file: .csv or .json
    #[arg(long, value_name = "FILE")]
    predictions: Option<PathBuf>,
}

impl PredictionArgs {
    /// What can be refused before anything is computed.
    pub(super) fn check(&self) -> Result<()> {
        match self.predictions.as_ref().map(|path| (path, path.extension())) {
            Some((path, extension)) if !extension.is_some_and(|e| e == "csv" || e == "json") => {
                let path = path.display();
                Err(usage(format!("expected --predictions to end in .csv or .json, found {path}")))
            }
            _ => Ok(()),
        }
    }

    /// Writes the predictions for `test` at `indices`, if a file was named.
    pub(super) fn write(
        &self,
        evaluation: &Evaluation,
        indices: &[usize],
        test: &dyn ImageDataset,
        output: &Output,
    ) -> Result<()> {
        let Some(path) = &self.predictions else { return Ok(()) };
        let table = PredictionTable::new(&evaluation.predictions, indices, test)?;
        if path.extension().is_some_and(|extension| extension == "csv") {
            table.write_csv(path)?;
        } else {
            table.write_json(path)?;
        }
        output.line(format!("predictions: {}", path.display()));
        Ok(())
    }
}
