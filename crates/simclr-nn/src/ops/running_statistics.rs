//! The running statistics of a normalisation, after a batch.

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, backend_extension};
use burn::tensor::Tensor;

/// How a batch enters the running statistics.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Averaging {
    /// The weight of the batch, in 0..=1.
    pub(crate) momentum: f64,
    /// What makes the batch's variance unbiased: n / (n - 1).
    pub(crate) unbiasing: f64,
}

/// The running mean and variance after a batch with this mean and biased variance, `[c]` each, in one launch.
pub(crate) fn averaged(
    running: [Tensor<1>; 2],
    of_batch: [Tensor<1>; 2],
    averaging: Averaging,
) -> [Tensor<1>; 2] {
    let [running_mean, running_variance] = running.map(Tensor::into_dispatch);
    let [mean, variance] = of_batch.map(Tensor::into_dispatch);
    let (mean, variance) = <Dispatch as RunningStatisticsBackend>::averaged(
        running_mean,
        running_variance,
        mean,
        variance,
        averaging,
    );
    [mean, variance].map(Tensor::from_dispatch)
}

#[backend_extension(Cube: cfg(feature = "cube"), Fusion: cfg(feature = "fusion"))]
pub(crate) trait RunningStatisticsBackend: Backend {
    /// The running mean and variance, with a batch's.
    #[fusion(meta = |mean, variance, _, _, _| (mean.clone(), variance.clone()))]
    fn averaged(
        running_mean: FloatTensor<Self>,
        running_variance: FloatTensor<Self>,
        mean: FloatTensor<Self>,
        variance: FloatTensor<Self>,
        averaging: Averaging,
    ) -> (FloatTensor<Self>, FloatTensor<Self>);
}
