//! `simclr`, the command: see `simclr --help`.

#![expect(
    clippy::doc_markdown,
    reason = "doc comments of arguments are help text, printed as they are"
)]

mod bar;
mod cli;
mod commands;
mod config_args;
mod config_layers;
mod data_args;
mod encoder_args;
mod failure;
mod image_file;
mod interrupt;
mod memory;
mod nearest;
mod output;
mod plan;
mod watched;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::Cli;
use crate::output::Output;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let output = Output::new(cli.json);
    match cli.command.run(&output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => output.failure(&error),
    }
}
