//! The model as burn-train's learner sees it: one step of SimCLR.

use std::sync::Arc;

use burn::module::Module;
use burn::tensor::{ExecutionError, Tensor};
use burn::train::metric::{Adaptor, LossInput};
use burn::train::{InferenceStep, ItemLazy, TrainOutput, TrainStep};
use simclr_loss::TwoViewLoss;
use simclr_model::{Encoder, SimClr};

use crate::monitor::{KnnInput, Monitor, MonitorOutput};
use crate::two_views::TwoViews;

/// A SimCLR model with the loss it is trained by.
#[derive(Module, Debug)]
pub(crate) struct SimClrLearner<E> {
    pub(crate) model: SimClr<E>,
    #[module(skip)]
    loss: Arc<dyn TwoViewLoss>,
}

impl<E: Encoder> SimClrLearner<E> {
    pub(crate) fn new(model: SimClr<E>, loss: Arc<dyn TwoViewLoss>) -> Self {
        Self { model, loss }
    }

    /// Both views through the network as one batch, then the loss between them.
    fn forward(&self, views: TwoViews<E::Input>) -> Tensor<1> {
        let n = views.examples;
        let z = self.model.project(views.input); // [2n, projection size]
        let (z_a, z_b) = (z.clone().slice([..n]), z.slice([n..]));
        self.loss.forward(z_a, z_b)
    }
}

impl<E: Encoder> TrainStep for SimClrLearner<E> {
    type Input = TwoViews<E::Input>;
    type Output = StepOutput;

    fn step(&self, views: TwoViews<E::Input>) -> TrainOutput<StepOutput> {
        let loss = self.forward(views);
        let gradients = loss.backward();
        // Off the graph: the metrics' thread must not keep it alive. Nothing waits for the device.
        TrainOutput::new(self, gradients, StepOutput { loss: loss.without_autodiff() })
    }
}

impl<E: Encoder> InferenceStep for SimClrLearner<E> {
    type Input = Arc<dyn Monitor<E>>;
    type Output = MonitorOutput;

    fn step(&self, monitor: Arc<dyn Monitor<E>>) -> MonitorOutput {
        MonitorOutput { knn_top1: monitor.knn_top1(&self.model.encoder) }
    }
}

/// What a step tells the metrics.
pub(crate) struct StepOutput {
    /// The batch's loss, `[1]`, on the device.
    pub(crate) loss: Tensor<1>,
}

impl ItemLazy for StepOutput {
    fn sync(self) -> Result<Self, ExecutionError> {
        self.loss.device().flush()?;
        Ok(self)
    }
}

impl Adaptor<LossInput> for StepOutput {
    fn adapt(&self) -> LossInput {
        LossInput::new(self.loss.clone())
    }
}

impl Adaptor<KnnInput> for MonitorOutput {
    fn adapt(&self) -> KnnInput {
        KnnInput(self.knn_top1.as_ref().ok().copied())
    }
}
