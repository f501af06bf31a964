//! Labels, what is learnt of them, and their files.

mod classifier;
mod given_labels;
mod guesses;
mod held_out;
mod label_session;
mod next_to_label;
mod saved_lists;

pub use self::guesses::Guesses;
pub use self::held_out::HeldOut;
pub use self::label_session::LabelSession;
pub(crate) use self::saved_lists::{SavedLists, label_table};
