//! One step at a time, for measurements.

use burn::tensor::{Device, Tensor};
use simclr_model::{Encoder, SimClr};

use crate::engine::contrastive_step::ContrastiveStep;
use crate::engine::loss_config::LossConfig;
use crate::engine::precision::Precision;
use crate::engine::train_config::TrainConfig;
use crate::engine::training_state::TrainingState;
use crate::error::TrainError;
use crate::optim::optimizer::OptimizerConfig;
use crate::views::view_source::{LabelledViews, Views};

/// The step of a [`Trainer`](crate::Trainer) alone, on views that are on the device already: for measuring how fast a
/// device trains, and how many images it has room for.
///
/// It is a step of one device, without chunks: encoder, head, loss, ranks, the gradients of all parameters, the
/// optimiser. It loads nothing and logs nothing.
///
/// ```
/// use burn::tensor::{Device, Distribution, Tensor};
/// use simclr_loss::Temperature;
/// use simclr_model::{ProjectionHeadConfig, ResNetConfig, ResNetDepth, SimClr, Stem};
/// use simclr_train::{LossConfig, OptimizerConfig, Precision, TrainingStep, Views};
///
/// let device = Device::flex().autodiff();
/// let encoder = ResNetConfig::new(ResNetDepth::ResNet18, 2, Stem::Cifar).init(0, &device)?;
/// let head = ProjectionHeadConfig::default().init(16, 0, &device)?;
/// let loss = LossConfig::NtXent { temperature: Temperature::try_from(0.5)? };
/// let optimizer = OptimizerConfig::nesterov(1e-4);
/// let mut step = TrainingStep::new(SimClr { encoder, head }, &loss, optimizer, Precision::F32, &device)?;
///
/// let views = Tensor::<4>::random([8, 3, 16, 16], Distribution::Default, &device);
/// let losses: Vec<Tensor<1>> = (0..3)
///     .map(|_| step.run(Views::new(views.clone(), 2, 4), 0.01))
///     .collect::<Result<_, _>>()?;
/// device.sync()?; // the three steps are done
/// assert!(losses.into_iter().all(|loss| loss.into_scalar::<f32>().is_finite()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct TrainingStep<E: Encoder> {
    state: TrainingState<E>,
    step: ContrastiveStep<E>,
    /// What the loss needs, so that views alone are refused.
    needs_labels: bool,
}

impl<E: Encoder> TrainingStep<E> {
    /// Steps that train `model`, which is on `device`.
    ///
    /// # Errors
    ///
    /// [`TrainError::OutOfRange`] for a value of the optimiser, a loss of the caller's own, or a precision that the
    /// device doesn't have.
    pub fn new(
        model: SimClr<E>,
        loss: &LossConfig,
        optimizer: OptimizerConfig,
        precision: Precision,
        device: &Device,
    ) -> Result<Self, TrainError> {
        optimizer.check()?;
        let device = device.clone().autodiff();
        precision.check(std::slice::from_ref(&device))?;
        let loss = loss.init()?;
        let needs_labels = loss.needs_labels();
        let step = ContrastiveStep::new(loss, precision, vec![device.clone()], &model.encoder);
        let config = TrainConfig { precision, optimizer, ..TrainConfig::small() };
        let state = TrainingState::new(model, &config, &device);
        Ok(Self { state, step, needs_labels })
    }

    /// One step on `views` at this learning rate. Returns the loss before the step, `[1]`.
    ///
    /// It does not wait for the device: reading the loss does, and so does Burn's `Device::sync`.
    ///
    /// # Errors
    ///
    /// [`TrainError::Unlabelled`] if the loss contrasts classes, as views alone have none; [`TrainError::OutOfRange`] for a
    /// number of views that the loss doesn't take.
    ///
    /// # Panics
    ///
    /// If the device fails, or has no room: as Burn's operations do.
    pub fn run(
        &mut self,
        views: Views<E::Input>,
        learning_rate: f64,
    ) -> Result<Tensor<1>, TrainError> {
        let examples = views.examples();
        if self.needs_labels {
            return Err(TrainError::Unlabelled { unlabelled: examples, examples });
        }
        self.step.check_views(views.count())?;
        let batch = std::iter::once(Ok(LabelledViews { views, labels: None, chunk: 0 }));
        let outcome = self.state.step(&self.step, batch, 1, learning_rate)?;
        let (output, _) = outcome.expect("a step of a batch that is there");
        Ok(output.loss)
    }
}
