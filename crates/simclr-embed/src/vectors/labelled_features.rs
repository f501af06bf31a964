//! Features with their images' classes.

use simclr_data::ImageDataset;

use super::features::Features;
use crate::error::EmbedError;

/// Features of labelled images: row i of the features is of class `labels[i]`.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelledFeatures {
    features: Features,
    labels: Vec<usize>,
}

impl LabelledFeatures {
    /// Puts features and labels together.
    ///
    /// # Errors
    ///
    /// [`EmbedError::Count`] unless there is one label for each feature vector.
    pub fn new(features: Features, labels: Vec<usize>) -> Result<Self, EmbedError> {
        EmbedError::check_count("one label", "feature vectors", features.len(), labels.len())?;
        Ok(Self { features, labels })
    }

    /// One feature vector per image.
    #[must_use]
    pub fn features(&self) -> &Features {
        &self.features
    }

    /// One class per image.
    #[must_use]
    pub fn labels(&self) -> &[usize] {
        &self.labels
    }

    /// Number of images.
    #[must_use]
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are no images.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Number of classes: the largest label plus one, or 0 without images.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.labels.iter().max().map_or(0, |&label| label + 1)
    }

    /// The images in `rows`, in that order.
    ///
    /// # Panics
    ///
    /// If a row is not below [`len`](Self::len).
    #[must_use]
    pub fn select(&self, rows: &[usize]) -> Self {
        let labels = rows.iter().map(|&row| self.labels[row]).collect();
        Self { features: self.features.select(rows), labels }
    }
}

/// The class of every image, also of those that cannot be read.
///
/// # Errors
///
/// [`EmbedError::Unlabelled`], which names the first image without a label.
pub fn labels_of(images: &dyn ImageDataset) -> Result<Vec<usize>, EmbedError> {
    let unlabelled = |index| EmbedError::Unlabelled { name: images.name(index) };
    (0..images.len()).map(|index| images.label(index).ok_or_else(|| unlabelled(index))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_vector_needs_a_label() {
        let error = LabelledFeatures::new(Features::new(vec![1.0, 2.0], 1), vec![3]).unwrap_err();
        assert_eq!(error.to_string(), "expected one label for each of 2 feature vectors, found 1");
    }
}
