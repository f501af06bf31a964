//! Linear probes of frozen features.

mod lbfgs;
mod line_search;
mod logistic_regression;
mod sgd_probe;
mod softmax_regression;
mod standardization;

pub use self::logistic_regression::{LogisticFit, LogisticRegression, LogisticRegressionConfig};
pub use self::sgd_probe::{SgdProbe, SgdProbeConfig};
