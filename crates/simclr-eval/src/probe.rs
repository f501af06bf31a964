//! Linear probes of frozen features.

mod lbfgs;
mod line_search;
mod linear_probe;
mod logistic_regression;
mod minibatch_probe;
mod sgd_probe;
mod softmax_regression;
mod standardization;

pub use self::linear_probe::LinearProbe;
pub use self::logistic_regression::{LogisticFit, LogisticRegression, LogisticRegressionConfig};
pub use self::minibatch_probe::{MinibatchProbe, MinibatchProbeConfig};
pub use self::sgd_probe::{SgdProbe, SgdProbeConfig};
