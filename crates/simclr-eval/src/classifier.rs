//! What a trained encoder is for: classifying images.

use burn::tensor::{Device, Tensor};
use image::RgbImage;
use rayon::prelude::*;
use simclr_augment::EvaluationTransform;
use simclr_data::ImageDataset;
use simclr_model::Encoder;

use crate::embedded_images::{EMBEDDING_BATCH, encoded};
use crate::error::EvalError;
use crate::features::Features;
use crate::labelled_features::embed;
use crate::layer::Layer;
use crate::linear_layer::LinearLayer;
use crate::logistic_regression::LogisticRegression;
use crate::predictions::Predictions;

/// An encoder with a linear layer: images in, classes out.
///
/// It holds all that is needed to classify an image as it comes from a file: how it is resized and
/// normalised, the networks, and the classes' names. [`save`](Self::save) and [`load`](Self::load) keep
/// it in one file.
///
/// ```
/// use burn::tensor::Device;
/// use simclr_augment::SimClrAugmentation;
/// use simclr_data::{ImageDataset, SampleConfig, Splits};
/// use simclr_eval::{Classifier, LogisticRegression};
/// use simclr_model::{ResNetConfig, ResNetDepth, Stem};
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("shapes.safetensors");
/// # let device = Device::flex();
/// # let config = SampleConfig { images: 40, size: 16, ..SampleConfig::default() };
/// # let labelled = Splits::sample(&config)?.labelled.expect("the sample is labelled");
/// // An encoder as pretraining leaves it, and labelled images.
/// let resnet = ResNetConfig::new(ResNetDepth::ResNet18, 2, Stem::Cifar);
/// let encoder = resnet.init(0, &device)?;
/// let transform = SimClrAugmentation::cifar10().with_size(16)?.evaluation();
///
/// let probe = LogisticRegression::default();
/// let classifier = Classifier::train(encoder, &labelled.train, &transform, &probe, &device)?;
/// classifier.save(&path)?;
///
/// let classifier = Classifier::load(&path, resnet.init(0, &device)?, &device)?;
/// let class = classifier.classify(&labelled.test.image(0)?)?;
/// assert!(labelled.train.class_names().iter().any(|name| name == class));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Classifier<E> {
    pub(crate) encoder: E,
    pub(crate) layer: LinearLayer,
    pub(crate) class_names: Vec<String>,
    pub(crate) transform: EvaluationTransform,
    pub(crate) device: Device,
}

impl<E: Encoder<Input = Tensor<4>>> Classifier<E> {
    /// Puts a classifier together. The encoder is on `device`, in its evaluation state.
    ///
    /// # Errors
    ///
    /// [`EvalError::FeatureSize`] unless the layer takes the encoder's features,
    /// [`EvalError::ClassCount`] unless each of its classes has a name.
    pub fn new(
        encoder: E,
        layer: LinearLayer,
        class_names: Vec<String>,
        transform: EvaluationTransform,
        device: &Device,
    ) -> Result<Self, EvalError> {
        let (expected, found) = (layer.feature_size(), encoder.feature_size());
        if expected != found {
            return Err(EvalError::FeatureSize { expected, found });
        }
        let (expected, found) = (layer.classes(), class_names.len());
        if expected != found {
            return Err(EvalError::ClassCount { expected, found });
        }
        Ok(Self { encoder, layer, class_names, transform, device: device.clone() })
    }

    /// Teaches a linear layer the classes of `images` on the features of the frozen encoder, which is on
    /// `device` in its evaluation state. Images that cannot be read are left out.
    ///
    /// # Errors
    ///
    /// Those of [`embed`] (an image without a label among them) and of [`LogisticRegression::fit`];
    /// [`EvalError::ClassCount`] if a label has no name.
    pub fn train(
        encoder: E,
        images: &dyn ImageDataset,
        transform: &EvaluationTransform,
        probe: &LogisticRegression,
        device: &Device,
    ) -> Result<Self, EvalError> {
        let train = embed(&encoder, images, transform, device)?.labelled;
        let class_names = images.class_names().to_vec();
        let layer = probe.fit(&train)?.layer.with_classes(class_names.len());
        Self::new(encoder, layer, class_names, transform.clone(), device)
    }

    /// The names of the classes, in the order of the scores.
    #[must_use]
    pub fn class_names(&self) -> &[String] {
        &self.class_names
    }

    /// The encoder.
    #[must_use]
    pub fn encoder(&self) -> &E {
        &self.encoder
    }

    /// The linear layer on its features.
    #[must_use]
    pub fn layer(&self) -> &LinearLayer {
        &self.layer
    }

    /// How an image becomes the encoder's input.
    #[must_use]
    pub fn transform(&self) -> &EvaluationTransform {
        &self.transform
    }

    /// The name of the likeliest class.
    ///
    /// # Errors
    ///
    /// Those of [`predict`](Self::predict).
    pub fn classify(&self, image: &RgbImage) -> Result<&str, EvalError> {
        let class = self.predict(std::slice::from_ref(image))?.top1()[0];
        Ok(&self.class_names[class])
    }

    /// The probability of each class for each image. Images may be of any size.
    ///
    /// # Errors
    ///
    /// [`EvalError::Augmentation`] for an image without pixels, [`EvalError::Device`] if the device
    /// fails.
    pub fn predict(&self, images: &[RgbImage]) -> Result<Predictions, EvalError> {
        let transform = &self.transform;
        let side = transform.size() as usize;
        let mut values = Vec::with_capacity(images.len() * self.layer.feature_size());
        for batch in images.chunks(EMBEDDING_BATCH) {
            let mut pixels = vec![0.0; batch.len() * transform.view_len()];
            batch
                .par_iter()
                .zip(pixels.par_chunks_mut(transform.view_len()))
                .try_for_each(|(image, out)| transform.view_into(image, out))?;
            values.extend(encoded(pixels, side, &self.device, |batch| self.encoder.encode(batch))?);
        }
        let features = Features::new(values, self.layer.feature_size()).of_layer(Layer::Encoder);
        self.layer.predict(&features)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluation::evaluate;
    use simclr_augment::SimClrAugmentation;
    use simclr_data::{Labelled, SampleConfig, Splits};
    use simclr_model::{ResNet, ResNetConfig, ResNetDepth, Stem};

    fn encoder() -> ResNet {
        let config = ResNetConfig::new(ResNetDepth::ResNet18, 2, Stem::Cifar);
        config.init(0, &Device::flex()).unwrap()
    }

    fn transform() -> EvaluationTransform {
        SimClrAugmentation::cifar10().with_size(16).unwrap().evaluation()
    }

    fn labelled() -> Labelled {
        let config = SampleConfig { images: 50, size: 16, ..SampleConfig::default() };
        Splits::sample(&config).unwrap().labelled.unwrap()
    }

    #[test]
    fn it_says_of_images_what_the_probe_says_of_their_features() {
        let (labelled, device) = (labelled(), Device::flex());
        let probe = LogisticRegression::default();
        let classifier =
            Classifier::train(encoder(), &labelled.train, &transform(), &probe, &device).unwrap();

        let features = |set| embed(&encoder(), set, &transform(), &device).unwrap().labelled;
        let (train, test) = (features(&labelled.train), features(&labelled.test));
        let expected = evaluate(&probe, &train, &test, &[], &device).unwrap().predictions;
        let images: Vec<RgbImage> =
            (0..labelled.test.len()).map(|i| labelled.test.image(i).unwrap()).collect();
        let found = classifier.predict(&images).unwrap();
        for (a, b) in found.rows().flatten().zip(expected.rows().flatten()) {
            assert!((a - b).abs() < 1e-5, "{a}, not {b}");
        }
        let name = classifier.classify(&images[3]).unwrap();
        assert_eq!(name, classifier.class_names()[found.top1()[3]]);
    }

    #[test]
    fn pieces_that_do_not_fit_are_refused() {
        let new = |layer: LinearLayer, names: &[&str]| {
            let names = names.iter().map(|&name| name.to_owned()).collect();
            Classifier::new(encoder(), layer, names, transform(), &Device::flex())
                .map(|_| ())
                .unwrap_err()
                .to_string()
        };
        assert_eq!(
            new(LinearLayer::new(vec![0.0; 6], vec![0.0; 2]), &["a", "b"]),
            "expected feature vectors of length 3, found 16"
        );
        assert_eq!(
            new(LinearLayer::new(vec![0.0; 32], vec![0.0; 2]), &["a"]),
            "expected a name for each of 2 classes, found 1"
        );
    }

    #[test]
    fn an_image_without_pixels_is_an_error() {
        let layer = LinearLayer::new(vec![0.0; 16], vec![0.0]);
        let names = vec!["a".to_owned()];
        let classifier =
            Classifier::new(encoder(), layer, names, transform(), &Device::flex()).unwrap();
        let error = classifier.classify(&RgbImage::new(0, 4)).unwrap_err();
        assert!(matches!(error, EvalError::Augmentation(_)), "{error}");
    }
}
