//! `simclr weights fetch`.

use anyhow::Result;
use clap::Args;
use serde_json::json;
use simclr::data::WeightAddress;

use super::list::in_json;
use crate::output::Output;
use crate::weight_source::fetch;

#[derive(Args)]
pub(crate) struct Arguments {
    /// hf:OWNER/REPO[@REVISION][/FILE] or torchvision:NAME[@WEIGHTS], such as a name of `simclr weights list`
    #[arg(value_name = "NAME")]
    address: WeightAddress,
    /// Fetch nothing: only say whether the weights are in the cache, and whole
    #[arg(long)]
    offline: bool,
}

impl Arguments {
    pub(crate) fn run(&self, output: &Output) -> Result<()> {
        let found = fetch(&self.address, self.offline)?;
        output.line(format!("{}: {}", found.address, found.path.display()));
        output.line(format!("sha256: {}", found.sha256));
        output.result(&json!({
            "weights": found.address.to_string(),
            "path": found.path.display().to_string(),
            "sha256": found.sha256,
            "known": found.known.map(in_json),
        }));
        Ok(())
    }
}
