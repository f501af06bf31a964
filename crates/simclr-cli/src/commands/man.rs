//! `simclr man`.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::{Args, CommandFactory};

use crate::cli::Cli;

#[derive(Args)]
pub(crate) struct Arguments {
    /// Write a page for each command to this folder, which must exist, instead of printing that of
    /// simclr itself
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

impl Arguments {
    pub(crate) fn run(&self) -> Result<()> {
        let Some(dir) = &self.out else {
            let mut page = Vec::new();
            clap_mangen::Man::new(Cli::command()).render(&mut page)?;
            std::io::Write::write_all(&mut std::io::stdout(), &page)?;
            return Ok(());
        };
        clap_mangen::generate_to(Cli::command(), dir)
            .with_context(|| format!("cannot write manual pages to {}", dir.display()))
    }
}
