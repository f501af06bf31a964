//! The gradients of squeeze and excitation.

use pulp::Arch;
use rayon::prelude::*;

use super::products::add_times;
use super::{Excitation, Kept, add};
use crate::kernels::exp::sigmoid;
use crate::kernels::norm::{block, folded, zeros};

/// The gradients of a layer's weights and bias.
pub(crate) struct LayerGradients {
    pub(crate) weights: Vec<f32>,
    pub(crate) bias: Vec<f32>,
}

impl Excitation<'_> {
    /// Turns `gradient` from the output's gradient into that of `images`, and returns those of the layers, `reduce` first.
    /// `kept` is what [`apply`](Self::apply) returned.
    pub(crate) fn gradients(
        &self,
        images: &[f32],
        kept: &[f32],
        gradient: &mut [f32],
    ) -> [LayerGradients; 2] {
        let of_image = self.pixels * self.channels();
        let of_layers: Vec<OfLayers> = gradient
            .par_chunks_mut(of_image)
            .zip(images.par_chunks(of_image))
            .zip(kept.par_chunks(self.kept_len()))
            .map(|((gradient, image), kept)| self.of_image(image, &self.kept(kept), gradient))
            .collect();
        let kept: Vec<_> = kept.chunks_exact(self.kept_len()).map(|kept| self.kept(kept)).collect();
        let hidden: Vec<Vec<f32>> = kept
            .iter()
            .map(|kept| kept.squeezed.iter().map(|&x| x * sigmoid(x)).collect())
            .collect();
        let reduce = of_layers.iter().zip(&kept).map(|(of, kept)| (&of.squeezed[..], kept.means));
        let expand =
            of_layers.iter().zip(&hidden).map(|(of, hidden)| (&of.factors[..], &hidden[..]));
        [layer_gradients(&reduce.collect::<Vec<_>>()), layer_gradients(&expand.collect::<Vec<_>>())]
    }

    /// Turns `gradient` into the gradient of one image.
    fn of_image(&self, image: &[f32], kept: &Kept<&[f32]>, gradient: &mut [f32]) -> OfLayers {
        let channels = self.channels();
        let mut products = vec![0.0; channels];
        let block = block(channels);
        for (gradient, image) in gradient.chunks(block).zip(image.chunks(block)) {
            add(&mut products, &block_products(gradient, image, channels));
        }
        // The sigmoid's gradient by its input is s (1 - s).
        let of_factors: Vec<f32> = products
            .iter()
            .zip(kept.factors)
            .map(|(product, factor)| *product as f32 * factor * (1.0 - factor))
            .collect();
        let mut of_squeezed = vec![0.0; self.squeezed()];
        let mut of_means = vec![0.0; channels];
        Arch::new().dispatch(
            #[inline(always)]
            || {
                let rows = self.expand.weights.chunks_exact(of_squeezed.len());
                for (&factor, row) in of_factors.iter().zip(rows) {
                    add_times(&mut of_squeezed, factor, row);
                }
                for (g, &x) in of_squeezed.iter_mut().zip(kept.squeezed) {
                    let sigmoid = sigmoid(x);
                    *g *= sigmoid + x * sigmoid * (1.0 - sigmoid);
                }
                let per_pixel = 1.0 / self.pixels as f32;
                for (&factor, row) in
                    of_squeezed.iter().zip(self.reduce.weights.chunks_exact(channels))
                {
                    add_times(&mut of_means, factor * per_pixel, row);
                }
                for gradient in gradient.chunks_exact_mut(channels) {
                    let coefficients = kept.factors.iter().zip(&of_means);
                    for (g, (factor, of_mean)) in gradient.iter_mut().zip(coefficients) {
                        *g = *g * factor + of_mean;
                    }
                }
            },
        );
        OfLayers { squeezed: of_squeezed, factors: of_factors }
    }
}

/// The gradients of what the layers give for one image.
struct OfLayers {
    squeezed: Vec<f32>,
    factors: Vec<f32>,
}

/// The sums over pixels of each channel's gradients times values.
fn block_products(gradient: &[f32], image: &[f32], channels: usize) -> Vec<f64> {
    let mut sums = zeros(channels);
    Arch::new().dispatch(
        #[inline(always)]
        || {
            let period = sums.len();
            for (gradient, image) in gradient.chunks(period).zip(image.chunks(period)) {
                for ((sum, &g), &x) in sums.iter_mut().zip(gradient).zip(image) {
                    *sum += g * x;
                }
            }
        },
    );
    folded(&sums, channels)
}

/// The gradients of a layer, from the gradients of its output and its inputs, image by image.
fn layer_gradients(images: &[(&[f32], &[f32])]) -> LayerGradients {
    let [outputs, inputs] =
        images.first().map_or([0, 0], |(gradient, input)| [gradient.len(), input.len()]);
    let mut weights = vec![0.0; outputs * inputs];
    weights.par_chunks_mut(inputs.max(1)).enumerate().for_each(|(output, row)| {
        Arch::new().dispatch(
            #[inline(always)]
            || {
                for (gradient, input) in images {
                    add_times(row, gradient[output], input);
                }
            },
        );
    });
    let bias = (0..outputs).map(|output| images.iter().map(|(g, _)| g[output]).sum()).collect();
    LayerGradients { weights, bias }
}
