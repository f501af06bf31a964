//! Sets made of other sets.

mod aligned;
mod concat;
mod subset;

pub(crate) use self::{aligned::Aligned, concat::locate};
pub use self::{concat::Concat, subset::Subset};
