//! How good the features are, in figures.

mod confused;
mod labelled_sets;
mod measured;
mod stages;

pub(crate) use confused::ConfusedPair;
pub(crate) use measured::Quality;
pub(crate) use stages::{FIRST, RANDOM, Stage, Stages};
