//! The form that contrasts an anchor with the mean of its image's other views.

use burn::tensor::activation::log_softmax;
use burn::tensor::{Bool, Tensor};

use crate::views::normalize;

/// The mean over all anchors: unit rows `[V n, d]` -> `[1]`.
///
/// For each view v, anchors `z_v` `[n, d]` meet the mean directions of the other views `[n, d]`, of their own image and of all.
pub(super) fn loss(z: &Tensor<2>, views: usize, scale: f64) -> Tensor<1> {
    let [rows, _] = z.dims();
    let images = rows / views;
    let of_view = |view: usize| z.clone().narrow(0, view * images, images);
    let sum = (1..views).fold(of_view(0), |sum, view| sum + of_view(view));
    let not_own: Tensor<2, Bool> = Tensor::diag_mask([images, images], 0, &z.device());
    let of_anchors = |view: usize| {
        let anchors = of_view(view);
        let means = normalize(sum.clone() - anchors.clone());
        let logits = anchors.matmul(means.transpose()).mul_scalar(scale); // [n, n]
        log_softmax(logits, 1).mask_fill(not_own.clone(), 0.0).sum()
    };
    let total = (1..views).fold(of_anchors(0), |total, view| total + of_anchors(view));
    total.neg().div_scalar(rows as f64)
}
