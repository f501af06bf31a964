//! Vectors of images by name, in a file, to find the images that are most alike.

use std::path::Path;

use burn::tensor::Device;
use simclr_data::printable;
use simclr_files::replace_file;

use super::cosine_index::nearest_neighbours;
use super::index_file::{IndexFile, write_index};
use super::nearest::Neighbour;
use crate::embedding::Preparation;
use crate::error::EmbedError;
use crate::vectors::{FeatureSource, Features};

/// Feature vectors of named images: what a search looks through.
///
/// Its file is safetensors: the tensor `vectors`, `[images, features]`; the tensor `names`, the bytes of a JSON list of the
/// images' names; and in the metadata how they were prepared, as JSON.
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

    /// The names, and the vectors, of which it has no other copy.
    #[must_use]
    pub fn into_parts(self) -> (Vec<String>, Features) {
        (self.names, self.features)
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
        let shape = [self.features.len(), self.features.size()];
        write_index(path.as_ref(), &self.names, &self.preparation, shape, |out| {
            self.features.values().iter().try_for_each(|value| out.write_all(&value.to_le_bytes()))
        })
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

    /// Reads an index that [`save`](Self::save) or a [`VectorFile`](crate::VectorFile) wrote, or an older version of this
    /// crate. Takes the memory of the vectors once, and no more than the file's size on its header's word.
    ///
    /// # Errors
    ///
    /// [`EmbedError::Read`] if the file cannot be read, [`EmbedError::File`] if it holds something else.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, EmbedError> {
        let path = path.as_ref();
        let IndexFile { names, preparation, values, size } = IndexFile::read(path)?;
        let features = Features::new(values, size).with_source(FeatureSource::Encoder);
        Self::new(names, features, preparation)
            .map_err(|error| EmbedError::file(path, "vectors and their names", error.to_string()))
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
        let loaded = ImageIndex::load(&path).unwrap();
        assert_eq!(loaded, index());
        let (names, features) = loaded.into_parts();
        assert_eq!((&names[..], &features), (index().names(), index().features()));
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
        let at = whole.windows(4).position(|bytes| bytes == br#""d","#).unwrap();
        let mut other = whole.clone();
        other[at..at + 4].copy_from_slice(b"    ");
        std::fs::write(&path, other).unwrap();
        let message = ImageIndex::load(&path).unwrap_err().to_string();
        assert!(message.contains("expected vectors and their names"), "{message}");
        assert!(message.contains("found expected a name for each of 4"), "{message}");
    }

    /// A file with this header, and 36 bytes after it.
    fn load(header: &str) -> Result<ImageIndex, EmbedError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("index.safetensors");
        let length = (header.len() as u64).to_le_bytes();
        let values = [1.0_f32; 8].map(f32::to_le_bytes).concat();
        let bytes = [&length[..], header.as_bytes(), &values, br#"["a"]"#].concat();
        std::fs::write(&path, bytes).unwrap();
        ImageIndex::load(&path)
    }

    #[test]
    fn hostile_headers_are_refused_before_memory_is_taken() {
        let preparation = serde_json::to_string(index().preparation()).unwrap();
        let metadata = serde_json::json!({ "preparation": preparation, "names": r#"["a","b"]"# });
        let header = |vectors: &str, names: &str| {
            format!(r#"{{"__metadata__":{metadata},"vectors":{vectors}{names}}}"#)
        };
        let tensor = |shape: &str, to: u64| {
            format!(r#"{{"dtype":"F32","shape":{shape},"data_offsets":[0,{to}]}}"#)
        };
        // As older versions wrote it, with the names in the metadata.
        let old = load(&header(&tensor("[2,4]", 32), "")).unwrap();
        assert_eq!((old.names().len(), old.features().size()), (2, 4));
        for vectors in [
            tensor("[4611686018427387904,4]", 0),
            tensor("[1099511627776,4]", 17_592_186_044_416),
            tensor("[0,4]", 0),
            tensor("[4,0]", 0),
            tensor("[2,4]", 31),
            tensor("[8]", 32),
            tensor("[2,4]", 32).replace("[0,32]", "[40,8]"),
            tensor("[2,4]", 32).replace("[0,32]", "[32,64]"),
            tensor("[2,4]", 32).replace("F32", "F16"),
        ] {
            let error = load(&header(&vectors, "")).unwrap_err();
            assert!(matches!(error, EmbedError::File { .. }), "{vectors}: {error}");
        }
        for names in [
            r#","names":{"dtype":"U8","shape":[5],"data_offsets":[32,38]}"#,
            r#","names":{"dtype":"F32","shape":[1],"data_offsets":[32,36]}"#,
            r#","names":{"dtype":"U8","shape":[99],"data_offsets":[32,131]}"#,
            r#","names":{"dtype":"U8","shape":[4],"data_offsets":[32,36]}"#,
        ] {
            let error = load(&header(&tensor("[2,4]", 32), names)).unwrap_err();
            assert!(matches!(error, EmbedError::File { .. }), "{names}: {error}");
        }
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
