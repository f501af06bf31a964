//! Vectors of images by name, in a file, to find the images that are most alike.

use std::collections::HashMap;
use std::path::Path;

use burn::tensor::Device;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use simclr_data::{printable, replace_file};

use super::cosine_index::nearest_neighbours;
use super::nearest::Neighbour;
use crate::embedding::Preparation;
use crate::error::EmbedError;
use crate::vectors::{FeatureSource, Features};

const VECTORS: &str = "vectors";
const NAMES: &str = "names";
const PREPARATION: &str = "preparation";

/// Feature vectors of named images: what a search looks through.
///
/// Its file is safetensors: one tensor, `vectors`, `[images, features]`, and in the metadata the images' names
/// as a JSON list and how they were prepared, as JSON.
///
/// ```
/// use burn::tensor::Device;
/// use simclr_augment::SimClrAugmentation;
/// use simclr_embed::{Features, ImageIndex, Preparation};
///
/// // or `embedder.preparation()`
/// let preparation = Preparation::new("weights", SimClrAugmentation::cifar10().evaluation());
/// let names = ["cat.jpg", "dog.jpg", "car.jpg"].map(str::to_owned).to_vec();
/// let features = Features::new(vec![0.9, 0.1, 0.8, 0.3, 0.0, 1.0], 2);
/// let index = ImageIndex::new(names, features, preparation.clone())?;
/// index.preparation().check(&preparation)?; // that of the queries
/// let query = Features::new(vec![1.0, 0.1], 2);
/// let best = index.nearest(&query, 1, &Device::flex())?[0][0];
/// assert_eq!(index.names()[best.row as usize], "cat.jpg");
/// # Ok::<(), simclr_embed::EmbedError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct ImageIndex {
    names: Vec<String>,
    features: Features,
    preparation: Preparation,
}

impl ImageIndex {
    /// An index of images by the names `names`, in the order of their features: those of
    /// [`Embedded`](crate::Embedded). `preparation` is that of the [`Embedder`](crate::Embedder): queries can be compared
    /// only if they were prepared in the same way.
    ///
    /// # Errors
    ///
    /// [`EmbedError::Count`] unless there is a name for each vector, [`EmbedError::NoImages`] for an empty index,
    /// [`EmbedError::NotFinite`] for a feature that is NaN or infinite.
    pub fn new(
        names: Vec<String>,
        features: Features,
        preparation: Preparation,
    ) -> Result<Self, EmbedError> {
        EmbedError::check_count("a name", "vectors", features.len(), names.len())?;
        features.check("index")?;
        Ok(Self { names, features, preparation })
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

    /// How the images were prepared. Check that of the queries against it.
    #[must_use]
    pub fn preparation(&self) -> &Preparation {
        &self.preparation
    }

    /// The `count` images whose vectors have the highest cosine to each query's, the most alike first:
    /// [`Neighbour::row`] is the image's place in the index. Ask for all queries at once: each call copies the
    /// index to `device`.
    ///
    /// # Errors
    ///
    /// Those of [`nearest_neighbours`], such as [`EmbedError::FeatureSize`] for queries of another length.
    pub fn nearest(
        &self,
        queries: &Features,
        count: usize,
        device: &Device,
    ) -> Result<Vec<Vec<Neighbour>>, EmbedError> {
        nearest_neighbours(&self.features, queries, count, device)
    }

    /// Writes the index to a safetensors file, which appears as a whole or not at all.
    ///
    /// # Errors
    ///
    /// [`EmbedError::Write`]; an older file of that name is then untouched.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), EmbedError> {
        let (path, file) = (path.as_ref(), self.safetensors());
        replace_file(path, |out| out.write_all(&file)).map_err(EmbedError::write(path))
    }

    /// Writes the vectors as [`Features::write_npy`] does, and the names beside them, one a line, as `.txt`;
    /// control characters in them are escaped.
    ///
    /// # Errors
    ///
    /// [`EmbedError::Write`].
    pub fn save_npy(&self, path: impl AsRef<Path>) -> Result<(), EmbedError> {
        self.features.write_npy(&path)?;
        let names = path.as_ref().with_extension("txt");
        replace_file(&names, |out| {
            self.names.iter().try_for_each(|name| writeln!(out, "{}", printable(name)))
        })
        .map_err(EmbedError::write(&names))
    }

    /// Reads an index that [`save`](Self::save) wrote.
    ///
    /// # Errors
    ///
    /// [`EmbedError::Read`] if the file cannot be read, [`EmbedError::File`] if it holds something else.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, EmbedError> {
        let path = path.as_ref();
        let bytes = std::fs::read(path).map_err(EmbedError::read(path))?;
        let bad_file = |error: safetensors::SafeTensorError| {
            EmbedError::file(path, "a safetensors file", error.to_string())
        };
        let (_, header) = SafeTensors::read_metadata(&bytes).map_err(bad_file)?;
        let tensors = SafeTensors::deserialize(&bytes).map_err(bad_file)?;
        let metadata = header.metadata().clone().unwrap_or_default();
        let value = |key: &str| {
            let missing = || EmbedError::file(path, format!("`{key}` in the header"), "none");
            metadata.get(key).ok_or_else(missing)
        };
        let names: Vec<String> = serde_json::from_str(value(NAMES)?)
            .map_err(|error| EmbedError::file(path, "a list of names", error.to_string()))?;
        let preparation = serde_json::from_str(value(PREPARATION)?)
            .map_err(|error| EmbedError::file(path, "a preparation", error.to_string()))?;
        let tensor = tensors
            .tensor(VECTORS)
            .map_err(|error| EmbedError::file(path, VECTORS, error.to_string()))?;
        let size = match (tensor.dtype(), tensor.shape()) {
            (Dtype::F32, &[images, size]) if images > 0 && size > 0 => size,
            (dtype, shape) => {
                let expected = "vectors in f32, [images, features]";
                return Err(EmbedError::file(path, expected, format!("{dtype:?} {shape:?}")));
            }
        };
        let values = tensor.data().as_chunks::<4>().0;
        let values = values.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect();
        let features = Features::new(values, size).with_source(FeatureSource::Encoder);
        Self::new(names, features, preparation)
            .map_err(|error| EmbedError::file(path, "vectors and their names", error.to_string()))
    }

    /// The file that holds the index.
    fn safetensors(&self) -> Vec<u8> {
        let bytes: Vec<u8> =
            self.features.values().iter().flat_map(|value| value.to_le_bytes()).collect();
        let shape = vec![self.features.len(), self.features.size()];
        let tensor = TensorView::new(Dtype::F32, shape, &bytes).expect("the shape is the vectors'");
        let names = serde_json::to_string(&self.names).expect("strings are always JSON");
        let preparation =
            serde_json::to_string(&self.preparation).expect("texts and numbers are JSON");
        let metadata =
            HashMap::from([(NAMES.to_owned(), names), (PREPARATION.to_owned(), preparation)]);
        safetensors::serialize([(VECTORS, tensor)], Some(metadata))
            .expect("one tensor of a valid shape is always safetensors")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use simclr_augment::SimClrAugmentation;

    fn index() -> ImageIndex {
        let names = ["a", "b\nc", "d", "e"].map(str::to_owned).to_vec();
        let features = Features::new(vec![1.0, 0.0, 0.0, 2.0, 3.0, 0.0, -1.0, 0.0], 2);
        let transform = SimClrAugmentation::cifar10().evaluation();
        let preparation = Preparation::new("weights 1", transform);
        ImageIndex::new(names, features.with_source(FeatureSource::Encoder), preparation).unwrap()
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
            assert!(matches!(error, EmbedError::File { .. }), "{length} bytes: {error}");
        }
        // One vector more than names.
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
    fn numpys_file_has_a_name_a_line_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("index.npy");
        index().save_npy(&path).unwrap();
        assert!(std::fs::read(&path).unwrap().starts_with(b"\x93NUMPY"));
        let names = std::fs::read_to_string(path.with_extension("txt")).unwrap();
        assert_eq!(names, "a\nb\\nc\nd\ne\n");
    }
}
