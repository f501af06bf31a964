//! `simclr`, the command: see `simclr --help`.

#![expect(
    clippy::doc_markdown,
    reason = "doc comments of arguments are help text, printed as they are"
)]

mod bar;
mod causes;
mod cli;
mod commands;
mod config_args;
mod config_file;
mod config_layers;
mod config_tables;
mod data_args;
mod device_args;
mod download_bar;
mod encoder_args;
mod exported_args;
mod failure;
mod field_names;
mod first_weight_args;
mod hint;
mod image_file;
mod interrupt;
mod json_to;
mod memory;
mod named_images;
mod nearest;
mod out_file;
mod output;
mod photo_args;
mod plain_reason;
mod plan;
mod resumed_args;
mod run_args;
mod setting;
mod shell;
mod table_args;
mod text_table;
mod watched;
mod weight_source;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::Cli;
use crate::json_to::JsonTo;
use crate::output::Output;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let output = Output::new(cli.json == JsonTo::Stdout);
    match cli.command.run(&output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => output.failure(&error),
    }
}
