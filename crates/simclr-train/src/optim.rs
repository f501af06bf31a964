//! Optimisers, and which parameters they treat how.

pub(crate) mod decay_scope;
pub(crate) mod lars;
pub(crate) mod optimizer;
