//! Where the linear layer of fine-tuning comes from.

use burn::tensor::{Device, Tensor};
use simclr_augment::EvaluationTransform;
use simclr_data::ImageDataset;
use simclr_model::Encoder;

use crate::error::EvalError;
use crate::labelled_features::embed;
use crate::linear_layer::{LinearLayer, NEVER};
use crate::logistic_regression::LogisticRegression;
use crate::protocol::Protocol;

/// What the linear layer starts from.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum LinearStart {
    /// Zeros, as in the papers: the first steps tell the encoder nothing of use while it is already
    /// being moved.
    Zero,
    /// The linear probe on the frozen features ("LP-FT", Kumar et al. 2022, arXiv 2202.10054): the
    /// encoder's features are distorted less. Not for random weights, whose batch normalisation has
    /// running averages of no images at all: the features of training are others than the probe's.
    Probe(LogisticRegression),
}

impl LinearStart {
    /// The layer that training starts from, with a row for each name of a class.
    pub(crate) fn layer<E: Encoder<Input = Tensor<4>>>(
        self,
        encoder: &E,
        images: &dyn ImageDataset,
        labels: &[usize],
        transform: &EvaluationTransform,
        device: &Device,
    ) -> Result<LinearLayer, EvalError> {
        let classes = images.class_names().len();
        match self {
            Self::Zero => {
                let mut biases = vec![NEVER; classes];
                for &label in labels {
                    biases[label] = 0.0;
                }
                Ok(LinearLayer::new(vec![0.0; classes * encoder.feature_size()], biases))
            }
            Self::Probe(probe) => {
                let train = embed(&encoder.valid(), images, transform, device)?.labelled;
                Ok(probe.fit(&train)?.layer.with_classes(classes))
            }
        }
    }

    /// In words.
    pub(crate) fn describe(self) -> String {
        match self {
            Self::Zero => "zeros".to_owned(),
            Self::Probe(probe) => probe.describe(),
        }
    }
}
