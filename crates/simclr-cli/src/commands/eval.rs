//! `simclr eval`.

mod finetune;
mod frozen;
mod knn;
mod labels;
mod linear;
mod predictions;
mod subject;

use anyhow::Result;
use clap::Subcommand;

use crate::output::Output;

#[derive(Subcommand)]
pub(crate) enum Protocol {
    /// Let the nearest images of the training set vote: nothing is trained
    Knn(knn::Arguments),
    /// Train a linear layer on the frozen features
    Linear(linear::Arguments),
    /// Train encoder and linear layer together on the labels
    Finetune(finetune::Arguments),
}

impl Protocol {
    pub(crate) fn run(&self, output: &Output) -> Result<()> {
        match self {
            Self::Knn(arguments) => arguments.run(output),
            Self::Linear(arguments) => arguments.run(output),
            Self::Finetune(arguments) => arguments.run(output),
        }
    }
}
