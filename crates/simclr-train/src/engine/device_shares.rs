//! The devices of a step, and the chunks that each of them encodes.

use burn::optim::{GradientsAccumulator, GradientsParams};
use burn::tensor::{Device, Tensor};
use simclr_model::{Encoder, SimClr, module_tensors};

use crate::engine::device_share::{Contribution, DeviceShare};
use crate::engine::device_worker::{Answer, DeviceWorker};
use crate::engine::encoded_chunks::{EncodedChunk, EncodedChunks};
use crate::engine::packed::Packed;
use crate::error::TrainError;
use crate::views::view_source::LabelledViews;

/// The shares of all devices in one step. Chunk c belongs to device c modulo their number.
///
/// The first device's share is done on the calling thread, after the others have theirs, so that all work at the same
/// time.
///
/// Each other device gets the weights in one transfer a step, and sends its gradients in one. Burn's `all_reduce` would
/// leave the gradients' sum on every device; here only the first needs it, since it alone has the optimiser. Burn has it
/// for CUDA alone, too.
pub(crate) struct DeviceShares<'a, E: Encoder> {
    devices: &'a [Device],
    main: DeviceShare<E>,
    workers: &'a [DeviceWorker<DeviceShare<E>>],
    begun: Vec<Answer<()>>,
}

/// A chunk whose features may not be there yet.
struct Encoding {
    number: usize,
    examples: usize,
    labels: Option<Vec<usize>>,
    features: Answer<Tensor<2>>,
}

impl<'a, E: Encoder> DeviceShares<'a, E> {
    /// Begins a step with the weights of `encoder`. `main` is the share of the first device; the others' are with the
    /// `workers`.
    pub(crate) fn begin(
        devices: &'a [Device],
        main: DeviceShare<E>,
        workers: &'a [DeviceWorker<DeviceShare<E>>],
        encoder: &E,
    ) -> Self {
        let weights = (!workers.is_empty()).then(|| Packed::of(module_tensors(&encoder.valid())));
        let weights = weights.flatten();
        let begin = |(worker, device): (&DeviceWorker<DeviceShare<E>>, &Device)| {
            let (weights, device) = (weights.clone(), device.clone());
            worker.ask(move |share| share.begin(weights.as_ref(), &device))
        };
        let begun = workers.iter().zip(&devices[1..]).map(begin).collect();
        Self { devices, main, workers, begun }
    }

    /// The features of each chunk, without a graph, on the first device; `None` if there is no chunk.
    pub(crate) fn encode(
        &mut self,
        chunks: impl Iterator<Item = Result<LabelledViews<E::Input>, TrainError>>,
        chunks_per_step: usize,
    ) -> Result<Option<EncodedChunks>, TrainError> {
        let is_only_chunk = chunks_per_step <= self.devices.len();
        let mut encodings = Vec::new();
        let mut own: Option<LabelledViews<E::Input>> = None;
        for chunk in chunks {
            let chunk = chunk?;
            let device = self.device_of(chunk.chunk);
            let due = if device == 0 { own.replace(chunk) } else { Some(chunk) };
            encodings.extend(due.map(|chunk| self.start(chunk, is_only_chunk)));
            if device + 1 == self.devices.len() {
                encodings.extend(own.take().map(|chunk| self.start(chunk, is_only_chunk)));
            }
        }
        encodings.extend(own.map(|chunk| self.start(chunk, is_only_chunk)));
        encodings.sort_by_key(|encoding| encoding.number);

        self.begun.drain(..).try_for_each(Answer::wait)?;
        let finish = |Encoding { number, examples, labels, features }| {
            let device = self.device_of(number);
            Ok(EncodedChunk { device, examples, labels, features: features.wait()? })
        };
        let chunks = encodings.into_iter().map(finish).collect::<Result<Vec<_>, TrainError>>()?;
        Ok((!chunks.is_empty()).then_some(EncodedChunks(chunks)))
    }

    /// Lets the chunk's device encode it.
    fn start(&mut self, chunk: LabelledViews<E::Input>, is_only_chunk: bool) -> Encoding {
        let LabelledViews { views, labels, chunk: number } = chunk;
        let main = self.devices[0].clone().inner();
        let (examples, inputs) = (views.examples(), views.into_inputs());
        let encode =
            move |share: &mut DeviceShare<E>| share.encode(inputs, is_only_chunk).to_device(&main);
        let features = self.ask(self.device_of(number), encode);
        Encoding { number, examples, labels, features }
    }

    /// The encoder's gradients by dL/dh of each device's chunks, added to those of the head. Then sets the running
    /// statistics of the model's encoder: to the mean over the chunks, whichever device encoded which.
    pub(crate) fn differentiate(
        mut self,
        model: &SimClr<E>,
        by_features: Vec<Vec<Tensor<2>>>,
        of_head: GradientsParams,
    ) -> Result<GradientsParams, TrainError> {
        let chunks: usize = by_features.iter().map(Vec::len).sum();
        let mut answers = Vec::new();
        for (device, by_features) in by_features.into_iter().enumerate().rev() {
            let main = self.devices[0].clone().inner();
            if !by_features.is_empty() {
                let job = |share: &mut DeviceShare<E>| share.differentiate(by_features);
                answers.push(self.ask(device, move |share| job(share).to_device(&main)));
            }
        }
        let mut sum = GradientsAccumulator::new();
        sum.accumulate(model, of_head);
        let mut statistics: Option<Packed> = None;
        for answer in answers.into_iter().rev() {
            let Contribution { gradients, statistics: of_device } = answer.wait()?;
            if let Some(gradients) = gradients {
                sum.accumulate(model, gradients.into_gradients(&model.encoder));
            }
            statistics = Packed::sum(statistics, of_device);
        }
        if let Some(statistics) = statistics {
            // All clones of a module share its running statistics, so that writing to a clone is enough.
            statistics.with(|sum| sum.div_scalar(chunks as f64)).write_to(model.encoder.clone());
        }
        Ok(sum.grads())
    }

    fn device_of(&self, chunk: usize) -> usize {
        chunk % self.devices.len()
    }

    /// Gives a job to a device.
    fn ask<R: Send + 'static>(
        &mut self,
        device: usize,
        job: impl FnOnce(&mut DeviceShare<E>) -> R + Send + 'static,
    ) -> Answer<R> {
        match device.checked_sub(1) {
            None => Answer::of("device 0", || job(&mut self.main)),
            Some(worker) => self.workers[worker].ask(job),
        }
    }
}
