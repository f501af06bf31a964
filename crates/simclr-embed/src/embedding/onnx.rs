//! An encoder as an ONNX graph.

use burn::tensor::Tensor;
use simclr_augment::Normalization;
use simclr_model::Encoder;
use simclr_onnx::{Dimension, Graph, ToOnnx, Value, Weights};

use super::embedder::Embedder;
use super::embedder_file::EmbedderFile;

/// How an encoder is written as ONNX.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OnnxOptions {
    /// Whether the graph takes pixels as they are, and normalises them itself.
    ///
    /// The input is then `pixels`, u8, `[n, height, width, 3]`, red, green and blue from 0 to 255; without it `images`, f32,
    /// `[n, 3, height, width]`, normalised. Height and width are the transform's size either way: images are cut and
    /// resized before.
    pub with_preprocessing: bool,
    /// Whether weights are f16, which halves the file. Inputs and outputs stay as they are.
    pub half: bool,
}

impl<E: Encoder<Input = Tensor<4>> + ToOnnx> Embedder<E> {
    /// The encoder as an ONNX graph, and its features in it, for a layer on top of them.
    ///
    /// # Shapes
    ///
    /// - input: as [`OnnxOptions::with_preprocessing`] says, for any `n`
    /// - output `features`: f32, `[n, feature_size]`
    ///
    /// The graph's metadata are those of an [`EmbedderFile`](crate::EmbedderFile): the encoder's name, and the transform
    /// with size and normalisation.
    ///
    /// ```
    /// use burn::tensor::Device;
    /// use simclr_augment::SimClrAugmentation;
    /// use simclr_embed::{Embedder, OnnxOptions};
    /// use simclr_model::EncoderConfig;
    ///
    /// let device = Device::flex();
    /// let config: EncoderConfig = "resnet18x0.25_cifar".parse()?; // or `Embedder::open("runs/1", &device)?`
    /// let transform = SimClrAugmentation::cifar10().evaluation();
    /// let embedder = Embedder::new(config.init(0, &device)?, transform, &device);
    ///
    /// let options = OnnxOptions { with_preprocessing: true, ..OnnxOptions::default() };
    /// let (graph, _) = embedder.to_onnx(options);
    /// let file: Vec<u8> = graph.into_bytes()?;
    /// # assert!(file.len() > 1000);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn to_onnx(&self, options: OnnxOptions) -> (Graph, Value) {
        let mut graph = if options.half { Graph::in_half() } else { Graph::new() };
        let transform = self.transform();
        let (n, side) = (Dimension::Named("n"), Dimension::Fixed(transform.size() as usize));
        let channels = Dimension::Fixed(3);
        let images = if options.with_preprocessing {
            let pixels = graph.input_of_bytes("pixels", &[n, side, side, channels]);
            normalised(&mut graph, &pixels, transform.normalization())
        } else {
            graph.input("images", &[n, channels, side, side])
        };
        let features = self.encoder().to_onnx(&mut graph, &images);
        graph.output("features", &features, &[n, Dimension::Fixed(self.feature_size())]);
        for (key, value) in EmbedderFile::metadata(self.config(), transform) {
            graph.describe(&key, value);
        }
        (graph, features)
    }
}

/// Channels last from 0 to 255 as `[n, 3, height, width]`, normalised.
fn normalised(graph: &mut Graph, pixels: &Value, normalization: &Normalization) -> Value {
    let Normalization { mean, std } = normalization;
    let factors = std.map(|std| 1.0 / (255.0 * std)).to_vec();
    let shifts = [0, 1, 2].map(|channel| -mean[channel] / std[channel]).to_vec();
    let factors = graph.weights("pixel_factors", &Weights::new([3], factors));
    let shifts = graph.weights("pixel_shifts", &Weights::new([3], shifts));
    let scaled = graph.product(pixels, &factors);
    let shifted = graph.sum(&scaled, &shifts);
    graph.transpose(&shifted, &[0, 3, 1, 2])
}
