//! What becomes of a data set that is embedded.

use std::io;
use std::path::Path;

use simclr_data::{DataError, ImageDataset, WholeSet};
use simclr_files::replace_file;

use super::batches::Rows;
use crate::error::EmbedError;
use crate::vectors::{FeatureSource, Features, LabelledFeatures};

/// The first line of a table.
pub(super) const TABLE_HEADER: &str = "name,split,class,label\n";

/// What became of a data set that was embedded. Row i of the features is of the image `indices[i]`, which is
/// called `names[i]`.
#[derive(Debug)]
pub struct Embedded {
    /// The features of every image that could be read, in order.
    pub features: Features,
    /// The index of each of these images in the data set.
    pub indices: Vec<usize>,
    /// The name of each of these images.
    pub names: Vec<String>,
    /// The images that could not be read, and are left out.
    pub skipped: Vec<DataError>,
}

/// What became of a labelled data set that was embedded: [`Embedded`] with labels.
#[derive(Debug)]
pub struct EmbeddedLabelled {
    /// The features of every image that could be read, in order, and their labels.
    pub labelled: LabelledFeatures,
    /// The index of each of these images in the data set.
    pub indices: Vec<usize>,
    /// The name of each of these images.
    pub names: Vec<String>,
    /// The images that could not be read, and are left out.
    pub skipped: Vec<DataError>,
}

impl Embedded {
    /// Features of `size` values each, with the names that the images have in their set.
    pub(super) fn new(
        rows: Rows,
        size: usize,
        source: FeatureSource,
        images: &dyn ImageDataset,
    ) -> Self {
        let Rows { values, indices, skipped } = rows;
        let features = Features::new(values, size).with_source(source);
        let names = indices.iter().map(|&index| images.name(index)).collect();
        Self { features, indices, names, skipped }
    }

    /// Writes a line for each vector, in order, below the header `name,split,class,label`, as comma-separated values. They
    /// are those of `images`, the set that was embedded; class and label are empty for an image that has none. The file
    /// appears as a whole or not at all.
    ///
    /// ```
    /// # use burn::tensor::Device;
    /// # use image::{Rgb, RgbImage};
    /// # use simclr_augment::SimClrAugmentation;
    /// use simclr_data::WholeSet;
    /// # use simclr_embed::Embedder;
    /// # use simclr_model::EncoderConfig;
    ///
    /// # let folder = tempfile::tempdir()?;
    /// # let folder = folder.path();
    /// # for path in ["photos/cat", "photos/dog"] {
    /// #     std::fs::create_dir_all(folder.join(path))?;
    /// #     RgbImage::from_pixel(9, 9, Rgb([90, 60, 30])).save(folder.join(path).join("1.png"))?;
    /// # }
    /// # let device = Device::flex();
    /// # let config: EncoderConfig = "mlp_i8_4".parse()?;
    /// # let transform = SimClrAugmentation::cifar10().with_size(8)?.evaluation();
    /// # let embedder = Embedder::new(config.init(0, &device)?, transform, &device);
    /// let photos = WholeSet::open(folder.join("photos"))?; // with the folders `cat` and `dog`
    /// let embedded = embedder.embed(&photos)?;
    /// embedded.features.write_npy(folder.join("vectors.npy"))?;
    /// embedded.write_table(&photos, folder.join("vectors.csv"))?;
    /// let table = std::fs::read_to_string(folder.join("vectors.csv"))?;
    /// assert_eq!(table, "name,split,class,label\ncat/1.png,train,cat,0\ndog/1.png,train,dog,1\n");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`EmbedError::Write`]; an older file of that name is then untouched.
    pub fn write_table(&self, images: &WholeSet, path: impl AsRef<Path>) -> Result<(), EmbedError> {
        let path = path.as_ref();
        replace_file(path, |file| {
            file.write_all(TABLE_HEADER.as_bytes())?;
            file.write_all(&self.table_lines(images)?)
        })
        .map_err(EmbedError::write(path))
    }

    /// The table's lines, without its header.
    pub(super) fn table_lines(&self, images: &WholeSet) -> io::Result<Vec<u8>> {
        let mut table = csv::Writer::from_writer(Vec::new());
        for (name, &index) in self.names.iter().zip(&self.indices) {
            let class = images.class(index).unwrap_or_default();
            let label = images.label(index).map(|label| label.to_string()).unwrap_or_default();
            table.write_record([name, images.split(index), class, &label])?;
        }
        table.into_inner().map_err(csv::IntoInnerError::into_error)
    }

    /// With the labels of these images, out of those of the whole set.
    pub(super) fn labelled(self, labels: &[usize]) -> EmbeddedLabelled {
        let Self { features, indices, names, skipped } = self;
        let labels = indices.iter().map(|&index| labels[index]).collect();
        let labelled = LabelledFeatures::new(features, labels).expect("every index has a label");
        EmbeddedLabelled { labelled, indices, names, skipped }
    }
}
