//! Optimisers, and the parameters that they exclude from weight decay.

pub(crate) mod decay_scope;
pub(crate) mod lars;
pub(crate) mod optimizer;
