//! Files of images into folders of their classes, by a table of labels.

mod class_folder;
mod label_table;
mod sort_error;
mod sort_plan;
mod sort_step;
mod step_state;
mod unfinished_folder;

pub use self::label_table::{LabelTable, LabelledName};
pub use self::sort_error::SortError;
pub use self::sort_plan::{SortConfig, SortPlan, Sorted};
pub use self::sort_step::{SortAction, SortStep};
