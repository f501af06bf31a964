//! The learning rate of a run on images: tried, changed.

use burn::tensor::Device;
use simclr_data::Splits;

use crate::error::TrainError;
use crate::images::pretraining::Pretraining;
use crate::rate::learning_rate_curve::LearningRateCurve;
use crate::rate::range_test::RangeTest;
use crate::rate::rate_change::RateChange;

impl Pretraining {
    /// Tries learning rates on the run's network and images, see [`RangeTest`]. The test trains a copy of the network,
    /// and the run stays as it is.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run), and [`TrainError::Interrupted`].
    pub fn range_test(
        &self,
        test: RangeTest,
        data: &Splits,
        device: &Device,
    ) -> Result<LearningRateCurve, TrainError> {
        let device = device.clone().autodiff();
        let model = self.init_model(&device)?;
        let data = self.config().splits_for_loss(data.clone())?;
        self.trainer.range_test(test, model, self.views(&data)?, &device)
    }

    /// What becomes of the learning rate, see [`Trainer::rate_change`](crate::Trainer::rate_change).
    ///
    /// # Errors
    ///
    /// Those of [`Trainer::rate_change`](crate::Trainer::rate_change), and of [`PretrainConfig::splits_for_loss`](crate::PretrainConfig::splits_for_loss).
    pub fn rate_change(&self, data: &Splits) -> Result<Option<RateChange>, TrainError> {
        let data = self.config().splits_for_loss(data.clone())?;
        self.trainer.rate_change(data.pretrain.len())
    }
}
