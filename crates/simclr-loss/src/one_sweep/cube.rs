//! The sweep on the backends of `CubeCL`: wgpu, Vulkan, Metal, CUDA.
//!
//! One kernel scales all rows to length one. A block of R rows then meets all m rows at once, so that each of its
//! denominators is complete, and one sweep is enough:
//!
//! ```text
//! S  = u_R uᵀ                      [R, m]   Burn's matrix product
//! S -> P                                    one kernel: maxima, denominators, positives, ranks, and the gradient's weights
//! gradient of the block's rows  += P u      Burn's matrix product
//! gradient of all rows          += Pᵀ u_R   Burn's matrix product, and one kernel that adds both
//! ```
//!
//! P holds `w_i / t` times the softmax of row i, less `w_i / t` shared among the positives. That is 3 m² d multiply-adds, of
//! which the device's matrix units do all, and five launches a block. S and P are one buffer of at most 128 MiB, the only
//! memory beside a few `[m, d]`. A last kernel takes the gradient back through the rows' lengths.
//! `docs/adr/0013-one-sweep-over-rows-on-gpus.md` has the ways that were weighed.

mod add_block;
mod lengths;
mod node;
mod pairs;
mod sweep;
mod workgroup;

use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::backend::{Backend, Dispatch, DispatchDevice, backend_extension};
use burn::tensor::{DType, Int, Tensor, TensorData};
use burn_cubecl::CubeBackend;
use burn_cubecl::tensor::CubeTensor;
use simclr_traffic::send;

use self::sweep::{Question, Sweep};
use crate::exclusions::{Exclusions, Partners};
use crate::log_denominators::{Denominators, Problem};
use crate::ranks::Sought;
use crate::two_view_loss::LossAndRanks;
use crate::views::in_f32_or_f64;

/// All rows, `[views * n, d]`, if [`solve`] runs where they are.
pub(super) fn rows(views: &[Tensor<2>]) -> Option<Tensor<2>> {
    let first = views.first()?;
    let device = first.clone().without_autodiff().device();
    let is_cube = matches!(device.as_dispatch(), DispatchDevice::Cube(_));
    let supported = is_cube && first.dtype() != DType::F64;
    supported.then(|| in_f32_or_f64(Tensor::cat(views.to_vec(), 0)))
}

/// How many views are nearer to each row of `z` than what it seeks, `[m]`.
pub(super) fn ranks(z: Tensor<2>, views: usize, sought: &Sought) -> Tensor<1> {
    let [m, _] = z.dims();
    let exclusions = Exclusions::of_distinct_images(m / views, views, Partners::Stay);
    let denominators = Denominators { scale: 1.0, exclusions };
    let of_nothing = Problem { denominators, weights: vec![0.0; m] };
    solve(&of_nothing, z, sought).ranks
}

/// Loss, differentiable by `z`, and ranks. The rows of `z` have any length.
pub(super) fn solve(problem: &Problem, z: Tensor<2>, sought: &Sought) -> LossAndRanks {
    let (device, exclusions) = (z.device(), &problem.denominators.exclusions);
    let (m, images) = (exclusions.rows(), exclusions.images());
    let weights: Vec<f32> = problem.weights.iter().map(|&weight| weight as f32).collect();
    let weights: Tensor<1> = send(TensorData::new(weights, [m]), (&device, DType::F32));
    let ids = [exclusions.groups(), sought.classes()].map(|ids| match ids {
        Some(ids) => ids.iter().map(|&id| i32::try_from(id).expect("few groups")).collect(),
        None => vec![0; images],
    });
    let ids = TensorData::new(ids.concat(), [2, images]);
    let ids: Tensor<2, Int> = send(ids, (&device, DType::I32));
    let question = Question {
        images,
        // A scale of zero or infinity would turn 0 into NaN.
        scale: (problem.denominators.scale as f32).clamp(f32::MIN_POSITIVE, f32::MAX),
        partners_leave: exclusions.partners() == Partners::Leave,
        by_group: exclusions.groups().is_some(),
        by_class: sought.classes().is_some(),
    };

    let (loss, ranks) = Dispatch::contrast(
        z.into_dispatch(),
        weights.into_dispatch(),
        ids.into_dispatch(),
        question,
    );
    LossAndRanks {
        loss: Tensor::from_dispatch(loss),
        ranks: Tensor::<1>::from_dispatch(ranks).without_autodiff(),
    }
}

/// `z` `[m, d]`, weights `[m]`, groups and classes of the images `[2, images]` -> loss `[1]` and ranks `[m]`.
#[backend_extension(Autodiff, Cube, Fusion: cfg(feature = "fusion"))]
pub(crate) trait ContrastBackend: Backend {
    #[fusion(meta = |_z, weights, _ids, _question| (one(weights), weights.clone()))]
    fn contrast(
        z: FloatTensor<Self>,
        weights: FloatTensor<Self>,
        ids: IntTensor<Self>,
        question: Question,
    ) -> (FloatTensor<Self>, FloatTensor<Self>);
}

/// As [`ContrastBackend`], with the loss's gradient by `z`, `[m, d]`.
#[backend_extension(Cube, Fusion: cfg(feature = "fusion"))]
pub(crate) trait ContrastGradientBackend: Backend {
    #[fusion(meta = |z, weights, _ids, _question| (one(weights), weights.clone(), z.clone()))]
    fn contrast_with_gradient(
        z: FloatTensor<Self>,
        weights: FloatTensor<Self>,
        ids: IntTensor<Self>,
        question: Question,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);
}

/// One number of the type of `like`.
#[cfg(feature = "fusion")]
fn one(
    like: &burn::backend::fusion::custom::TensorSpec,
) -> burn::backend::fusion::custom::TensorSpec {
    burn::backend::fusion::custom::TensorSpec::new([1].into(), like.dtype)
}

impl ContrastBackend for CubeBackend {
    fn contrast(
        z: CubeTensor,
        weights: CubeTensor,
        ids: CubeTensor,
        question: Question,
    ) -> (CubeTensor, CubeTensor) {
        let sweep = Sweep::new(z, weights, ids, question);
        sweep.run();
        sweep.loss_and_ranks()
    }
}

impl ContrastGradientBackend for CubeBackend {
    fn contrast_with_gradient(
        z: CubeTensor,
        weights: CubeTensor,
        ids: CubeTensor,
        question: Question,
    ) -> (CubeTensor, CubeTensor, CubeTensor) {
        let sweep = Sweep::new(z, weights, ids, question);
        let gradient = sweep.run_with_gradient();
        let (loss, ranks) = sweep.loss_and_ranks();
        (loss, ranks, gradient)
    }
}
