//! `simclr weights`.

mod fetch;
mod list;

use anyhow::Result;
use clap::Subcommand;

use crate::output::Output;

#[derive(Subcommand)]
pub(crate) enum Task {
    /// List published weights that are known by name: what --weights takes, and what they are
    List,
    /// Fetch published weights into the cache, where --weights finds them
    Fetch(fetch::Arguments),
}

impl Task {
    pub(crate) fn run(&self, output: &Output) -> Result<()> {
        match self {
            Self::List => {
                list::print(output);
                Ok(())
            }
            Self::Fetch(arguments) => arguments.run(output),
        }
    }
}
