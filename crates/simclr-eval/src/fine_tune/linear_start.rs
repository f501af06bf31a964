//! Where the linear layer of fine-tuning comes from.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};
use simclr_data::ImageDataset;
use simclr_embed::Embedder;
use simclr_model::Encoder;
use simclr_range::OutOfRange;

use crate::error::EvalError;
use crate::linear_layer::{LinearLayer, NEVER};
use crate::probe::{LogisticRegression, LogisticRegressionConfig};
use crate::protocol::Protocol;

/// What the linear layer starts from.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LinearStart {
    /// Zeros, as in the papers: the first steps tell the encoder nothing of use while it is already
    /// being moved.
    Zero,
    /// The linear probe on the frozen features ("LP-FT", Kumar et al. 2022, arXiv 2202.10054): the encoder's features
    /// are distorted less. Not for random weights: their batch normalisation has running averages of no images, so
    /// that the probe sees other features than training does.
    Probe(LogisticRegressionConfig),
}

impl LinearStart {
    pub(super) fn check(self) -> Result<(), OutOfRange> {
        match self {
            Self::Zero => Ok(()),
            Self::Probe(config) => config.check(),
        }
    }

    /// The layer that training starts from, with a row for each named class. `labels` are those of `images`.
    pub(super) fn layer<E: Encoder<Input = Tensor<4>>>(
        self,
        embedder: &Embedder<E>,
        images: &dyn ImageDataset,
        labels: &[usize],
    ) -> Result<LinearLayer, EvalError> {
        let classes = images.class_names().len();
        match self {
            Self::Zero => {
                let mut biases = vec![NEVER; classes];
                for &label in labels {
                    biases[label] = 0.0;
                }
                Ok(LinearLayer::new(vec![0.0; classes * embedder.feature_size()], biases))
            }
            Self::Probe(config) => {
                let train = embedder.embed_labelled(images)?.labelled;
                let layer = LogisticRegression::new(config)?.fit(&train)?.layer;
                Ok(layer.with_classes(classes))
            }
        }
    }

    /// In words.
    pub(super) fn describe(self) -> String {
        match self {
            Self::Zero => "zeros".to_owned(),
            Self::Probe(config) => LogisticRegression::new(config)
                .map_or_else(|error| error.to_string(), |probe| probe.describe()),
        }
    }
}
