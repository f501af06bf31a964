//! The part of a step that one device does.

use burn::module::Module;
use burn::optim::{GradientsAccumulator, GradientsParams};
use burn::tensor::{Device, Tensor};
use simclr_model::Encoder;

use crate::engine::packed::Packed;
use crate::engine::precision::Precision;
use crate::engine::running_statistics::running_statistics;

/// The chunks of a step that one device encodes, and its copy of the encoder.
pub(crate) struct DeviceShare<E: Encoder> {
    encoder: E,
    precision: Precision,
    /// The inputs of the chunks that are to be encoded again, with a graph.
    inputs: Vec<Vec<E::Input>>,
    /// If the device has one chunk alone: its features with their graph, and the encoder that they came from.
    graph: Option<(Tensor<2>, E)>,
}

/// What a device adds to a step.
pub(crate) struct Contribution {
    /// The sum over the device's chunks of the gradients by the encoder's parameters; `None` if none has a gradient.
    pub(crate) gradients: Option<Packed>,
    /// The sum of the running statistics that the encoder has after each chunk; `None` if it has none.
    pub(crate) statistics: Option<Packed>,
}

impl<E: Encoder> DeviceShare<E> {
    /// The share of a device with a copy of `encoder`.
    pub(crate) fn new(encoder: &E, precision: Precision) -> Self {
        Self { encoder: replica(encoder), precision, inputs: Vec::new(), graph: None }
    }

    /// Begins a step on `device` with these weights and running statistics.
    pub(crate) fn begin(&mut self, weights: Option<&Packed>, device: &Device) {
        self.inputs.clear();
        self.graph = None;
        let encoder = self.encoder.clone().fork(device);
        self.encoder = match weights {
            Some(weights) => weights.to_device(device).write_to(encoder),
            None => encoder,
        };
    }

    /// The features of a chunk without a graph, by the batch statistics of training.
    ///
    /// If the chunk is the device's only one, the share keeps the graph, so that
    /// [`differentiate`](Self::differentiate) needs no second forward pass; else it keeps the input.
    pub(crate) fn encode(&mut self, inputs: Vec<E::Input>, is_only_chunk: bool) -> Tensor<2> {
        let encoder = replica(&self.encoder);
        if is_only_chunk {
            let features = self.precision.encode_all(&encoder, inputs);
            self.graph = Some((features.clone(), encoder));
            features.without_autodiff()
        } else {
            self.inputs.push(inputs.clone());
            self.precision.encode_all(&encoder.no_grad(), inputs).without_autodiff()
        }
    }

    /// Sends dL/dh of each chunk, in the order of [`encode`](Self::encode), back through the encoder.
    pub(crate) fn differentiate(&mut self, by_features: Vec<Tensor<2>>) -> Contribution {
        let mut sum = GradientsAccumulator::new();
        let mut statistics: Option<Packed> = None;
        let mut of_chunks = std::mem::take(&mut self.inputs).into_iter();
        for by_features in by_features {
            let (features, encoder) = self.graph.take().unwrap_or_else(|| {
                let inputs = of_chunks.next().expect("every chunk was encoded");
                let encoder = replica(&self.encoder);
                (self.precision.encode_all(&encoder, inputs), encoder)
            });
            let by_features = by_features.to_device(&features.device().inner());
            // Its gradient by the features is dL/dh.
            let linear = (features * by_features).sum();
            sum.accumulate(&encoder, GradientsParams::from_grads(linear.backward(), &encoder));
            let of_chunk = Packed::of(running_statistics(&encoder.valid()));
            statistics = Packed::sum(statistics, of_chunk);
        }
        Contribution { gradients: Packed::of_gradients(&self.encoder, sum.grads()), statistics }
    }
}

impl Contribution {
    pub(crate) fn to_device(&self, device: &Device) -> Self {
        let moved = |packed: &Option<Packed>| packed.as_ref().map(|p| p.to_device(device));
        Self { gradients: moved(&self.gradients), statistics: moved(&self.statistics) }
    }
}

/// A copy that shares neither graph nor running statistics with the original.
fn replica<E: Module>(encoder: &E) -> E {
    encoder.valid().train()
}
