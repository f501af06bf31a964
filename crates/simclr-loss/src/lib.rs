//! Contrastive losses on [Burn](https://burn.dev): two views' projections in, one number out.
//!
//! Show a network two random views of each of n images, and ask it, for each view, which of the
//! other 2n - 1 is its partner. The cross-entropy of that guess is NT-Xent, the loss of SimCLR
//! ([Chen et al. 2020](https://arxiv.org/abs/2002.05709)). A step that lowers it pulls the two views of
//! an image together and pushes all others apart, without labels.
//!
//! ```
//! use burn::tensor::{Device, Tensor};
//! use simclr_loss::NtXent;
//!
//! let device = Device::flex().autodiff();
//! let z_a = Tensor::<2>::from_data([[1.0, 0.1], [0.2, 1.0]], &device).require_grad();
//! let z_b = Tensor::<2>::from_data([[0.9, 0.2], [0.1, 0.8]], &device).require_grad();
//!
//! let loss = NtXent::new(0.5)?.forward(z_a.clone(), z_b.clone());
//! let gradients = loss.backward();
//! assert_eq!(z_a.grad(&gradients).expect("z_a requires a gradient").dims(), [2, 2]);
//! # Ok::<(), simclr_loss::OutOfRange>(())
//! ```
//!
//! # Which one
//!
//! | type | use it for |
//! |---|---|
//! | [`NtXent`] | training: it picks the form that suits the batch, and takes [batches with an image twice](NtXent::forward_with_ids) |
//! | [`TiledNtXent`] | large batches: value and gradient in O(n d) memory, tile by tile |
//! | [`VectorizedNtXent`] | small batches: the whole similarity matrix in one product |
//! | [`NaiveNtXent`] | reading, and checking the others; [`explain`](NaiveNtXent::explain) shows every number |
//! | [`PolyView`] | more than two views of each image: positives are told apart from other images alone |
//! | [`DecoupledNtXent`] | small batches that learn too slowly: the positive leaves the denominator |
//! | [`SupCon`] | labels: all samples of a class are positives |
//!
//! All take one tensor per view, row i of each from image i, so that a wrong interleaving of the
//! views cannot be written down. They run on the device of the tensors, and compute a gradient only
//! under autodiff. The losses of two views share a trait, [`TwoViewLoss`].
//!
//! # What all have in common
//!
//! - **A temperature that is checked once.** It has no default: the published ones disagree.
//! - **Projections of any length.** Each row is scaled to length one; a row of zeros has similarity 0
//!   to everything and gets no gradient.
//! - **f32 inside.** For f16 and bf16 projections they compute in f32; f64 stays f64.
//! - **Low temperatures.** The exponents are shifted so that nothing overflows and no denominator
//!   underflows, at 0.01 and below too.
//! - **The same digits every time.** No sum depends on the number of threads.
//! - **Plain types, no Burn modules.** A loss has no parameters that an optimiser could update, a
//!   record could store or a device could hold; as plain types, losses are `Copy`, `Send` and `Sync`, and
//!   serde reads and writes them.
//!
//! # How the tiled form works
//!
//! The similarities of 2n views are a symmetric 2n x 2n matrix: 256 MiB at n = 4096 in f32, and
//! autodiff would keep several of them. But the loss needs only its row sums, and its gradient is known
//! in closed form:
//!
//! ```text
//! D_i     = sum_{k != i} exp(s_ik)
//! dL/dz_i = 1/(2n t) ( sum_k (1/D_i + 1/D_k) exp(s_ik) z_k  -  2 z_j )      j: the partner of i
//! ```
//!
//! The gradient waits in the graph as a constant, which the backward pass scales by the gradient from
//! downstream; it has no derivative of its own. For second derivatives take [`VectorizedNtXent`], which is
//! differentiable throughout.
//!
//! On Burn's flex backend (the crate's default feature `flex`) one sweep over the tiles on and above the diagonal
//! finds the denominators, and a second one computes each tile again and multiplies it into the gradient. The
//! tiles never leave a core's cache: products, exponentials and sums use explicit vector types, AVX-512, AVX2
//! or NEON as the machine has it.
//!
//! On GPUs (the feature `cube`, with one of Burn's backends wgpu, vulkan, metal or cuda, and `fusion` if Burn's is on)
//! a block of rows, of 128 MiB at most, meets all rows at once, so that one sweep is enough: three matrix products of
//! Burn's and two kernels a block. Lengths and positives are in kernels, too, and the loss is one node of the graph.
//! Elsewhere the same sweep is tensor operations.
//!
//! # Where to go next
//!
//! - Guide: [the losses in the facade](https://docs.rs/simclr/latest/simclr/loss/index.html) carry the guide, from two
//!   loops to tiles, with the label mask, the temperature and losses of your own; [what they
//!   cost](https://docs.rs/crate/simclr/latest/source/docs/nt-xent-cost.md).
//! - Example: [`nt_xent_explained`](https://docs.rs/crate/simclr/latest/source/examples/nt_xent_explained/main.rs) prints
//!   every number, of your vectors too.
//! - Beside it: [`simclr-model`](https://docs.rs/simclr-model) makes the projections,
//!   [`simclr-train`](https://docs.rs/simclr-train) trains with these losses or with yours, and
//!   [`simclr`](https://docs.rs/simclr) is all of it under one roof.

mod class_ranks;
mod decoupled;
mod exclusions;
mod groups;
mod log_denominators;
mod nt_xent;
mod one_sweep;
mod partner_ranks;
mod poly_view;
mod ranks;
mod row_ids;
mod sup_con;
mod temperature;
mod two_view_loss;
mod views;

pub use class_ranks::class_ranks;
pub use decoupled::DecoupledNtXent;
pub use nt_xent::{Anchor, Explanation, NaiveNtXent, NtXent, TiledNtXent, VectorizedNtXent};
pub use partner_ranks::partner_ranks;
pub use poly_view::{PolyView, PolyViewForm};
pub use simclr_range::OutOfRange;
pub use sup_con::SupCon;
pub use temperature::Temperature;
pub use two_view_loss::{LossAndRanks, TwoViewLoss};

/// The code of the crate's README is tested.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
