//! The arguments as a whole.

use anyhow::Result;
use clap::{ArgAction, Parser, Subcommand};

use crate::commands::{
    classify, completions, data, doctor, duplicates, embed, eval, explain, explore, export, groups,
    lr_find, man, odd, pick, pretrain, report, runs, search, sort, views, weights,
};
use crate::failure::EXIT_CODES;
use crate::json_to::JsonTo;
use crate::output::Output;

/// Learn image encoders from unlabelled images with SimCLR: pretrain, evaluate, embed, search
#[derive(Parser)]
#[command(name = "simclr", version, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    /// Print one JSON object instead of text
    #[arg(long, global = true, action = ArgAction::SetTrue, value_parser = JsonTo::flag())]
    pub(crate) json: JsonTo,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Train an encoder on unlabelled images
    Pretrain(Box<pretrain::Arguments>),
    /// Measure how good an encoder is: by nearest neighbours, a linear layer, or fine-tuning
    #[command(subcommand)]
    Eval(Box<eval::Protocol>),
    /// Turn images into vectors, for `simclr search` or NumPy
    Embed(embed::Arguments),
    /// Find the images that are most like a given one
    Search(search::Arguments),
    /// Open a local page to explore, search and label images
    Explore(explore::Arguments),
    /// Draw which regions of two images make them alike to an encoder
    Explain(explain::Arguments),
    /// Find copies among images: the same bytes, the same pixels, resized, compressed, cropped, mirrored
    Duplicates(duplicates::Arguments),
    /// Find the images that are least like the others
    Odd(odd::Arguments),
    /// Put images into groups of alike ones, each with the one that stands for it
    Groups(groups::Arguments),
    /// Pick the images to label first: few that stand for all
    Pick(pick::Arguments),
    /// Write an encoder as an ONNX graph, or its weights with the names of torchvision or timm
    Export(export::Arguments),
    /// Say which class images show, by a classifier that `simclr eval linear --save` wrote
    Classify(classify::Arguments),
    /// Copy, link or move photos into folders of their classes, by a table of labels
    Sort(sort::Arguments),
    /// Draw a sheet of the views that a run would learn from
    Views(Box<views::Arguments>),
    /// Try learning rates, and say at which the loss falls fastest
    LrFind(Box<lr_find::Arguments>),
    /// Write a run's report: one page with curves, views, a map, neighbours and figures
    Report(report::Arguments),
    /// List runs side by side, or say how two of them differ
    Runs(runs::Arguments),
    /// List published weights that are known by name, or fetch some
    #[command(subcommand)]
    Weights(weights::Task),
    /// Check, convert or download images
    #[command(subcommand)]
    Data(data::Task),
    /// Check a device: does it compute as the CPU does, how fast is it, how large a batch does it hold?
    Doctor(Box<doctor::Arguments>),
    /// Print completions for a shell
    Completions(completions::Arguments),
    /// Print the manual page, or write those of all commands to a folder
    Man(man::Arguments),
}

impl Command {
    pub(crate) fn run(&self, output: &Output) -> Result<()> {
        match self {
            Self::Pretrain(arguments) => arguments.run(output),
            Self::Eval(protocol) => protocol.run(output),
            Self::Embed(arguments) => arguments.run(output),
            Self::Search(arguments) => arguments.run(output),
            Self::Explore(arguments) => arguments.run(output),
            Self::Explain(arguments) => arguments.run(output),
            Self::Duplicates(arguments) => arguments.run(output),
            Self::Odd(arguments) => arguments.run(output),
            Self::Groups(arguments) => arguments.run(output),
            Self::Pick(arguments) => arguments.run(output),
            Self::Export(arguments) => arguments.run(output),
            Self::Classify(arguments) => arguments.run(output),
            Self::Sort(arguments) => arguments.run(output),
            Self::Views(arguments) => arguments.run(output),
            Self::LrFind(arguments) => arguments.run(output),
            Self::Report(arguments) => arguments.run(output),
            Self::Runs(arguments) => arguments.run(output),
            Self::Weights(task) => task.run(output),
            Self::Data(task) => task.run(output),
            Self::Doctor(arguments) => arguments.run(output),
            Self::Completions(arguments) => arguments.run(),
            Self::Man(arguments) => arguments.run(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_arguments_fit_together() {
        Cli::command().debug_assert();
    }
}
