//! Fine-tuning of tiny networks on tiny samples, from beginning to end.

mod learning;
mod refusals;
mod support;
