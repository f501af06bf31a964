//! `simclr completions`.

use anyhow::Result;
use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::cli::Cli;

#[derive(Args)]
pub(crate) struct Arguments {
    /// Shell, as in `simclr completions bash > /etc/bash_completion.d/simclr`
    shell: Shell,
}

impl Arguments {
    pub(crate) fn run(&self) -> Result<()> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "simclr", &mut script);
        std::io::Write::write_all(&mut std::io::stdout(), &script)?;
        Ok(())
    }
}
