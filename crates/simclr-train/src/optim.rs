//! Optimisers, and the parameters that they exclude from weight decay.

pub(crate) mod adam;
pub(crate) mod averaging;
pub(crate) mod blocks;
pub(crate) mod decay_scope;
pub(crate) mod flat_parameters;
pub(crate) mod grouped_optimizer;
pub(crate) mod lars;
pub(crate) mod optimizer;
pub(crate) mod optimizer_state;
pub(crate) mod parameter_group;
pub(crate) mod rule;
pub(crate) mod sgd;
