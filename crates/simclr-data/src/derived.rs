//! Sets made of other sets.

mod aligned;
mod concat;
mod draw;
mod subset;

pub(crate) use self::{
    aligned::{aligned, with_own_classes},
    concat::locate,
};
pub use self::{concat::Concat, subset::Subset};
