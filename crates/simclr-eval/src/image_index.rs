//! Vectors of images by name, in a file, to find the images that are most alike.

use std::collections::HashMap;
use std::path::Path;

use burn::tensor::Device;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use simclr_data::{printable, replace_file};

use crate::error::EvalError;
use crate::features::Features;
use crate::layer::Layer;
use crate::neighbours::{Neighbour, nearest_neighbours};

const VECTORS: &str = "vectors";
const NAMES: &str = "names";
const ENCODER: &str = "encoder";

/// Feature vectors of named images: what a search looks through.
///
/// A file of it is safetensors: one tensor, `vectors`, `[images, features]`, and in the metadata the
/// images' names as a JSON list and what they were embedded by.
///
/// ```
/// use burn::tensor::Device;
/// use simclr_eval::{Features, ImageIndex};
///
/// let names = ["cat.jpg", "dog.jpg", "car.jpg"].map(str::to_owned).to_vec();
/// let features = Features::new(vec![0.9, 0.1, 0.8, 0.3, 0.0, 1.0], 2);
/// let index = ImageIndex::new(names, features, "an encoder")?;
/// let query = Features::new(vec![1.0, 0.1], 2);
/// let best = index.nearest(&query, 1, &Device::flex())?[0][0];
/// assert_eq!(index.names()[best.row as usize], "cat.jpg");
/// # Ok::<(), simclr_eval::EvalError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct ImageIndex {
    names: Vec<String>,
    features: Features,
    encoder: String,
}

impl ImageIndex {
    /// An index of images by the names `names`, in the order of their features. `encoder` tells
    /// encoders apart, since vectors of two of them cannot be compared: a checksum of the weights, say.
    ///
    /// # Errors
    ///
    /// [`EvalError::NoImages`] for an empty index, [`EvalError::NameCount`] unless there is a name for
    /// each vector, [`EvalError::NotFinite`] for a feature that is infinite or no number.
    pub fn new(
        names: Vec<String>,
        features: Features,
        encoder: impl Into<String>,
    ) -> Result<Self, EvalError> {
        let (expected, found) = (features.len(), names.len());
        if expected != found {
            return Err(EvalError::NameCount { expected, found });
        }
        features.check("index")?;
        Ok(Self { names, features, encoder: encoder.into() })
    }

    /// The images' names.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Their vectors.
    #[must_use]
    pub fn features(&self) -> &Features {
        &self.features
    }

    /// What the vectors were made by.
    #[must_use]
    pub fn encoder(&self) -> &str {
        &self.encoder
    }

    /// The `count` images whose vectors have the highest cosine to each query's, the most alike first:
    /// [`Neighbour::row`] is the image's place in the index.
    ///
    /// # Errors
    ///
    /// Those of [`nearest_neighbours`], such as [`EvalError::FeatureSize`] for queries of another length.
    pub fn nearest(
        &self,
        queries: &Features,
        count: usize,
        device: &Device,
    ) -> Result<Vec<Vec<Neighbour>>, EvalError> {
        nearest_neighbours(&self.features, queries, count, device)
    }

    /// Writes the index to a safetensors file, in one step.
    ///
    /// # Errors
    ///
    /// [`EvalError::Write`]; an older file of that name is then untouched.
    pub fn save(&self, path: &Path) -> Result<(), EvalError> {
        let file = self.safetensors();
        replace_file(path, |out| out.write_all(&file)).map_err(EvalError::write(path))
    }

    /// Writes the vectors as `NumPy`'s `.npy`, in one step, and the names beside them, one a line, as
    /// `.txt`; control characters in them are escaped.
    ///
    /// # Errors
    ///
    /// [`EvalError::Write`].
    pub fn save_npy(&self, path: &Path) -> Result<(), EvalError> {
        replace_file(path, |out| {
            out.write_all(&npy_header(self.features.len(), self.features.size()))?;
            out.write_all(&self.bytes())
        })
        .map_err(EvalError::write(path))?;
        let names = path.with_extension("txt");
        replace_file(&names, |out| {
            self.names.iter().try_for_each(|name| writeln!(out, "{}", printable(name)))
        })
        .map_err(EvalError::write(&names))
    }

    /// Reads an index that [`save`](Self::save) wrote.
    ///
    /// # Errors
    ///
    /// [`EvalError::Read`] if the file cannot be read, [`EvalError::NotAnIndex`] if it holds something
    /// else.
    pub fn load(path: &Path) -> Result<Self, EvalError> {
        let bytes = std::fs::read(path)
            .map_err(|source| EvalError::Read { path: path.to_owned(), source })?;
        let of = |expected: &'static str, found: String| EvalError::NotAnIndex {
            path: path.to_owned(),
            expected,
            found,
        };
        let bad_file =
            |error: safetensors::SafeTensorError| of("a safetensors file", error.to_string());
        let (_, header) = SafeTensors::read_metadata(&bytes).map_err(bad_file)?;
        let tensors = SafeTensors::deserialize(&bytes).map_err(bad_file)?;
        let metadata = header.metadata().clone().unwrap_or_default();
        let value = |key: &'static str| {
            metadata.get(key).ok_or_else(|| of(key, "none in its metadata".to_owned()))
        };
        let names: Vec<String> = serde_json::from_str(value(NAMES)?)
            .map_err(|error| of("a list of names", error.to_string()))?;
        let tensor = tensors.tensor(VECTORS).map_err(|error| of("vectors", error.to_string()))?;
        let size = match (tensor.dtype(), tensor.shape()) {
            (Dtype::F32, &[images, size]) if images > 0 && size > 0 => size,
            (dtype, shape) => {
                return Err(of(
                    "vectors in f32, [images, features]",
                    format!("{dtype:?} {shape:?}"),
                ));
            }
        };
        let values = tensor.data().as_chunks::<4>().0;
        let values = values.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect();
        let features = Features::new(values, size).of_layer(Layer::Encoder);
        Self::new(names, features, value(ENCODER)?.clone())
            .map_err(|error| of("vectors and their names", error.to_string()))
    }

    /// The file that holds the index.
    fn safetensors(&self) -> Vec<u8> {
        let bytes = self.bytes();
        let shape = vec![self.features.len(), self.features.size()];
        let tensor = TensorView::new(Dtype::F32, shape, &bytes).expect("the shape is the vectors'");
        let names = serde_json::to_string(&self.names).expect("strings are always JSON");
        let metadata =
            HashMap::from([(NAMES.to_owned(), names), (ENCODER.to_owned(), self.encoder.clone())]);
        safetensors::serialize([(VECTORS, tensor)], Some(metadata))
            .expect("one tensor of a valid shape is always safetensors")
    }

    fn bytes(&self) -> Vec<u8> {
        self.features.values().iter().flat_map(|value| value.to_le_bytes()).collect()
    }
}

/// The start of a `.npy` file, version 1.0: a Python dict of what follows, padded to a multiple of 64
/// bytes.
fn npy_header(images: usize, size: usize) -> Vec<u8> {
    const FIXED_BYTES: usize = 10;
    let mut dict =
        format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({images}, {size}), }}");
    let padded = (FIXED_BYTES + dict.len() + 1).next_multiple_of(64) - FIXED_BYTES;
    dict.push_str(&" ".repeat(padded - dict.len() - 1));
    dict.push('\n');
    let mut header = b"\x93NUMPY\x01\x00".to_vec();
    header.extend((dict.len() as u16).to_le_bytes());
    header.extend(dict.as_bytes());
    header
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index() -> ImageIndex {
        let names = ["a", "b\nc", "d", "e"].map(str::to_owned).to_vec();
        let features = Features::new(vec![1.0, 0.0, 0.0, 2.0, 3.0, 0.0, -1.0, 0.0], 2);
        ImageIndex::new(names, features.of_layer(Layer::Encoder), "weights 1").unwrap()
    }

    #[test]
    fn the_most_alike_come_first_and_equals_in_order() {
        let query = Features::new(vec![1.0, 0.1], 2);
        let found = |count| -> Vec<u32> {
            let found = index().nearest(&query, count, &Device::flex()).unwrap();
            found[0].iter().map(|neighbour| neighbour.row).collect()
        };
        assert_eq!(found(10), [0, 2, 1, 3]);
        assert_eq!((found(1), found(0)), (vec![0], vec![]));
    }

    #[test]
    fn a_query_of_another_length_is_refused() {
        let query = Features::new(vec![1.0], 1);
        let message = index().nearest(&query, 1, &Device::flex()).unwrap_err().to_string();
        assert_eq!(message, "expected feature vectors of length 2, found 1");
    }

    #[test]
    fn an_index_survives_its_file_byte_for_byte() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("index.safetensors");
        index().save(&path).unwrap();
        assert_eq!(ImageIndex::load(&path).unwrap(), index());
    }

    #[test]
    fn a_torn_or_foreign_file_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("index.safetensors");
        index().save(&path).unwrap();
        let whole = std::fs::read(&path).unwrap();
        for length in 0..whole.len() {
            std::fs::write(&path, &whole[..length]).unwrap();
            let error = ImageIndex::load(&path).unwrap_err();
            assert!(matches!(error, EvalError::NotAnIndex { .. }), "{length} bytes: {error}");
        }
        // A vector more than names.
        let text = String::from_utf8_lossy(&whole).into_owned();
        assert!(text.contains(r#"\"d\","#), "{text}");
        let at = whole.windows(4).position(|bytes| bytes == br#"\"d\"#).unwrap();
        let mut other = whole.clone();
        other[at..at + 6].copy_from_slice(b"      ");
        std::fs::write(&path, other).unwrap();
        let message = ImageIndex::load(&path).unwrap_err().to_string();
        assert!(message.contains("expected vectors and their names"), "{message}");
        assert!(message.contains("found expected a name for each of 4"), "{message}");
    }

    #[test]
    fn numpys_file_has_a_name_a_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("index.npy");
        index().save_npy(&path).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        assert_eq!(bytes.len(), 128 + 4 * 8);
        assert!(bytes.starts_with(b"\x93NUMPY\x01\x00\x76\x00{'descr': '<f4'"));
        assert_eq!(bytes[127], b'\n');
        let names = std::fs::read_to_string(path.with_extension("txt")).unwrap();
        assert_eq!(names, "a\nb\\nc\nd\ne\n");
    }
}
