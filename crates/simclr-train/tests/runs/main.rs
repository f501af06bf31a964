//! Whole tiny runs: their files, resumed runs, and refused configs.

mod checkpoints;
mod engine;
mod folder;
mod interrupted;
mod labelled;
mod resumed;
mod skipped;
mod support;
mod watched;
