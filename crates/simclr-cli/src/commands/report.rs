//! `simclr report`.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use crate::data_args::DataArgs;
use crate::output::Output;

#[derive(Args)]
pub(crate) struct Arguments {
    /// Run directory
    #[arg(long, value_name = "RUN")]
    run: PathBuf,
    #[command(flatten)]
    data: DataArgs,
}

impl Arguments {
    pub(crate) fn run(&self, _output: &Output) -> Result<()> {
        let _ = (&self.run, &self.data);
        anyhow::bail!("not built yet")
    }
}
