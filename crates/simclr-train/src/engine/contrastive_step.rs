//! One step of SimCLR, for any batch size and any number of devices.

use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor};
use simclr_loss::LossAndRanks;
use simclr_model::{Encoder, ProjectionHead, SimClr};
use simclr_range::OutOfRange;

use crate::engine::batch_loss::BatchLoss;
use crate::engine::device_share::DeviceShare;
use crate::engine::device_shares::DeviceShares;
use crate::engine::device_worker::DeviceWorker;
use crate::engine::loss_scale::LossScale;
use crate::engine::precision::Precision;
use crate::error::TrainError;
use crate::views::view_source::LabelledViews;

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
/// anchor with all other views, and the head's batch normalisation sees them all. Only batch normalisation
/// inside the encoder sees one chunk; its running statistics move once a step, by the chunks' mean. The price is a
/// second forward pass (Gao et al. 2021, "`GradCache`"). Where each device has at most one chunk there is none: the
/// device keeps the chunk's graph from the first.
///
/// The host reads nothing from a device during a step. It waits for another device's thread to queue its work, which is
/// a transfer through the host where the backend has no way between two devices.
pub(crate) struct ContrastiveStep<E: Encoder> {
    loss: BatchLoss,
    /// The number format that the encoder computes in.
    precision: Precision,
    /// The devices that encode the chunks, in turn. The first also holds the parameters, and runs head and loss.
    devices: Vec<Device>,
    /// One for each device but the first, whose work is done on the training thread.
    workers: Vec<DeviceWorker<DeviceShare<E>>>,
}

/// The results of a step, detached from the graph and still on the device.
pub(crate) struct StepOutput {
    /// The batch's mean loss, `[1]`.
    pub(crate) loss: Tensor<1>,
    /// For each of V n anchors, how many other views are nearer than the one that it is to find, `[V n]`.
    pub(crate) ranks: Tensor<1>,
    /// Features: the first view of all examples, then the second, and so on, `[V n, feature_size]`.
    pub(crate) features: Tensor<2>,
    /// Projections of the features, `[V n, output_size]`.
    pub(crate) projections: Tensor<2>,
    /// The number of examples, n.
    pub(crate) examples: usize,
}

impl<E: Encoder> ContrastiveStep<E> {
    /// A step of models with an encoder like this one. Every device but the first gets a thread and a copy of it.
    pub(crate) fn new(
        loss: BatchLoss,
        precision: Precision,
        devices: Vec<Device>,
        encoder: &E,
    ) -> Self {
        let worker = |number: usize| {
            DeviceWorker::spawn(format!("device {number}"), DeviceShare::new(encoder, precision))
        };
        let workers = (1..devices.len()).map(worker).collect();
        Self { loss, precision, devices, workers }
    }

    /// The gradient of the loss, times `scale` if there is one, by every parameter of `model`; `None` if no example
    /// could be read.
    pub(crate) fn run(
        &self,
        model: &SimClr<E>,
        mut chunks: impl Iterator<Item = Result<LabelledViews<E::Input>, TrainError>>,
        chunks_per_step: usize,
        scale: Option<&LossScale>,
    ) -> Result<Option<(GradientsParams, StepOutput)>, TrainError> {
        if chunks_per_step > 1 {
            return self.in_chunks(model, chunks, chunks_per_step, scale);
        }
        let Some(LabelledViews { views, labels, .. }) = chunks.next().transpose()? else {
            return Ok(None);
        };
        let examples = views.examples();
        let features = self.precision.encode_all(&model.encoder, views.into_inputs());
        let (loss, output) = self.contrast(&model.head, features, examples, labels.as_deref());
        let gradients = scaled(loss, scale).backward();
        Ok(Some((GradientsParams::from_grads(gradients, model), output)))
    }

    /// Refuses numbers of views that the loss doesn't take.
    pub(crate) fn check_views(&self, views: usize) -> Result<(), OutOfRange> {
        self.loss.check_views(views)
    }

    /// The loss where the projections of all `views` views of all `examples` examples are alike.
    pub(crate) fn chance_level(&self, examples: usize, views: usize) -> f64 {
        self.loss.chance_level(examples, views, &self.devices[0])
    }

    fn in_chunks(
        &self,
        model: &SimClr<E>,
        chunks: impl Iterator<Item = Result<LabelledViews<E::Input>, TrainError>>,
        chunks_per_step: usize,
        scale: Option<&LossScale>,
    ) -> Result<Option<(GradientsParams, StepOutput)>, TrainError> {
        let main = DeviceShare::new(&model.encoder, self.precision);
        let mut shares = DeviceShares::begin(&self.devices, main, &self.workers, &model.encoder);
        let Some(encoded) = shares.encode(chunks, chunks_per_step)? else { return Ok(None) };

        let features = encoded.by_view().require_grad();
        let (loss, output) = self.contrast(
            &model.head,
            features.clone(),
            encoded.examples(),
            encoded.labels().as_deref(),
        );
        let mut gradients = scaled(loss, scale).backward();
        let by_features = features.grad(&gradients).expect("the loss depends on the features");
        let of_head = GradientsParams::from_module(&mut gradients, &model.head);
        let by_features = encoded.by_device(&by_features, self.devices.len());
        Ok(Some((shares.differentiate(model, by_features, of_head)?, output)))
    }

    /// Head and loss on the features of all views of n examples, `[V n, feature_size]`.
    fn contrast(
        &self,
        head: &ProjectionHead,
        features: Tensor<2>,
        examples: usize,
        labels: Option<&[usize]>,
    ) -> (Tensor<1>, StepOutput) {
        let z = head.forward(features.clone()); // [V n, output_size]
        let view = |start| z.clone().narrow(0, start, examples);
        let views: Vec<_> = (0..z.dims()[0]).step_by(examples).map(view).collect();
        let LossAndRanks { loss, ranks } = self.loss.forward_with_ranks(&views, labels);
        let output = StepOutput {
            loss: loss.clone().without_autodiff(),
            ranks: ranks.without_autodiff(),
            features: features.without_autodiff(),
            projections: z.without_autodiff(),
            examples,
        };
        (loss, output)
    }
}

/// The loss that is differentiated.
fn scaled(loss: Tensor<1>, scale: Option<&LossScale>) -> Tensor<1> {
    match scale {
        Some(scale) => scale.of(loss),
        None => loss,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::engine::loss_config::LossConfig;
    use crate::engine::loss_scale::LossScaleRecord;
    use crate::engine::running_statistics::running_statistics;
    use crate::views::view_source::Views;
    use burn::module::{Module, ModuleVisitor, Param};
    use burn::nn::{Linear, LinearConfig};
    use burn::tensor::Distribution;
    use burn::tensor::activation::gelu;
    use simclr_loss::{NtXent, SupCon, Temperature};
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

    fn nt_xent() -> BatchLoss {
        BatchLoss::of_two(NtXent::new(0.2).unwrap())
    }

    /// A step in f32 of models like this one.
    fn step<E: Encoder>(devices: usize, loss: &BatchLoss, model: &SimClr<E>) -> ContrastiveStep<E> {
        in_format(Precision::F32, devices, loss, model)
    }

    fn in_format<E: Encoder>(
        precision: Precision,
        devices: usize,
        loss: &BatchLoss,
        model: &SimClr<E>,
    ) -> ContrastiveStep<E> {
        let devices = vec![Device::flex().autodiff(); devices];
        ContrastiveStep::new(loss.clone(), precision, devices, &model.encoder)
    }

    /// A batch in chunks of `size` examples, of which every fifth is of the same class.
    fn chunks<const D: usize>(
        views: &[Tensor<D>; 2],
        size: usize,
    ) -> Vec<LabelledViews<Tensor<D>>> {
        let cut = |(chunk, start): (usize, usize)| {
            let rows = |view: &Tensor<D>| view.clone().narrow(0, start, size);
            let input = Tensor::cat(views.iter().map(rows).collect(), 0);
            let labels = Some((start..start + size).map(|example| example % 5).collect());
            LabelledViews { views: Views::new(input, 2, size), labels, chunk }
        };
        (0..EXAMPLES).step_by(size).enumerate().map(cut).collect()
    }

    /// Gradients, loss and ranks of a step.
    fn run<E: Encoder>(
        step: &ContrastiveStep<E>,
        model: &SimClr<E>,
        chunks: Vec<LabelledViews<E::Input>>,
    ) -> (Vec<Vec<f64>>, f64, Vec<f64>) {
        let count = chunks.len();
        // The scale at which nothing overflows here.
        let record = LossScaleRecord { scale: 1024.0, steady: 0 };
        let scale = LossScale::new(&Device::flex()).with(record);
        let scale = step.precision.scales_loss().then_some(scale);
        let chunks = chunks.into_iter().map(Ok);
        let (gradients, output) = step.run(model, chunks, count, scale.as_ref()).unwrap().unwrap();
        assert_eq!(output.examples, EXAMPLES);
        let ranks = output.ranks.to_data_as::<f64>().iter().collect();
        let mut gradients = values_of(model, &gradients);
        if scale.is_some() {
            let scale = f64::from(record.scale);
            gradients.iter_mut().flatten().for_each(|gradient| *gradient /= scale);
        }
        (gradients, output.loss.into_scalar::<f64>(), ranks)
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
        let of_classes = BatchLoss::Classes(SupCon::new(0.2).unwrap());
        for loss in [nt_xent(), of_classes] {
            let step = |devices| step(devices, &loss, &model);
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
    fn many_views_of_two_sizes_give_the_same_gradient_in_chunks_on_any_number_of_devices() {
        let device = Device::flex().autodiff();
        let model = two_layers(&device);
        let a = noise([EXAMPLES, 10], &device);
        let views: Vec<Tensor<2>> = (0..5)
            .map(|_| Tensor::from_inner(a.clone() + noise([EXAMPLES, 10], &device) * 0.3))
            .collect();
        // Three views of one size and two of another: here they differ in nothing but the call that encodes them.
        let chunks = |size: usize| -> Vec<LabelledViews<Tensor<2>>> {
            let cut = |(chunk, start): (usize, usize)| {
                let rows = |views: &[Tensor<2>]| {
                    let rows = |view: &Tensor<2>| view.clone().narrow(0, start, size);
                    Tensor::cat(views.iter().map(rows).collect(), 0)
                };
                let views = Views::new(rows(&views[..3]), 3, size).and(rows(&views[3..]), 2);
                let labels = Some((start..start + size).map(|example| example % 5).collect());
                LabelledViews { views, labels, chunk }
            };
            (0..EXAMPLES).step_by(size).enumerate().map(cut).collect()
        };
        let temperature = Temperature::new(0.2).unwrap();
        let of_views = LossConfig::NtXent { temperature }.init().unwrap();
        let of_classes = LossConfig::SupCon { temperature }.init().unwrap();
        for loss in [of_views, of_classes] {
            let step = |devices| step(devices, &loss, &model);
            let (gradient, value, ranks) = run(&step(1), &model, chunks(EXAMPLES));
            assert_eq!(ranks.len(), 5 * EXAMPLES);
            // The oracle: all views in one graph.
            let features = model.encoder.encode(Tensor::cat(views.clone(), 0));
            let z = model.head.forward(features);
            let z: Vec<_> = (0..5).map(|v| z.clone().narrow(0, v * EXAMPLES, EXAMPLES)).collect();
            let labels: Vec<usize> = (0..EXAMPLES).map(|example| example % 5).collect();
            let expected = loss.forward(&z, Some(&labels)).into_scalar::<f64>();
            assert!((value - expected).abs() < 1e-5, "{loss:?}: {value}, {expected}");
            for (size, devices) in [(12, 1), (1, 1), (12, 2), (4, 3)] {
                let case = format!("{loss:?}, chunks of {size} on {devices} devices");
                let (found, found_value, found_ranks) = run(&step(devices), &model, chunks(size));
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
            run(&step(1, loss, &model), &model, chunks).1.to_bits()
        };
        let of_classes = BatchLoss::Classes(SupCon::new(0.2).unwrap());
        assert_ne!(value(&of_classes, 0), value(&of_classes, 7));
        let of_partners = nt_xent();
        assert_eq!(value(&of_partners, 0), value(&of_partners, 7));
    }

    /// The values of all running statistics of an encoder.
    fn statistics(encoder: &impl Module) -> Vec<f64> {
        let encoder = encoder.valid(); // With the statistics of the last forward pass.
        let values = running_statistics(&encoder).map(|buffer| buffer.values().to_data_as::<f64>());
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
        let replicas = [(); 3].map(|()| model.encoder.valid().train());
        let (found, loss, _) = run(&step(1, &nt_xent(), &model), &model, chunks(&views, 8));
        let after = statistics(&model.encoder);

        // The oracle: the same three chunks, each normalised alone, in one graph.
        let input = |chunk: LabelledViews<_>| chunk.views.into_inputs().remove(0);
        let chunks: Vec<Tensor<4>> = chunks(&views, 8).into_iter().map(input).collect();
        let encode = |chunk: &Tensor<4>| model.encoder.encode(chunk.clone());
        let features: Vec<_> = chunks.iter().map(encode).collect();
        let halves = |at: usize| features.iter().map(move |h| h.clone().narrow(0, at, 8));
        let features = Tensor::cat(halves(0).chain(halves(8)).collect(), 0);
        let (whole, _) =
            step(1, &nt_xent(), &model).contrast(&model.head, features, EXAMPLES, None);
        let expected = GradientsParams::from_grads(whole.clone().backward(), &model);
        assert!((whole.into_scalar::<f64>() - loss).abs() < 1e-5);
        let worst = worst(&found, &values_of(&model, &expected));
        assert!(worst < 1e-4, "{worst}"); // Tiny gradients behind 18 layers of f32.

        assert_ne!(before, after);
        let moved: Vec<_> = replicas
            .iter()
            .zip(&chunks)
            .map(|(replica, chunk)| {
                drop(replica.encode(chunk.clone()));
                statistics(replica)
            })
            .collect();
        for (i, found) in after.iter().enumerate() {
            let mean = moved.iter().map(|statistics| statistics[i]).sum::<f64>() / 3.0;
            assert!((found - mean).abs() < 1e-6, "statistic {i}: {found}, {mean}");
        }
    }

    /// The same numbers each time, since the effect of rounding on a gradient depends on them.
    fn waves(device: &Device) -> [Tensor<4>; 2] {
        let waves = |step: f64| {
            let numbers = 0..i64::try_from(EXAMPLES * 3 * 8 * 8).expect("a small batch");
            let numbers = Tensor::<1, burn::tensor::Int>::arange(numbers, device).float();
            (numbers * step).sin().reshape([EXAMPLES, 3, 8, 8])
        };
        let a = waves(1.37);
        [a.clone(), a + waves(2.11) * 0.5]
    }

    fn slim_resnet(device: &Device) -> SimClr<impl Encoder<Input = Tensor<4>> + use<>> {
        let config = ResNetConfig::new(ResNetDepth::ResNet18, 4, Stem::Cifar);
        with_head(config.init(3, device).unwrap(), device)
    }

    #[test]
    fn sixteen_bits_give_nearly_the_gradient_of_f32_in_one_piece_and_in_chunks() {
        let device = Device::flex().autodiff();
        let model = slim_resnet(&device);
        let views = waves(&device);
        for (size, devices) in [(EXAMPLES, 1), (EXAMPLES / 2, 1), (EXAMPLES / 2, 2)] {
            let gradient = |precision| {
                let step = in_format(precision, devices, &nt_xent(), &model);
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
    fn the_graph_that_each_device_keeps_gives_the_gradient_of_a_second_pass_bit_for_bit() {
        let device = Device::flex().autodiff();
        let model = slim_resnet(&device);
        let views = waves(&device);
        for precision in [Precision::F32, Precision::Bf16, Precision::F16] {
            let result = |devices| {
                let fresh =
                    SimClr { encoder: model.encoder.valid().train(), head: model.head.clone() };
                let step = in_format(precision, devices, &nt_xent(), &fresh);
                let found = run(&step, &fresh, chunks(&views, EXAMPLES / 4));
                (found, statistics(&fresh.encoder))
            };
            // One device encodes its four chunks twice; each of four keeps the graph of its one.
            let (one, two) = (result(1), result(2));
            assert_eq!(result(4), one, "{precision}");
            // Two add the chunks' gradients in another order.
            assert_eq!((two.0.1, &two.0.2), (one.0.1, &one.0.2), "{precision}");
            let apart = worst(&two.0.0, &one.0.0);
            assert!(apart < 1e-4, "{precision}: {apart}");
        }
    }

    /// An encoder that notes each chunk that it encodes: the first value of its input, and its thread's name.
    #[derive(Module, Debug)]
    struct Watched {
        layer: Linear,
    }

    static NOTED: Mutex<Vec<(i64, String)>> = Mutex::new(Vec::new());

    impl Encoder for Watched {
        type Input = Tensor<2>;
        fn encode(&self, input: Tensor<2>) -> Tensor<2> {
            let first = input.clone().slice([0..1, 0..1]).into_scalar::<i64>();
            let thread = std::thread::current().name().unwrap_or_default().to_owned();
            NOTED.lock().unwrap().push((first, thread));
            self.layer.forward(input)
        }
        fn feature_size(&self) -> usize {
            6
        }
    }

    /// The chunks that were encoded of a step on so many devices, in order: by number and device.
    fn encoded_on(devices: usize, of_step: usize, present: &[usize]) -> Vec<(usize, usize)> {
        static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
        let _alone = ONE_AT_A_TIME.lock().unwrap();
        let device = Device::flex().autodiff();
        let model = with_head(Watched { layer: LinearConfig::new(10, 6).init(&device) }, &device);
        let chunk = |&chunk: &usize| {
            let input = noise([4, 10], &device).slice_fill([0..1, 0..1], chunk as f64);
            let views = Views::new(Tensor::from_inner(input), 2, 2);
            Ok(LabelledViews { views, labels: None, chunk })
        };
        NOTED.lock().unwrap().clear();
        let step = step(devices, &nt_xent(), &model);
        let chunks = present.iter().map(chunk);
        let (gradients, _) = step.run(&model, chunks, of_step, None).unwrap().unwrap();
        assert_eq!(gradients.len(), 2 + 5, "the encoder's and the head's parameters");
        let number = |name: &str| name.strip_prefix("device ").map_or(0, |n| n.parse().unwrap());
        let noted = std::mem::take(&mut *NOTED.lock().unwrap());
        let mut noted: Vec<(usize, usize)> =
            noted.iter().map(|(chunk, thread)| (*chunk as usize, number(thread))).collect();
        noted.sort_unstable();
        noted
    }

    #[test]
    fn a_device_with_one_chunk_encodes_it_once_and_one_with_more_encodes_each_twice() {
        assert_eq!(encoded_on(4, 4, &[0, 1, 2, 3]), [(0, 0), (1, 1), (2, 2), (3, 3)]);
        assert_eq!(encoded_on(4, 3, &[0, 1, 2]), [(0, 0), (1, 1), (2, 2)]);
        let twice = [(0, 0), (0, 0), (1, 1), (1, 1), (2, 0), (2, 0), (3, 1), (3, 1)];
        assert_eq!(encoded_on(2, 4, &[0, 1, 2, 3]), twice);
    }

    #[test]
    fn a_chunk_stays_on_its_device_where_others_are_left_out() {
        assert_eq!(encoded_on(4, 4, &[0, 2, 3]), [(0, 0), (2, 2), (3, 3)]);
        assert_eq!(encoded_on(4, 4, &[1]), [(1, 1)]);
        assert_eq!(encoded_on(2, 4, &[1, 2]), [(1, 1), (1, 1), (2, 0), (2, 0)]);
    }

    #[test]
    fn a_device_that_fails_in_a_step_ends_it_with_an_error_that_names_it() {
        let device = Device::flex().autodiff();
        let model = two_layers(&device);
        let mut chunks = chunks(&[(); 2].map(|()| noise([EXAMPLES, 10], &device)), 6);
        // Not what the layer takes.
        chunks[1].views = Views::new(Tensor::from_inner(noise([12, 3], &device)), 2, 6);
        let step = step(2, &nt_xent(), &model);
        let failed = step.run(&model, chunks.into_iter().map(Ok), 4, None).map(|_| ());
        let error = failed.unwrap_err().to_string();
        assert!(error.starts_with("training stopped: device 1 failed: "), "{error}");
    }
}
