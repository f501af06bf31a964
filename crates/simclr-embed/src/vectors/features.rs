//! Feature vectors of images, on the host.

use std::path::Path;

use npyz::WriterBuilder;
use simclr_data::replace_file;

use super::feature_source::FeatureSource;
use crate::error::EmbedError;

/// One feature vector per image, row by row: `[len, size]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Features {
    values: Vec<f32>,
    size: usize,
    source: FeatureSource,
}

impl Features {
    /// Features from their values, row after row, of [`FeatureSource::Given`].
    ///
    /// # Panics
    ///
    /// If `size` is zero or does not divide the number of values.
    #[must_use]
    pub fn new(values: Vec<f32>, size: usize) -> Self {
        assert!(
            size > 0 && values.len().is_multiple_of(size),
            "expected rows of {size} features, found {} values",
            values.len()
        );
        Self { values, size, source: FeatureSource::Given }
    }

    /// The same features, known to come from `source`.
    #[must_use]
    pub fn with_source(self, source: FeatureSource) -> Self {
        Self { source, ..self }
    }

    /// Where they come from.
    #[must_use]
    pub fn source(&self) -> FeatureSource {
        self.source
    }

    /// Number of images.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len() / self.size
    }

    /// Whether there are no images.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Length of one feature vector.
    #[must_use]
    pub fn size(&self) -> usize {
        self.size
    }

    /// The feature vectors in order.
    #[must_use]
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &[f32]> {
        self.values.chunks_exact(self.size)
    }

    /// The feature vector of the image in row `index`.
    ///
    /// # Panics
    ///
    /// If `index` is not below [`len`](Self::len).
    #[must_use]
    pub fn row(&self, index: usize) -> &[f32] {
        &self.values[index * self.size..][..self.size]
    }

    /// All values, row after row.
    #[must_use]
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// The images in `rows`, in that order.
    ///
    /// # Panics
    ///
    /// If a row is not below [`len`](Self::len).
    #[must_use]
    pub fn select(&self, rows: &[usize]) -> Self {
        let values = rows.iter().flat_map(|&row| self.row(row)).copied().collect();
        Self { values, ..*self }
    }

    /// All values, row after row.
    #[must_use]
    pub fn into_values(self) -> Vec<f32> {
        self.values
    }

    /// The same vectors at length 1, whose products are cosines. A vector of zeros stays as it is.
    #[must_use]
    pub fn unit(mut self) -> Self {
        for row in self.values.chunks_exact_mut(self.size) {
            let norm = row.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>().sqrt();
            if norm > 0.0 {
                for x in row {
                    *x = (f64::from(*x) / norm) as f32;
                }
            }
        }
        self
    }

    /// Checks that there are images, and that all features are finite.
    ///
    /// # Errors
    ///
    /// [`EmbedError::NoImages`] and [`EmbedError::NotFinite`], which call these features `set`.
    pub fn check(&self, set: &'static str) -> Result<(), EmbedError> {
        if self.is_empty() {
            return Err(EmbedError::NoImages { set });
        }
        match self.values.iter().position(|x| !x.is_finite()) {
            None => Ok(()),
            Some(at) => {
                Err(EmbedError::NotFinite { set, row: at / self.size, found: self.values[at] })
            }
        }
    }

    /// Checks that `other` can be compared with these features: that its vectors have the same length.
    ///
    /// # Errors
    ///
    /// [`EmbedError::FeatureSize`] if they don't.
    pub fn check_size(&self, other: &Self) -> Result<(), EmbedError> {
        let (expected, found) = (self.size, other.size);
        if expected == found { Ok(()) } else { Err(EmbedError::FeatureSize { expected, found }) }
    }

    /// Writes the vectors as `NumPy`'s `.npy`, `[len, size]` in f32. The file appears as a whole or not at all.
    ///
    /// ```
    /// use simclr_embed::Features;
    ///
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("vectors.npy");
    /// Features::new(vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 3).write_npy(&path)?;
    /// let read = npyz::NpyFile::new(std::fs::File::open(&path)?)?; // or numpy.load(path)
    /// assert_eq!(read.shape(), [2, 3]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`EmbedError::Write`]; an older file of that name is then untouched.
    pub fn write_npy(&self, path: impl AsRef<Path>) -> Result<(), EmbedError> {
        let path = path.as_ref();
        replace_file(path, |file| {
            let mut rows = npyz::WriteOptions::<f32>::new()
                .default_dtype()
                .shape(&[self.len() as u64, self.size as u64])
                .writer(&mut *file)
                .begin_nd()?;
            rows.extend(self.values.iter().copied())?;
            rows.finish()?;
            file.flush()
        })
        .map_err(EmbedError::write(path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numpys_file_holds_every_value_in_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vectors.npy");
        let features = Features::new((0..12).map(|x| x as f32 / 8.0).collect(), 4);
        features.write_npy(&path).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        assert!(bytes.starts_with(b"\x93NUMPY\x01\x00"));
        assert!(bytes.len().is_multiple_of(16), "{} bytes", bytes.len());
        let read = npyz::NpyFile::new(&bytes[..]).unwrap();
        assert_eq!((read.shape(), read.order()), (&[3_u64, 4][..], npyz::Order::C));
        assert_eq!(read.dtype().descr(), "'<f4'");
        assert_eq!(read.into_vec::<f32>().unwrap(), features.values());
    }

    #[test]
    fn a_folder_that_does_not_exist_is_named() {
        let error = Features::new(vec![1.0], 1).write_npy("no/such/folder/a.npy").unwrap_err();
        assert_eq!(error.to_string(), "cannot write no/such/folder/a.npy");
    }

    #[test]
    fn unit_vectors_keep_their_direction_and_zeros_stay() {
        let unit = Features::new(vec![3.0, 4.0, 0.0, 0.0, 0.0, 2.0], 2).unit();
        assert_eq!(unit.values(), [0.6, 0.8, 0.0, 0.0, 0.0, 1.0]);
    }

    #[test]
    fn selected_rows_keep_their_order_and_source() {
        let features = Features::new(vec![0.0, 1.0, 2.0, 3.0, 4.0, 5.0], 2);
        let selected = features.with_source(FeatureSource::RawPixels).select(&[2, 0, 2]);
        assert_eq!(selected.values(), [4.0, 5.0, 0.0, 1.0, 4.0, 5.0]);
        assert_eq!(selected.source(), FeatureSource::RawPixels);
    }
}
