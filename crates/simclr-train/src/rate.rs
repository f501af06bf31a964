//! The learning rate: its schedule, and the test that finds it.

pub(crate) mod learning_rate;
pub(crate) mod learning_rate_curve;
pub(crate) mod range_test;
pub(crate) mod rate_change;
pub(crate) mod run_schedule;
