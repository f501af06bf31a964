//! Optimisers, and the parameters that they exclude from weight decay.

pub(crate) mod decay_scope;
pub(crate) mod device_adam;
pub(crate) mod device_sgd;
pub(crate) mod lars;
pub(crate) mod optimizer;
pub(crate) mod revocable;
