//! The prediction for each test image, in a file.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use simclr::data::ImageDataset;
use simclr::eval::{Evaluation, PredictionTable};

use crate::failure::usage;
use crate::out_file::check_folder_of;
use crate::output::Output;

#[derive(Args)]
pub(super) struct PredictionArgs {
    /// Write the prediction for each test image to this file, .csv or .json; of several draws, the
    /// first one's
    #[arg(long, value_name = "FILE")]
    predictions: Option<PathBuf>,
}

impl PredictionArgs {
    /// Refuses a file that cannot be written, before there is anything to write.
    pub(super) fn check(&self) -> Result<()> {
        let Some(path) = &self.predictions else { return Ok(()) };
        if !path.extension().is_some_and(|end| end == "csv" || end == "json") {
            let path = path.display();
            return Err(usage(format!(
                "expected --predictions to end in .csv or .json, found {path}"
            )));
        }
        check_folder_of(Some(path))
    }

    /// Writes the predictions for the images of `test` at `indices`, if a file was named.
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
