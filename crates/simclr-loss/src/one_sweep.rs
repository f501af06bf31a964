//! A whole loss in one sweep over all similarities, with its gradient and its ranks, where the backend has kernels for it.

#[cfg(feature = "cube")]
mod cube;

use burn::tensor::Tensor;

use crate::log_denominators::Problem;
use crate::ranks::Sought;
use crate::two_view_loss::LossAndRanks;

/// The weighted sum over all rows of `ln(denominator) - mean similarity of what the row seeks`, differentiable, and how many
/// views are nearer to each row than that. `None` where there are no kernels.
///
/// # Shapes
///
/// - `views`: `[n, d]` each, of any length
/// - output: `[1]` and `[views * n]`
pub(crate) fn loss_and_ranks(
    problem: &Problem,
    views: &[Tensor<2>],
    sought: &Sought,
) -> Option<LossAndRanks> {
    #[cfg(feature = "cube")]
    if let Some(z) = cube::rows(views) {
        return Some(cube::solve(problem, z, sought));
    }
    let _ = (problem, views, sought);
    None
}

/// How many views are nearer to each row than what it seeks: `[n, d]` a view -> `[views * n]`. `None` where there are no
/// kernels.
pub(crate) fn ranks(views: &[Tensor<2>], sought: &Sought) -> Option<Tensor<1>> {
    #[cfg(feature = "cube")]
    if let Some(z) = cube::rows(views) {
        return Some(cube::ranks(z, views.len(), sought));
    }
    let _ = (views, sought);
    None
}
