//! The gradients of squeeze and excitation.

use pulp::Arch;
use rayon::prelude::*;

use super::products::{AddRows, ScaleAndShift, channel_sums};
use super::{Excitation, Kept, hidden};
use crate::kernels::exp::sigmoid;

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
        let hidden: Vec<Vec<f32>> = kept.iter().map(|kept| hidden(kept.squeezed)).collect();
        let reduce = of_layers.iter().zip(&kept).map(|(of, kept)| (&of.squeezed[..], kept.means));
        let expand =
            of_layers.iter().zip(&hidden).map(|(of, hidden)| (&of.factors[..], &hidden[..]));
        [layer_gradients(&reduce.collect::<Vec<_>>()), layer_gradients(&expand.collect::<Vec<_>>())]
    }

    /// Turns `gradient` into the gradient of one image.
    fn of_image(&self, image: &[f32], kept: &Kept<&[f32]>, gradient: &mut [f32]) -> OfLayers {
        let channels = self.channels();
        let products = channel_sums(gradient, Some(image), channels).into_iter().zip(kept.factors);
        // The sigmoid's gradient by its input is s (1 - s).
        let of_factors: Vec<f32> =
            products.map(|(product, factor)| product as f32 * factor * (1.0 - factor)).collect();
        let mut of_squeezed = vec![0.0; self.squeezed()];
        let rows = self.expand.weights.chunks_exact(of_squeezed.len());
        let rows = of_factors.iter().copied().zip(rows);
        Arch::new().dispatch(AddRows { rows, sums: &mut of_squeezed });
        for (g, &x) in of_squeezed.iter_mut().zip(kept.squeezed) {
            let sigmoid = sigmoid(x);
            *g *= sigmoid + x * sigmoid * (1.0 - sigmoid);
        }
        let mut of_means = vec![0.0; channels];
        let per_pixel = 1.0 / self.pixels as f32;
        let rows = of_squeezed.iter().map(|factor| factor * per_pixel);
        let rows = rows.zip(self.reduce.weights.chunks_exact(channels));
        Arch::new().dispatch(AddRows { rows, sums: &mut of_means });
        let (factors, shifts) = (kept.factors, &of_means[..]);
        Arch::new().dispatch(ScaleAndShift { pixels: gradient, factors, shifts });
        OfLayers { squeezed: of_squeezed, factors: of_factors }
    }
}

/// The gradients of what the layers give for one image.
struct OfLayers {
    squeezed: Vec<f32>,
    factors: Vec<f32>,
}

/// The gradients of a layer, from the gradients of its output and its inputs, image by image.
fn layer_gradients(images: &[(&[f32], &[f32])]) -> LayerGradients {
    let [outputs, inputs] =
        images.first().map_or([0, 0], |(gradient, input)| [gradient.len(), input.len()]);
    let mut weights = vec![0.0; outputs * inputs];
    weights.par_chunks_mut(inputs.max(1)).enumerate().for_each(|(output, row)| {
        let rows = images.iter().map(|(gradient, input)| (gradient[output], *input));
        Arch::new().dispatch(AddRows { rows, sums: row });
    });
    let bias = (0..outputs).map(|output| images.iter().map(|(g, _)| g[output]).sum()).collect();
    LayerGradients { weights, bias }
}
