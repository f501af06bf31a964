//! `--out`: a table for spreadsheets and scripts.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use serde_json::Value;
use simclr::data::replace_file;

use crate::failure::usage;
use crate::out_file::check_folder_of;
use crate::output::Output;

#[derive(Args)]
pub(crate) struct TableArgs {
    /// Write the result as comma-separated values to this file, too
    #[arg(long, value_name = "FILE.csv")]
    out: Option<PathBuf>,
}

impl TableArgs {
    /// Refuses a file that cannot be written, before there is anything to write.
    pub(crate) fn check(&self) -> Result<()> {
        let Some(out) = &self.out else { return Ok(()) };
        if out.extension().is_none_or(|extension| extension != "csv") {
            return Err(usage(format!("expected --out to end in .csv, found {}", out.display())));
        }
        check_folder_of(Some(out))
    }

    /// Prints `result`; writes the table before, if a file was named.
    pub(crate) fn write<const N: usize>(
        &self,
        header: [&str; N],
        rows: impl IntoIterator<Item = [String; N]>,
        output: &Output,
        mut result: Value,
    ) -> Result<()> {
        if let Some(out) = &self.out {
            let mut table = csv::Writer::from_writer(Vec::new());
            table.write_record(header)?;
            rows.into_iter().try_for_each(|row| table.write_record(row))?;
            let table = table.into_inner()?;
            replace_file(out, |file| file.write_all(&table))
                .with_context(|| format!("cannot write {}", out.display()))?;
            output.line(format!("table: {}", out.display()));
            result["out"] = out.display().to_string().into();
        }
        output.result(&result);
        Ok(())
    }
}
