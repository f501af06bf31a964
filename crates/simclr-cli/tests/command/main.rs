//! `simclr`, the command, as its users meet it.

mod classify;
mod curate;
mod doctor;
mod embed;
mod explain;
mod few_labels;
mod ground;
mod hub;
mod labelled;
mod life;
mod mistakes;
mod monitor;
mod parquet;
mod plans_and_data;
mod published;
mod published_by_name;
mod published_weights;
mod resume;
mod runs;
mod search;
mod shards;
mod sort;
mod support;
mod tutorials;
mod weights;
