//! What a trained encoder is for: classifying images.

mod file;
pub(crate) mod network;
mod onnx;

use burn::tensor::Tensor;
use image::RgbImage;
use simclr_data::ImageDataset;
use simclr_embed::{EmbedError, Embedder};
use simclr_model::{Encoder, ImageEncoder};

use crate::error::EvalError;
use crate::figures::Predictions;
use crate::linear_layer::LinearLayer;
use crate::probe::LogisticRegression;

/// An encoder with a linear layer: images in, classes out.
///
/// It holds all that is needed to classify an image as it comes from a file: the [`Embedder`], the linear layer on its
/// features, and the classes' names. [`save`](Self::save) and [`open`](Classifier::open) keep it in one file.
///
/// ```
/// use burn::tensor::Device;
/// use simclr_augment::SimClrAugmentation;
/// use simclr_data::{ImageDataset, SampleConfig, Splits};
/// use simclr_embed::Embedder;
/// use simclr_eval::{Classifier, LogisticRegression};
/// use simclr_model::EncoderConfig;
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("shapes.safetensors");
/// # let device = Device::flex();
/// # let config = SampleConfig { images: 40, size: 16, ..SampleConfig::default() };
/// # let labelled = Splits::sample(&config)?.labelled.expect("the sample is labelled");
/// // Labelled images, and an encoder; `Embedder::open` takes that of a run.
/// let config: EncoderConfig = "resnet18x0.25_cifar".parse()?;
/// let transform = SimClrAugmentation::cifar10().with_size(16)?.evaluation();
/// let embedder = Embedder::new(config.init(0, &device)?, transform, &device).with_config(config);
///
/// let probe = LogisticRegression::default();
/// Classifier::train(embedder, &labelled.train, &probe)?.save(&path)?;
///
/// let classifier = Classifier::open(&path, &device)?;
/// let class = classifier.classify(&labelled.test.image(0)?)?;
/// assert!(labelled.train.class_names().iter().any(|name| name == class));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Classifier<E = ImageEncoder> {
    embedder: Embedder<E>,
    layer: LinearLayer,
    class_names: Vec<String>,
}

impl<E: Encoder<Input = Tensor<4>>> Classifier<E> {
    /// Puts a classifier together. A class that the layer doesn't know is never likely.
    ///
    /// # Errors
    ///
    /// [`EvalError::Embed`] unless the layer takes the encoder's features and each of its classes has a name.
    pub fn new(
        embedder: Embedder<E>,
        layer: LinearLayer,
        class_names: Vec<String>,
    ) -> Result<Self, EvalError> {
        let (expected, found) = (layer.feature_size(), embedder.feature_size());
        if expected != found {
            return Err(EmbedError::FeatureSize { expected, found }.into());
        }
        let layer = layer.with_classes(class_names.len());
        EmbedError::check_count("a name", "classes", layer.classes(), class_names.len())?;
        Ok(Self { embedder, layer, class_names })
    }

    /// Teaches a linear layer the classes of `images` on the features of the frozen encoder. Images that cannot be
    /// read are left out.
    ///
    /// For features that are embedded already, [`evaluate`](crate::evaluate) gives the layer that it measured.
    ///
    /// # Errors
    ///
    /// Those of [`Embedder::embed_labelled`] (an image without a label among them) and of [`LogisticRegression::fit`];
    /// [`EvalError::Embed`] if a label has no name.
    pub fn train(
        embedder: Embedder<E>,
        images: &dyn ImageDataset,
        probe: &LogisticRegression,
    ) -> Result<Self, EvalError> {
        let train = embedder.embed_labelled(images)?.labelled;
        let layer = probe.fit(&train)?.layer;
        Self::new(embedder, layer, images.class_names().to_vec())
    }

    /// The names of the classes, in the order of the scores.
    #[must_use]
    pub fn class_names(&self) -> &[String] {
        &self.class_names
    }

    /// The encoder, and how images become its input.
    #[must_use]
    pub fn embedder(&self) -> &Embedder<E> {
        &self.embedder
    }

    /// The linear layer on the encoder's features.
    #[must_use]
    pub fn layer(&self) -> &LinearLayer {
        &self.layer
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
    /// [`EvalError::Embed`] for an image without pixels, or if the device fails.
    pub fn predict(&self, images: &[RgbImage]) -> Result<Predictions, EvalError> {
        self.layer.predict(&self.embedder.embed_images(images)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluation::evaluate;
    use burn::tensor::Device;
    use simclr_augment::SimClrAugmentation;
    use simclr_data::{Labelled, SampleConfig, Splits};
    use simclr_model::{ResNet, ResNetConfig, ResNetDepth, Stem};

    fn embedder() -> Embedder<ResNet> {
        let device = Device::flex();
        let config = ResNetConfig::new(ResNetDepth::ResNet18, 2, Stem::Cifar);
        let transform = SimClrAugmentation::cifar10().with_size(16).unwrap().evaluation();
        Embedder::new(config.init(0, &device).unwrap(), transform, &device)
    }

    fn labelled() -> Labelled {
        let config = SampleConfig { images: 50, size: 16, ..SampleConfig::default() };
        Splits::sample(&config).unwrap().labelled.unwrap()
    }

    #[test]
    fn it_says_of_images_what_the_probe_says_of_their_features() {
        let labelled = labelled();
        let probe = LogisticRegression::default();
        let classifier = Classifier::train(embedder(), &labelled.train, &probe).unwrap();

        let features = |set| embedder().embed_labelled(set).unwrap().labelled;
        let (train, test) = (features(&labelled.train), features(&labelled.test));
        let evaluation = evaluate(&probe, &train, &test, &[]).unwrap();
        let expected = evaluation.predictions;
        let images: Vec<RgbImage> =
            (0..labelled.test.len()).map(|i| labelled.test.image(i).unwrap()).collect();
        let found = classifier.predict(&images).unwrap();
        for (a, b) in found.rows().flatten().zip(expected.rows().flatten()) {
            assert!((a - b).abs() < 1e-5, "{a}, not {b}");
        }
        let name = classifier.classify(&images[3]).unwrap();
        assert_eq!(name, classifier.class_names()[found.top1()[3]]);
        assert_eq!(evaluation.layer.as_ref(), Some(classifier.layer()), "what was measured");
    }

    #[test]
    fn pieces_that_do_not_fit_are_refused() {
        let new = |layer: LinearLayer, names: &[&str]| {
            let names = names.iter().map(|&name| name.to_owned()).collect();
            Classifier::new(embedder(), layer, names).map(|_| ()).unwrap_err().to_string()
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
    fn an_image_without_pixels_is_an_error_and_no_image_is_none() {
        let layer = LinearLayer::new(vec![0.0; 16], vec![0.0]);
        let classifier = Classifier::new(embedder(), layer, vec!["a".to_owned()]).unwrap();
        let error = classifier.classify(&RgbImage::new(0, 4)).unwrap_err();
        assert!(matches!(error, EvalError::Embed(EmbedError::Augmentation(_))), "{error}");
        assert!(classifier.predict(&[]).unwrap().is_empty());
    }
}
