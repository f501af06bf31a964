//! Squeeze and excitation: a factor for every channel of an image, which depends on the means of all of its channels.

mod gradient;
mod products;

use pulp::Arch;
use rayon::prelude::*;

pub(crate) use self::gradient::LayerGradients;
use self::products::{RowProducts, Scaled, Sigmoids, channel_sums};
use super::exp::sigmoid;

/// A fully connected layer: weights `[outputs, inputs]`, and a bias.
#[derive(Clone, Copy)]
pub(crate) struct Layer<'a> {
    pub(crate) weights: &'a [f32],
    pub(crate) bias: &'a [f32],
}

/// The factors of an image's channels: sigmoid(expand(silu(reduce(means)))).
#[derive(Clone, Copy)]
pub(crate) struct Excitation<'a> {
    /// From the channels to fewer.
    pub(crate) reduce: Layer<'a>,
    /// And back.
    pub(crate) expand: Layer<'a>,
    /// Pixels of an image.
    pub(crate) pixels: usize,
}

/// What the gradients need of one image, as parts of one slice.
struct Kept<T> {
    /// Of the channels.
    means: T,
    /// What the first layer gives.
    squeezed: T,
    /// Of the channels.
    factors: T,
}

impl Excitation<'_> {
    fn channels(&self) -> usize {
        self.expand.bias.len()
    }

    fn squeezed(&self) -> usize {
        self.reduce.bias.len()
    }

    /// Numbers that are kept of an image.
    fn kept_len(&self) -> usize {
        2 * self.channels() + self.squeezed()
    }

    /// The images `[n, pixels, channels]` times their factors, into `output`. Returns what the gradients need.
    pub(crate) fn apply(&self, images: &[f32], output: &mut [f32]) -> Vec<f32> {
        let of_image = self.pixels * self.channels();
        let mut kept = vec![0.0; images.len() / of_image * self.kept_len()];
        let results = output.par_chunks_mut(of_image).zip(kept.par_chunks_mut(self.kept_len()));
        results.zip(images.par_chunks(of_image)).for_each(|((output, kept), image)| {
            let (means, rest) = kept.split_at_mut(self.channels());
            let (squeezed, factors) = rest.split_at_mut(self.squeezed());
            self.factors(image, Kept { means, squeezed, factors: &mut *factors });
            Arch::new().dispatch(Scaled { pixels: image, factors, result: output });
        });
        kept
    }

    fn factors(&self, image: &[f32], kept: Kept<&mut [f32]>) {
        let Kept { means, squeezed, factors } = kept;
        let sums = channel_sums(image, None, self.channels());
        for (mean, sum) in means.iter_mut().zip(sums) {
            *mean = (sum / self.pixels as f64) as f32;
        }
        self.reduce.apply(means, squeezed);
        self.expand.apply(&hidden(squeezed), factors);
        Arch::new().dispatch(Sigmoids(factors));
    }

    /// The parts of what was kept of one image.
    fn kept<'k>(&self, kept: &'k [f32]) -> Kept<&'k [f32]> {
        let (means, rest) = kept.split_at(self.channels());
        let (squeezed, factors) = rest.split_at(self.squeezed());
        Kept { means, squeezed, factors }
    }
}

impl Layer<'_> {
    fn apply(&self, input: &[f32], output: &mut [f32]) {
        let Self { weights: matrix, bias, .. } = *self;
        Arch::new().dispatch(RowProducts { matrix, vector: input, result: &mut *output });
        for (y, b) in output.iter_mut().zip(bias) {
            *y += b;
        }
    }
}

/// `SiLU` of what the first layer gives.
fn hidden(squeezed: &[f32]) -> Vec<f32> {
    squeezed.iter().map(|&x| x * sigmoid(x)).collect()
}
