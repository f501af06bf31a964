//! Whole tiny runs: their files, resumed runs, and refused configs.

mod averaged;
mod checkpoints;
mod engine;
mod first_weights;
mod flat;
mod folder;
mod interrupted;
mod labelled;
mod many_views;
mod monitor;
mod not_finite;
mod resumed;
mod shards;
mod skipped;
mod support;
mod watched;
mod write_faults;
