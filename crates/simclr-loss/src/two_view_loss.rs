//! The trait that training asks a loss to have.

use std::fmt::Debug;

use burn::tensor::Tensor;

use crate::{DecoupledNtXent, NaiveNtXent, NtXent, TiledNtXent, VectorizedNtXent, partner_ranks};

/// A loss, and how well each anchor finds what it seeks.
#[derive(Debug, Clone)]
pub struct LossAndRanks {
    /// The mean loss of the batch, `[1]`.
    pub loss: Tensor<1>,
    /// For each anchor the number of views that are nearer than the one it is to find, as
    /// [`partner_ranks`](crate::partner_ranks) or [`class_ranks`](crate::class_ranks) counts them, without autodiff.
    pub ranks: Tensor<1>,
}

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

    /// [`forward`](Self::forward) and [`partner_ranks`](crate::partner_ranks) of the same views: training asks for both in
    /// every step.
    ///
    /// [`NtXent`], [`TiledNtXent`] and [`DecoupledNtXent`] find both in the same similarities on GPUs. The others compute
    /// one after the other, and so does a loss of yours that leaves this method as it is.
    #[must_use]
    fn forward_with_ranks(&self, z_a: Tensor<2>, z_b: Tensor<2>) -> LossAndRanks {
        let ranks = partner_ranks(z_a.clone(), z_b.clone());
        LossAndRanks { loss: self.forward(z_a, z_b), ranks }
    }
}

macro_rules! forward_to_the_method_of_the_same_name {
    ($loss:ty: $($method:ident -> $output:ty),*) => {
        impl TwoViewLoss for $loss {
            $(fn $method(&self, z_a: Tensor<2>, z_b: Tensor<2>) -> $output {
                <$loss>::$method(self, z_a, z_b)
            })*
        }
    };
}

forward_to_the_method_of_the_same_name!(NaiveNtXent: forward -> Tensor<1>);
forward_to_the_method_of_the_same_name!(VectorizedNtXent: forward -> Tensor<1>);
forward_to_the_method_of_the_same_name!(NtXent: forward -> Tensor<1>, forward_with_ranks -> LossAndRanks);
forward_to_the_method_of_the_same_name!(TiledNtXent: forward -> Tensor<1>, forward_with_ranks -> LossAndRanks);
forward_to_the_method_of_the_same_name!(DecoupledNtXent: forward -> Tensor<1>, forward_with_ranks -> LossAndRanks);
