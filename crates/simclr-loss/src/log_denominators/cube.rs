//! The sum of log-denominators on the backends of `CubeCL`: wgpu, Vulkan, Metal, CUDA.
//!
//! A block of R rows meets all m rows at once, so that each of its denominators is complete, and one sweep is enough:
//!
//! ```text
//! S  = z_R zᵀ                      [R, m]   Burn's matrix product
//! S -> P                                    one kernel: maxima, denominators, ranks, and the gradient's weights
//! gradient of the block's rows  += P z      Burn's matrix product
//! gradient of all rows          += Pᵀ z_R   Burn's matrix product
//! ```
//!
//! P holds `w_i / t` times the softmax of row i. That is 3 m² d multiply-adds, of which the device's matrix units do all,
//! and five launches a block. S and P are one buffer of at most 128 MiB, the only memory beside a few `[m, d]`.
//! `docs/adr/0013-one-sweep-over-rows-on-gpus.md` has the ways that were weighed.

mod kernels;
mod sweep;

use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::backend::{Backend, Dispatch, DispatchDevice, backend_extension};
use burn::tensor::{DType, Int, Tensor, TensorData};
use burn_cubecl::CubeBackend;
use burn_cubecl::tensor::CubeTensor;

use self::sweep::{Question, Sweep};
use super::Answer;
use super::problem::Problem;
use crate::exclusions::{Exclusions, Partners};
use crate::ranks::Sought;

/// Whether [`solve`] runs where `z` is.
pub(super) fn supports(z: &Tensor<2>) -> bool {
    #[allow(unreachable_patterns, reason = "it may be the only backend that is built in")]
    let is_cube = match z.device().as_dispatch() {
        DispatchDevice::Cube(_) => true,
        _ => false,
    };
    is_cube && z.dtype() == DType::F32
}

/// How many views are nearer to each row than what it seeks, `[m]`.
pub(super) fn ranks(z: &Tensor<2>, sought: &Sought) -> Tensor<1> {
    let [m, _] = z.dims();
    let images = sought.classes().map_or(m / 2, <[usize]>::len);
    let exclusions = Exclusions::of_distinct_images(images, m / images, Partners::Stay);
    let of_nothing = Problem { scale: 1.0, weights: vec![0.0; m], exclusions };
    let answer = solve(&of_nothing, z, false, sought);
    answer.ranks.expect("a sweep over whole rows has ranks")
}

/// Value, gradient if wanted, and ranks, of what is sought.
pub(super) fn solve(
    problem: &Problem,
    z: &Tensor<2>,
    with_gradient: bool,
    sought: &Sought,
) -> Answer {
    let (device, exclusions) = (z.device(), &problem.exclusions);
    let (m, images) = (exclusions.rows(), exclusions.images());
    let weights: Vec<f32> = problem.weights.iter().map(|&weight| weight as f32).collect();
    let weights = Tensor::<1>::from_data(TensorData::new(weights, [m]), (&device, DType::F32));
    let ids = [exclusions.groups(), sought.classes()].map(|ids| match ids {
        Some(ids) => ids.iter().map(|&id| i32::try_from(id).expect("few groups")).collect(),
        None => vec![0; images],
    });
    let ids = TensorData::new(ids.concat(), [2, images]);
    let ids = Tensor::<2, Int>::from_data(ids, (&device, DType::I32));
    let question = Question {
        images,
        // A scale of zero or infinity would turn 0 into NaN.
        scale: (problem.scale as f32).clamp(f32::MIN_POSITIVE, f32::MAX),
        partners_leave: exclusions.partners() == Partners::Leave,
        by_group: exclusions.groups().is_some(),
        by_class: sought.classes().is_some(),
    };

    let (z, weights, ids) =
        (z.clone().into_dispatch(), weights.into_dispatch(), ids.into_dispatch());
    let (terms, ranks, gradient) = if with_gradient {
        let (terms, ranks, gradient) = Dispatch::rows_with_gradient(z, weights, ids, question);
        (terms, ranks, Some(Tensor::from_dispatch(gradient)))
    } else {
        let (terms, ranks) = Dispatch::rows(z, weights, ids, question);
        (terms, ranks, None)
    };
    Answer {
        // Along its only dimension, in the same order every time: a sum of all elements may use atomics.
        value: Tensor::<1>::from_dispatch(terms).sum_dim(0),
        gradient,
        ranks: Some(Tensor::from_dispatch(ranks)),
    }
}

/// `z` `[m, d]`, weights `[m]`, groups and classes of the images `[2, images]` -> terms of the value `[m]`, ranks `[m]`, and
/// the gradient `[m, d]`.
#[backend_extension(Cube, Fusion: cfg(feature = "fusion"))]
pub(crate) trait RowsBackend: Backend {
    #[fusion(meta = |_z, weights, _ids, _question| (weights.clone(), weights.clone()))]
    fn rows(
        z: FloatTensor<Self>,
        weights: FloatTensor<Self>,
        ids: IntTensor<Self>,
        question: Question,
    ) -> (FloatTensor<Self>, FloatTensor<Self>);

    #[fusion(meta = |z, weights, _ids, _question| (weights.clone(), weights.clone(), z.clone()))]
    fn rows_with_gradient(
        z: FloatTensor<Self>,
        weights: FloatTensor<Self>,
        ids: IntTensor<Self>,
        question: Question,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);
}

impl RowsBackend for CubeBackend {
    fn rows(
        z: CubeTensor,
        weights: CubeTensor,
        ids: CubeTensor,
        question: Question,
    ) -> (CubeTensor, CubeTensor) {
        let sweep = Sweep::new(z, weights, ids, question);
        sweep.run();
        (sweep.terms, sweep.ranks)
    }

    fn rows_with_gradient(
        z: CubeTensor,
        weights: CubeTensor,
        ids: CubeTensor,
        question: Question,
    ) -> (CubeTensor, CubeTensor, CubeTensor) {
        let sweep = Sweep::new(z, weights, ids, question);
        let gradient = sweep.run_with_gradient();
        (sweep.terms, sweep.ranks, gradient)
    }
}
