//! `simclr doctor`.

mod embedding;
mod examination;
mod examined;
mod largest_batch;
mod loss;
mod outcome;
mod parity;
mod process;
mod sizes;
mod speed;
mod table;
mod task;
mod training;

use anyhow::{Context, Result};
use clap::Args;
use simclr::data::replace_file;
use simclr::train::DeviceDescription;

use crate::device_args::DeviceArgs;
use crate::json_to::JsonTo;
use crate::out_file::check_folder_of;
use crate::output::Output;
use examination::Examination;
use sizes::SizeArgs;
use task::Task;

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    device: DeviceArgs,
    #[command(flatten)]
    sizes: SizeArgs,
    /// Write what was found as one JSON object to FILE, beside the table; without FILE, or with -, print it
    /// instead of the table
    #[arg(
        long,
        value_name = "FILE",
        num_args = 0..=1,
        default_missing_value = "-",
        value_parser = JsonTo::place()
    )]
    json: Option<JsonTo>,
    /// A part of the examination, for the process that this command starts for it
    #[arg(long, hide = true, conflicts_with_all = ["device", "encoder", "json"])]
    part: Option<String>,
}

impl Arguments {
    pub(crate) fn run(&self, output: &Output) -> Result<()> {
        if let Some(part) = &self.part {
            return serde_json::from_str::<Task>(part).context("expected a task")?.run();
        }
        let file = match &self.json {
            Some(JsonTo::File(file)) => Some(file.as_path()),
            _ => None,
        };
        check_folder_of(file)?;
        let device = self.device.open()?;
        let description = DeviceDescription::of(&device);
        let sizes = self.sizes.on(&description);
        sizes.encoder.check_image_size(sizes.size)?;
        output.text(&table::heading(&description, &sizes));
        let examined = Examination::new(self.device.name(), sizes).run(description, output)?;
        output.text(&table::speeds(&examined));
        let json = serde_json::to_value(&examined)?;
        output.result(&json);
        if let Some(file) = file {
            replace_file(file, |file| writeln!(file, "{json:#}"))
                .with_context(|| format!("cannot write {}", file.display()))?;
            output.line(format!("written to {}", file.display()));
        }
        examined.verdict()
    }
}
