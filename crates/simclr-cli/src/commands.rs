//! The commands, one file each.

pub(crate) mod classify;
pub(crate) mod completions;
pub(crate) mod data;
pub(crate) mod doctor;
pub(crate) mod duplicates;
pub(crate) mod embed;
pub(crate) mod eval;
pub(crate) mod explain;
pub(crate) mod explore;
pub(crate) mod export;
pub(crate) mod groups;
pub(crate) mod lr_find;
pub(crate) mod man;
pub(crate) mod odd;
pub(crate) mod pick;
pub(crate) mod pretrain;
pub(crate) mod report;
pub(crate) mod runs;
pub(crate) mod search;
pub(crate) mod sort;
pub(crate) mod views;
pub(crate) mod weights;
