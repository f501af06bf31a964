//! Sets made of other sets.

mod aligned;
mod before_reading;
mod concat;
mod draw;
mod subset;

pub(crate) use self::{
    aligned::{aligned, with_own_classes},
    concat::locate,
};
pub use self::{before_reading::BeforeReading, concat::Concat, subset::Subset};
