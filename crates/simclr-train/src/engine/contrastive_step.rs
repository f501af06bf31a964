//! One step of SimCLR, for any batch size and any number of devices.

use burn::module::Module;
use burn::optim::{GradientsAccumulator, GradientsParams};
use burn::tensor::{Device, Tensor};
use simclr_model::{Encoder, ProjectionHead, SimClr};

use crate::engine::batch_loss::BatchLoss;
use crate::engine::buffer_mean::BufferMean;
use crate::engine::precision::Precision;
use crate::error::TrainError;
use crate::views::view_source::{LabelledViews, TwoViews};

/// Computes the gradients of a step.
///
/// A batch that fits is embedded with a graph and differentiated in one piece. A larger one comes in
/// chunks, and only one chunk per device is in the graph at a time:
///
/// 1. every chunk is encoded, and only its features h are kept;
/// 2. the head and the loss see the features of all chunks, which gives the loss's gradient dL/dh;
/// 3. every chunk is encoded once more, with a graph, and dL/dh is sent back through it.
///
/// By the chain rule the sum of the chunks' gradients is the gradient of the whole batch. The loss contrasts each
/// anchor with all 2n - 1 other views, and the head's batch normalisation sees them all. Only batch normalisation
/// inside the encoder sees one chunk; its running statistics move once a step, by the chunks' mean. The price is a
/// second forward pass (Gao et al. 2021, "`GradCache`").
pub(crate) struct ContrastiveStep {
    pub(crate) loss: BatchLoss,
    /// The number format that the encoder computes in.
    pub(crate) precision: Precision,
    /// The devices that encode the chunks, in turn. The first also holds the parameters, and runs head and loss.
    pub(crate) devices: Vec<Device>,
}

/// The results of a step, detached from the graph and still on the device.
pub(crate) struct StepOutput {
    /// The batch's mean loss, `[1]`.
    pub(crate) loss: Tensor<1>,
    /// For each of 2n anchors, how many other views are nearer than the one that it is to find, `[2n]`.
    pub(crate) ranks: Tensor<1>,
    /// Features: view a of all examples, then view b, `[2n, feature_size]`.
    pub(crate) features: Tensor<2>,
    /// Projections of the features, `[2n, output_size]`.
    pub(crate) projections: Tensor<2>,
    /// The number of examples, n.
    pub(crate) examples: usize,
}

impl ContrastiveStep {
    /// The gradient of every parameter of `model`; `None` if no example could be read.
    pub(crate) fn run<E: Encoder>(
        &self,
        model: &SimClr<E>,
        mut chunks: impl Iterator<Item = Result<LabelledViews<E::Input>, TrainError>>,
        chunks_per_step: usize,
    ) -> Result<Option<(GradientsParams, StepOutput)>, TrainError> {
        if chunks_per_step > 1 {
            return self.in_chunks(model, chunks);
        }
        let batch = chunks.next().transpose()?;
        Ok(batch.map(|batch| self.at_once(model, batch)))
    }

    /// The gradient of every parameter of `model`, for a batch that fits.
    pub(crate) fn at_once<E: Encoder>(
        &self,
        model: &SimClr<E>,
        LabelledViews { views, labels }: LabelledViews<E::Input>,
    ) -> (GradientsParams, StepOutput) {
        let features = self.precision.encode(&model.encoder, views.input);
        let (loss, output) = self.contrast(&model.head, features, labels.as_deref());
        (self.precision.gradients(&loss, model), output)
    }

    /// The loss where the projections of all `examples` examples are alike.
    pub(crate) fn chance_level(&self, examples: usize) -> f64 {
        self.loss.chance_level(examples, &self.devices[0])
    }

    fn in_chunks<E: Encoder>(
        &self,
        model: &SimClr<E>,
        chunks: impl Iterator<Item = Result<LabelledViews<E::Input>, TrainError>>,
    ) -> Result<Option<(GradientsParams, StepOutput)>, TrainError> {
        let encoders: Vec<E> =
            self.devices.iter().map(|device| replica(&model.encoder).fork(device)).collect();
        let EncodedChunks { views, labels, features } = self.encode_chunks(&encoders, chunks)?;
        if views.is_empty() {
            return Ok(None);
        }
        let features = by_view(&features, &views).require_grad();
        let (loss, output) = self.contrast(&model.head, features.clone(), labels.as_deref());
        let mut gradients = loss.backward();
        let by_features = features.grad(&gradients).expect("the loss depends on the features");

        let mut sum = GradientsAccumulator::new();
        sum.accumulate(model, GradientsParams::from_module(&mut gradients, &model.head));
        let by_features = by_chunk(&by_features, &views);
        let chunks = views.into_iter().zip(by_features);
        self.differentiate_chunks(model, &encoders, chunks, &mut sum)?;
        Ok(Some((sum.grads(), output)))
    }

    /// The views of each chunk, and its features on the main device, without a graph.
    fn encode_chunks<E: Encoder>(
        &self,
        encoders: &[E],
        mut chunks: impl Iterator<Item = Result<LabelledViews<E::Input>, TrainError>>,
    ) -> Result<EncodedChunks<E::Input>, TrainError> {
        let main = &self.devices[0];
        let (mut views, mut labels, mut features) = (Vec::new(), Some(Vec::new()), Vec::new());
        loop {
            let round = chunks.by_ref().take(encoders.len()).collect::<Result<Vec<_>, _>>()?;
            if round.is_empty() {
                return Ok(EncodedChunks { views, labels, features });
            }
            let inputs = round.iter().map(|chunk| chunk.views.input.clone());
            let work = inputs.zip(encoders.iter().cloned()).collect();
            features.extend(each_on_its_device(work, |(input, encoder)| {
                // Without gradients, but with the batch statistics of training.
                let encoder = replica(&encoder).no_grad();
                self.precision.encode(&encoder, input).detach().to_device(main)
            })?);
            for chunk in round {
                labels = labels.zip(chunk.labels).map(|(before, these)| [before, these].concat());
                views.push(chunk.views);
            }
        }
    }

    /// Encodes each chunk again, with a graph, and adds to `sum` the encoder's gradient that belongs to the chunk's
    /// dL/dh. Then sets the running statistics of the model's encoder.
    fn differentiate_chunks<E: Encoder>(
        &self,
        model: &SimClr<E>,
        encoders: &[E],
        chunks: impl Iterator<Item = (TwoViews<E::Input>, Tensor<2>)>,
        sum: &mut GradientsAccumulator<SimClr<E>>,
    ) -> Result<(), TrainError> {
        let main = &self.devices[0];
        let mut buffers = BufferMean::default();
        let mut chunks = chunks.peekable();
        while chunks.peek().is_some() {
            let round = encoders.iter().cloned().zip(chunks.by_ref()).collect();
            let replayed = each_on_its_device(round, |(encoder, (chunk, by_features))| {
                let encoder = replica(&encoder);
                let features = self.precision.encode(&encoder, chunk.input);
                let by_features =
                    Tensor::from_inner(by_features.to_device(&features.device().inner()));
                // Its gradient by the features is dL/dh.
                let linear = (features * by_features).sum();
                (self.precision.gradients(&linear, &encoder), encoder.valid())
            })?;
            for (gradients, encoder) in replayed {
                sum.accumulate(model, gradients.to_device(main, &model.encoder));
                buffers.add(&encoder);
            }
        }
        buffers.write_to(&model.encoder);
        Ok(())
    }

    /// Head and loss on the features of all examples, `[2n, feature_size]`.
    fn contrast(
        &self,
        head: &ProjectionHead,
        features: Tensor<2>,
        labels: Option<&[usize]>,
    ) -> (Tensor<1>, StepOutput) {
        let examples = features.dims()[0] / 2;
        let z = head.forward(features.clone()); // [2n, output_size]
        let (z_a, z_b) = (z.clone().slice([..examples]), z.clone().slice([examples..]));
        let loss = self.loss.forward(z_a.clone(), z_b.clone(), labels);
        let output = StepOutput {
            loss: loss.clone().without_autodiff(),
            ranks: self.loss.ranks(z_a.without_autodiff(), z_b.without_autodiff(), labels),
            features: features.without_autodiff(),
            projections: z.without_autodiff(),
            examples,
        };
        (loss, output)
    }
}

/// The chunks of a batch, after their first encoding.
struct EncodedChunks<I> {
    views: Vec<TwoViews<I>>,
    /// The class of each example of the batch, in the order of the chunks; `None` unless all have one.
    labels: Option<Vec<usize>>,
    /// The features of each chunk.
    features: Vec<Tensor<2>>,
}

/// A copy that shares neither graph nor running statistics with the original.
fn replica<E: Module>(encoder: &E) -> E {
    encoder.valid().train()
}

/// Joins the features of chunks, each of which has view a of its examples before view b, to one batch in that order.
fn by_view<I>(features: &[Tensor<2>], chunks: &[TwoViews<I>]) -> Tensor<2> {
    let halves = || features.iter().zip(chunks).map(|(h, chunk)| (h.clone(), chunk.examples));
    let a = halves().map(|(h, n)| h.slice([..n]));
    let b = halves().map(|(h, n)| h.slice([n..]));
    Tensor::cat(a.chain(b).collect(), 0)
}

/// The inverse of [`by_view`].
fn by_chunk<I>(rows: &Tensor<2>, chunks: &[TwoViews<I>]) -> Vec<Tensor<2>> {
    let examples: usize = chunks.iter().map(|chunk| chunk.examples).sum();
    let mut start = 0;
    let cut = |chunk: &TwoViews<I>| {
        let (a, b) = (start, examples + start);
        start += chunk.examples;
        let halves = [a, b].map(|at| rows.clone().narrow(0, at, chunk.examples));
        Tensor::cat(halves.to_vec(), 0)
    };
    chunks.iter().map(cut).collect()
}

/// Runs each piece of work on a thread of its own, all at the same time, and returns their results in order.
fn each_on_its_device<W: Send, R: Send>(
    mut work: Vec<W>,
    run: impl Fn(W) -> R + Sync,
) -> Result<Vec<R>, TrainError> {
    if work.len() == 1 {
        return Ok(work.pop().map(run).into_iter().collect());
    }
    std::thread::scope(|scope| {
        let run = &run;
        let of_device = |(device, work): (usize, W)| {
            let name = format!("device {device}");
            scope.spawn(move || TrainError::catch(&name, || Ok(run(work))))
        };
        let threads: Vec<_> = work.into_iter().enumerate().map(of_device).collect();
        let results = threads.into_iter().map(|thread| thread.join().expect("panics are caught"));
        results.collect()
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::engine::buffer_mean::buffers;
    use burn::module::{ModuleVisitor, Param};
    use burn::nn::{Linear, LinearConfig};
    use burn::tensor::Distribution;
    use burn::tensor::activation::gelu;
    use simclr_loss::{NtXent, SupCon};
    use simclr_model::{ProjectionHeadConfig, ResNetConfig, ResNetDepth, Stem};

    /// An encoder without batch statistics.
    #[derive(Module, Debug)]
    struct TwoLayers {
        first: Linear,
        second: Linear,
    }

    impl Encoder for TwoLayers {
        type Input = Tensor<2>;
        fn encode(&self, input: Tensor<2>) -> Tensor<2> {
            self.second.forward(gelu(self.first.forward(input)))
        }
        fn feature_size(&self) -> usize {
            6
        }
    }

    const EXAMPLES: usize = 24;

    fn with_head<E: Encoder>(encoder: E, device: &Device) -> SimClr<E> {
        let head = ProjectionHeadConfig { output_size: 5, ..ProjectionHeadConfig::default() };
        let head = head.init(encoder.feature_size(), 1, device).unwrap();
        SimClr { encoder, head }
    }

    fn two_layers(device: &Device) -> SimClr<TwoLayers> {
        let encoder = TwoLayers {
            first: LinearConfig::new(10, 8).init(device),
            // The head's normalisation would subtract a bias again, whose gradient would be zero.
            second: LinearConfig::new(8, 6).with_bias(false).init(device),
        };
        with_head(encoder, device)
    }

    fn step(devices: usize, device: &Device) -> ContrastiveStep {
        let loss = BatchLoss::OfPartners(Arc::new(NtXent::new(0.2).unwrap()));
        ContrastiveStep { loss, precision: Precision::F32, devices: vec![device.clone(); devices] }
    }

    /// A batch in chunks of `size` examples, of which every fifth is of the same class.
    fn chunks<const D: usize>(
        views: &[Tensor<D>; 2],
        size: usize,
    ) -> Vec<LabelledViews<Tensor<D>>> {
        let cut = |start: usize| {
            let rows = |view: &Tensor<D>| view.clone().narrow(0, start, size);
            let input = Tensor::cat(views.iter().map(rows).collect(), 0);
            let labels = Some((start..start + size).map(|example| example % 5).collect());
            LabelledViews { views: TwoViews { input, examples: size }, labels }
        };
        (0..EXAMPLES).step_by(size).map(cut).collect()
    }

    /// Gradients, loss and ranks of a step.
    fn run<E: Encoder>(
        step: &ContrastiveStep,
        model: &SimClr<E>,
        chunks: Vec<LabelledViews<E::Input>>,
    ) -> (Vec<Vec<f64>>, f64, Vec<f64>) {
        let count = chunks.len();
        let (gradients, output) =
            step.run(model, chunks.into_iter().map(Ok), count).unwrap().unwrap();
        assert_eq!(output.examples, EXAMPLES);
        let ranks = output.ranks.to_data_as::<f64>().iter().collect();
        (values_of(model, &gradients), output.loss.into_scalar::<f64>(), ranks)
    }

    /// The gradient of each parameter that has one.
    fn values_of(model: &impl Module, gradients: &GradientsParams) -> Vec<Vec<f64>> {
        struct Values<'a>(&'a GradientsParams, Vec<Vec<f64>>);
        impl ModuleVisitor for Values<'_> {
            fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
                if let Some(gradient) = self.0.get::<D>(param.id) {
                    self.1.push(gradient.to_data_as::<f64>().iter().collect());
                }
            }
        }
        let mut values = Values(gradients, Vec::new());
        model.visit(&mut values);
        values.1
    }

    /// The largest difference of two gradients, relative to the largest entry of the second.
    fn worst(found: &[Vec<f64>], expected: &[Vec<f64>]) -> f64 {
        assert_eq!(found.len(), expected.len());
        let norm =
            |values: &mut dyn Iterator<Item = f64>| values.fold(0.0_f64, |m, x| m.max(x.abs()));
        let relative = |(a, b): (&Vec<f64>, &Vec<f64>)| {
            let difference = norm(&mut a.iter().zip(b).map(|(a, b)| a - b));
            difference / norm(&mut b.iter().copied()).max(1e-9)
        };
        found.iter().zip(expected).map(relative).fold(0.0, f64::max)
    }

    fn noise<const D: usize>(shape: [usize; D], device: &Device) -> Tensor<D> {
        Tensor::random(shape, Distribution::Normal(0.0, 1.0), &device.clone().inner())
    }

    #[test]
    fn chunks_on_any_number_of_devices_give_the_gradient_of_the_whole_batch() {
        let device = Device::flex().autodiff();
        let model = two_layers(&device);
        let a = noise([EXAMPLES, 10], &device);
        let views = [a.clone(), a + noise([EXAMPLES, 10], &device) * 0.3].map(Tensor::from_inner);
        let of_classes = BatchLoss::OfClasses(SupCon::new(0.2).unwrap());
        for loss in [step(1, &device).loss, of_classes] {
            let step = |devices| ContrastiveStep { loss: loss.clone(), ..step(devices, &device) };
            let (gradient, value, ranks) = run(&step(1), &model, chunks(&views, EXAMPLES));
            assert_eq!(gradient.len(), 3 + 5, "the encoder's and the head's parameters");
            for (size, devices) in [(12, 1), (8, 1), (1, 1), (12, 2), (6, 4), (4, 4), (4, 3)] {
                let case = format!("{loss:?}, chunks of {size} on {devices} devices");
                let (found, found_value, found_ranks) =
                    run(&step(devices), &model, chunks(&views, size));
                assert!((found_value - value).abs() < 1e-5, "{case}: {found_value}, {value}");
                assert_eq!(found_ranks, ranks, "{case}");
                let worst = worst(&found, &gradient);
                assert!(worst < 1e-5, "{case}: {worst}");
            }
        }
    }

    #[test]
    fn other_labels_change_a_loss_of_classes_and_no_loss_of_partners() {
        let device = Device::flex().autodiff();
        let model = two_layers(&device);
        let views = [(); 2].map(|()| Tensor::from_inner(noise([EXAMPLES, 10], &device)));
        let value = |loss: &BatchLoss, shift: usize| {
            let mut chunks = chunks(&views, EXAMPLES);
            chunks[0].labels.as_mut().unwrap().rotate_left(shift);
            let step = ContrastiveStep { loss: loss.clone(), ..step(1, &device) };
            run(&step, &model, chunks).1.to_bits()
        };
        let of_classes = BatchLoss::OfClasses(SupCon::new(0.2).unwrap());
        assert_ne!(value(&of_classes, 0), value(&of_classes, 7));
        let of_partners = step(1, &device).loss;
        assert_eq!(value(&of_partners, 0), value(&of_partners, 7));
    }

    /// The values of all running statistics of an encoder.
    fn statistics(encoder: &impl Module) -> Vec<f64> {
        let encoder = replica(encoder); // With the statistics of the last forward pass.
        let values = buffers(&encoder).map(|buffer| buffer.values().to_data_as::<f64>());
        values.flat_map(|values| values.iter::<f64>().collect::<Vec<_>>()).collect()
    }

    #[test]
    fn with_batch_normalisation_chunks_give_the_gradient_of_their_own_statistics() {
        let device = Device::flex().autodiff();
        let config = ResNetConfig::new(ResNetDepth::ResNet18, 2, Stem::Cifar);
        let model = with_head(config.init(3, &device).unwrap(), &device);
        let a = noise([EXAMPLES, 3, 8, 8], &device);
        let b = a.clone() + noise([EXAMPLES, 3, 8, 8], &device);
        let views = [a, b].map(Tensor::from_inner);

        let before = statistics(&model.encoder);
        let replicas = [(); 3].map(|()| replica(&model.encoder));
        let (found, loss, _) = run(&step(1, &device), &model, chunks(&views, 8));
        let after = statistics(&model.encoder);

        // The oracle: the same three chunks, each normalised alone, in one graph.
        let chunks: Vec<_> = chunks(&views, 8).into_iter().map(|chunk| chunk.views).collect();
        let encode = |chunk: &TwoViews<Tensor<4>>| model.encoder.encode(chunk.input.clone());
        let features: Vec<_> = chunks.iter().map(encode).collect();
        let features = by_view(&features, &chunks);
        let (whole, _) = step(1, &device).contrast(&model.head, features, None);
        let expected = GradientsParams::from_grads(whole.clone().backward(), &model);
        assert!((whole.into_scalar::<f64>() - loss).abs() < 1e-5);
        let worst = worst(&found, &values_of(&model, &expected));
        assert!(worst < 1e-4, "{worst}"); // Tiny gradients behind 18 layers of f32.

        assert_ne!(before, after);
        let moved: Vec<_> = replicas
            .iter()
            .zip(&chunks)
            .map(|(replica, chunk)| {
                drop(replica.encode(chunk.input.clone()));
                statistics(replica)
            })
            .collect();
        for (i, found) in after.iter().enumerate() {
            let mean = moved.iter().map(|statistics| statistics[i]).sum::<f64>() / 3.0;
            assert!((found - mean).abs() < 1e-6, "statistic {i}: {found}, {mean}");
        }
    }

    #[test]
    fn sixteen_bits_give_nearly_the_gradient_of_f32_in_one_piece_and_in_chunks() {
        let device = Device::flex().autodiff();
        let config = ResNetConfig::new(ResNetDepth::ResNet18, 4, Stem::Cifar);
        let model = with_head(config.init(3, &device).unwrap(), &device);
        // The same numbers each time, since the effect of rounding on a gradient depends on them.
        let waves = |step: f64| {
            let numbers = 0..i64::try_from(EXAMPLES * 3 * 8 * 8).expect("a small batch");
            let numbers = Tensor::<1, burn::tensor::Int>::arange(numbers, &device).float();
            (numbers * step).sin().reshape([EXAMPLES, 3, 8, 8])
        };
        let a = waves(1.37);
        let views = [a.clone(), a + waves(2.11) * 0.5];
        for size in [EXAMPLES, EXAMPLES / 2] {
            let gradient = |precision| {
                let step = ContrastiveStep { precision, ..step(1, &device) };
                let (gradients, loss, _) = run(&step, &model, chunks(&views, size));
                (gradients.concat(), loss)
            };
            let (expected, loss) = gradient(Precision::F32);
            // Rounding, by up to 2^-9 in bf16 and 2^-12 in f16, moves some values across ReLU's zero in 18 layers.
            for (precision, most) in [(Precision::Bf16, 0.7), (Precision::F16, 0.3)] {
                let (found, found_loss) = gradient(precision);
                let length = |v: &[f64]| v.iter().map(|x| x * x).sum::<f64>().sqrt();
                let apart: Vec<f64> = found.iter().zip(&expected).map(|(a, b)| a - b).collect();
                let apart = length(&apart) / length(&expected);
                assert!(apart < most, "{precision}, chunks of {size}: {apart}");
                assert!(apart > 1e-5, "{precision} computed in f32: {apart}");
                assert!((found_loss - loss).abs() < 0.02 * loss, "{found_loss}, {loss}");
            }
        }
    }

    #[test]
    fn a_device_that_fails_is_an_error_that_names_it() {
        let run = |work: usize| if work == 1 { panic!("no such server") } else { work };
        let error = each_on_its_device(vec![0, 1], run).unwrap_err().to_string();
        assert!(error.starts_with("training stopped: device 1 failed: no such server"), "{error}");
    }
}
