//! What predictions amount to.

mod confusion_matrix;
mod prediction_table;
mod predictions;
mod report;

pub use self::confusion_matrix::{Confusion, ConfusionMatrix};
pub use self::prediction_table::PredictionTable;
pub use self::predictions::Predictions;
pub use self::report::{ClassFigures, Evaluated, Report};
