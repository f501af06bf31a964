//! A classifier as an ONNX graph.

use burn::tensor::Tensor;
use simclr_embed::OnnxOptions;
use simclr_model::Encoder;
use simclr_onnx::{Dimension, Graph, ToOnnx, Weights};

use super::Classifier;
use super::file::CLASSES_KEY;

impl<E: Encoder<Input = Tensor<4>> + ToOnnx> Classifier<E> {
    /// The classifier as an ONNX graph.
    ///
    /// # Shapes
    ///
    /// - input and output `features`: those of [`Embedder::to_onnx`](simclr_embed::Embedder::to_onnx)
    /// - output `probabilities`: f32, `[n, classes]`, each row sums to 1
    ///
    /// The metadata say the names of the classes in `simclr.class_names`, a JSON list.
    #[must_use]
    pub fn to_onnx(&self, options: OnnxOptions) -> Graph {
        let (mut graph, features) = self.embedder().to_onnx(options);
        let (layer, names) = (self.layer(), self.class_names());
        let weight =
            Weights::new([layer.classes(), layer.feature_size()], layer.weights().to_vec());
        // f16 ends at 65504: a class that is never likely needs no more.
        let least = if options.half { LEAST_OF_HALF } else { f32::MIN };
        let biases = layer.biases().iter().map(|bias| bias.max(least)).collect();
        let scores = graph.linear(&features, "classifier", &weight.transposed(), Some(biases));
        let probabilities = graph.softmax(&scores);
        let shape = [Dimension::Named("n"), Dimension::Fixed(layer.classes())];
        graph.output("probabilities", &probabilities, &shape);
        graph.describe(CLASSES_KEY, serde_json::Value::from(names).to_string());
        graph
    }
}

/// A score whose probability is zero beside any other in f16.
const LEAST_OF_HALF: f32 = -6e4;
