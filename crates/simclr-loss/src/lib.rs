//! Contrastive losses on [Burn](https://burn.dev): two views' projections in, one number out.
//!
//! Show a network two random views of each of n images, and ask it, for each view, which of the
//! other 2n - 1 is its partner. The cross-entropy of that guess is NT-Xent, the loss of SimCLR
//! ([Chen et al. 2020](https://arxiv.org/abs/2002.05709)). Minimising it pulls the two views of an
//! image together and pushes all others apart, which needs no labels.
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
//! # Ok::<(), simclr_loss::TemperatureError>(())
//! ```
//!
//! # Which one
//!
//! | type | for |
//! |---|---|
//! | [`NtXent`] | training: picks the form that suits the batch |
//! | [`VectorizedNtXent`] | the whole similarity matrix in one product |
//! | [`NaiveNtXent`] | reading, and checking the others; [`explain`](NaiveNtXent::explain) shows every number |
//!
//! All take one tensor per view, row i of each from image i, so that a wrong interleaving of the
//! views cannot be written down. They run wherever the tensors are; without autodiff no gradient is
//! computed.

mod exclusions;
mod explanation;
mod log_denominators;
mod naive;
mod nt_xent;
mod temperature;
mod tiled;
mod vectorized;
mod views;

pub use explanation::{Anchor, Explanation};
pub use naive::NaiveNtXent;
pub use nt_xent::NtXent;
pub use temperature::{Temperature, TemperatureError};
pub use tiled::TiledNtXent;
pub use vectorized::VectorizedNtXent;
