//! The forms that contrast an anchor with each of its positives.

use burn::tensor::activation::log_sigmoid;
use burn::tensor::{Bool, Tensor};

use super::form::PolyViewForm;
use crate::log_denominators::{Denominators, attach};

/// The mean over all anchors of l(i): unit rows `[V n, d]` -> `[1]`. `of_negatives` has the `N_i`.
///
/// With `L_i = ln N_i`, the loss is a function of n V² positives and of V n logarithms. The positives have an ordinary graph.
/// The logarithms have none: their gradient by z is asked for with the loss's derivatives by them, and attached.
pub(super) fn loss(form: PolyViewForm, of_negatives: &Denominators, z: Tensor<2>) -> Tensor<1> {
    let images = of_negatives.exclusions.images();
    let positives = similarities(z.clone(), images, of_negatives.scale); // [n, V, V]
    let inner = z.clone().inner();
    if !z.is_tracked() {
        let (logarithms, _) = of_negatives.logarithms(&inner, None::<fn(Tensor<1>) -> Tensor<1>>);
        return mean_over_anchors(form, positives, logarithms);
    }
    let slopes = |logarithms: Tensor<1>| {
        let logarithms = Tensor::from_inner(logarithms).require_grad();
        let loss = mean_over_anchors(form, positives.clone().detach(), logarithms.clone());
        logarithms.grad(&loss.backward()).expect("the loss depends on the denominators")
    };
    let (logarithms, gradient) = of_negatives.logarithms(&inner, Some(slopes));
    let value = mean_over_anchors(form, positives, Tensor::from_inner(logarithms));
    attach(z, value, gradient)
}

/// The similarities of all views of each image: unit rows `[V n, d]` -> `[n, V, V]`.
fn similarities(z: Tensor<2>, images: usize, scale: f64) -> Tensor<3> {
    let [rows, d] = z.dims();
    let of_images: Tensor<3> = z.reshape([rows / images, images, d]).swap_dims(0, 1); // [n, V, d]
    of_images.clone().matmul(of_images.transpose()).mul_scalar(scale)
}

/// The loss by the similarities of the images' views, `[n, V, V]`, and by `L_i = ln N_i` of all anchors, `[V n]`.
fn mean_over_anchors(form: PolyViewForm, positives: Tensor<3>, logarithms: Tensor<1>) -> Tensor<1> {
    let [images, views, _] = positives.dims();
    let logarithms: Tensor<3> = logarithms.reshape([views, images]).transpose().unsqueeze_dim(2); // [n, V, 1]
    let itself: Tensor<2, Bool> =
        Tensor::diag_mask([views, views], 0, &positives.device()).bool_not();
    let itself: Tensor<3, Bool> = itself.unsqueeze_dim::<3>(0).expand([images, views, views]);
    // ln q_ip: at most 0.
    let log_probabilities = log_sigmoid(positives - logarithms);
    let others = (views - 1) as f64;
    let sum = match form {
        PolyViewForm::Arithmetic => {
            let others_only = log_probabilities.mask_fill(itself.clone(), f32::MIN);
            let largest = others_only.clone().detach().max_dim(2); // [n, V, 1]
            let shares = (others_only - largest.clone()).exp().mask_fill(itself, 0.0);
            (shares.sum_dim(2).div_scalar(others).log() + largest).sum()
        }
        _ => log_probabilities.mask_fill(itself, 0.0).sum().div_scalar(others),
    };
    sum.neg().div_scalar((images * views) as f64)
}
