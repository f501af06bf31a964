//! How few labels are enough.

mod equal_draw;
mod folds;
mod label_budget;
mod spread;

pub use self::equal_draw::draw_equally;
pub use self::folds::{over_folds, with_few_labels};
pub use self::label_budget::{LabelBudget, Shortfall};
pub use self::spread::Spread;
