//! The trait that training asks a loss to have.

use std::fmt::Debug;

use burn::tensor::Tensor;

use crate::{DecoupledNtXent, NaiveNtXent, NtXent, TiledNtXent, VectorizedNtXent};

/// A loss of two views' projections: training takes any type with this trait, yours included.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use simclr_loss::{DecoupledNtXent, NtXent, TwoViewLoss};
///
/// let losses: [Box<dyn TwoViewLoss>; 2] =
///     [Box::new(NtXent::new(0.5)?), Box::new(DecoupledNtXent::new(0.5)?)];
/// let z = Tensor::<2>::from_data([[1.0, 0.0], [0.0, 1.0]], &Device::flex());
/// for loss in losses {
///     assert_eq!(loss.forward(z.clone(), z.clone()).dims(), [1]);
/// }
/// # Ok::<(), simclr_loss::OutOfRange>(())
/// ```
pub trait TwoViewLoss: Debug + Send + Sync {
    /// The mean loss of the batch.
    ///
    /// # Shapes
    ///
    /// - `z_a`, `z_b`: `[n, d]`, projections of the two views, of any length; row i of each comes
    ///   from image i
    /// - output: `[1]`
    ///
    /// # Panics
    ///
    /// If the shapes differ, or n or d is zero.
    #[must_use]
    fn forward(&self, z_a: Tensor<2>, z_b: Tensor<2>) -> Tensor<1>;
}

macro_rules! forward_to_the_method_of_the_same_name {
    ($($loss:ty),*) => {$(
        impl TwoViewLoss for $loss {
            fn forward(&self, z_a: Tensor<2>, z_b: Tensor<2>) -> Tensor<1> {
                <$loss>::forward(self, z_a, z_b)
            }
        }
    )*};
}

forward_to_the_method_of_the_same_name!(
    NtXent,
    NaiveNtXent,
    VectorizedNtXent,
    TiledNtXent,
    DecoupledNtXent
);
