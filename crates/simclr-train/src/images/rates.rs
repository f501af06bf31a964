//! The learning rate of a run on images: tried, chosen, changed.

use burn::tensor::Device;
use simclr_data::Splits;

use crate::error::TrainError;
use crate::images::pretraining::Pretraining;
use crate::rate::learning_rate_curve::LearningRateCurve;
use crate::rate::range_test::RangeTest;
use crate::rate::rate_change::RateChange;
use crate::run::run_directory::RunDirectory;

impl Pretraining {
    /// Runs the default [range test](Self::range_test) now and takes the rate that it suggests.
    ///
    /// # Errors
    ///
    /// As [`range_test`](Self::range_test) and [`with_suggested_rate`](Self::with_suggested_rate), and
    /// [`TrainError::OtherConfig`] for a resumed run, which keeps its learning rate.
    pub fn with_auto_rate(self, data: &Splits, device: &Device) -> Result<Self, TrainError> {
        if let (true, Some(path)) = (self.trainer.resumes, &self.trainer.directory) {
            return Err(TrainError::OtherConfig {
                path: path.clone(),
                field: "learning_rate".to_owned(),
                expected: "auto".to_owned(),
                found: "its own".to_owned(),
            });
        }
        if let Some(path) = &self.trainer.directory {
            RunDirectory::check_free(path)?; // Before minutes of trying rates.
        }
        let curve = self.range_test(RangeTest::default(), data, device)?;
        self.with_suggested_rate(curve)
    }

    /// Takes the rate that a [range test](Self::range_test) suggests, see [`Trainer::with_suggested_rate`](crate::Trainer::with_suggested_rate).
    ///
    /// # Errors
    ///
    /// [`TrainError::NoLearningRate`] if the curve suggests none.
    pub fn with_suggested_rate(mut self, curve: LearningRateCurve) -> Result<Self, TrainError> {
        self.trainer = self.trainer.with_suggested_rate(curve)?;
        Ok(self)
    }

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
