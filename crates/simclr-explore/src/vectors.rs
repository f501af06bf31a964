//! The images' vectors: out of the run's index, as far as it has them.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use simclr_data::{BeforeReading, ImageDataset, Subset};
use simclr_embed::{Embedder, Features, ImageIndex};

use crate::error::ExploreError;

/// The index that `simclr embed` writes to a run's folder, and the one that is kept of other images.
const OF_RUN: &str = "index.safetensors";
const OF_OTHERS: &str = "explore.index.safetensors";

/// Images that could be read, and their vectors.
pub(crate) struct Vectors {
    pub(crate) names: Vec<String>,
    /// Where in the data set each is.
    pub(crate) indices: Vec<usize>,
    /// Of length 1.
    pub(crate) features: Features,
    /// Images that could not be read.
    pub(crate) skipped: usize,
}

impl Vectors {
    /// The vectors of all `images` that can be read. Those in the index of the run in `folder` are believed by their names; others are embedded, and kept in an
    /// index for the next time. `tell` hears how many are embedded, of how many.
    ///
    /// # Errors
    ///
    /// [`ExploreError::NoImages`] if none can be read; [`ExploreError::Embed`] if an index is damaged, the device fails or an index cannot be written;
    /// [`ExploreError::Data`] if the set fails as a whole.
    pub(crate) fn of(
        images: &Arc<dyn ImageDataset>,
        folder: &Path,
        embedder: &Embedder,
        tell: &(dyn Fn(usize, usize) + Sync),
    ) -> Result<Self, ExploreError> {
        let names: Vec<String> = (0..images.len()).map(|index| images.name(index)).collect();
        let mut known = Known::default();
        let mut has_index = false;
        let preparation = embedder.preparation();
        for file in [OF_RUN, OF_OTHERS] {
            let path = folder.join(file);
            if !path.is_file() {
                continue;
            }
            has_index = true;
            let index = ImageIndex::load(&path)?;
            if *index.preparation() == preparation {
                known.add(index, &names);
            }
            if known.has_all(&names) {
                break;
            }
        }
        let missing: Vec<usize> =
            (0..names.len()).filter(|&index| !known.places.contains_key(&names[index])).collect();
        let (count, mut skipped) = (missing.len(), 0);
        if !missing.is_empty() {
            let done = AtomicUsize::new(0);
            let new = BeforeReading::new(Subset::new(Arc::clone(images), missing)?, |_| {
                tell(done.fetch_add(1, Ordering::Relaxed), count);
                Ok(())
            });
            let embedded = embedder.embed(&new)?;
            skipped = embedded.skipped.len();
            known.extend(embedded.names, &embedded.features);
        }
        let vectors = known.in_order(names, embedder.feature_size(), skipped)?;
        if skipped < count {
            let file = folder.join(if has_index { OF_OTHERS } else { OF_RUN });
            let (names, features) = (vectors.names.clone(), vectors.features.clone());
            ImageIndex::new(names, features, preparation)?.save(file)?;
        }
        Ok(vectors)
    }
}

/// Vectors by name.
#[derive(Default)]
struct Known {
    /// Where each vector begins.
    places: HashMap<String, usize>,
    values: Vec<f32>,
}

impl Known {
    /// Takes what an index has of these images.
    fn add(&mut self, index: ImageIndex, names: &[String]) {
        if self.places.is_empty() && index.names() == names {
            let (names, features) = index.into_parts();
            let size = features.size();
            self.values = features.into_values();
            self.places = names.into_iter().zip((0..).step_by(size)).collect();
            return;
        }
        let wanted: HashSet<&String> = names.iter().collect();
        let (found, features) = index.into_parts();
        let rows: Vec<usize> =
            (0..found.len()).filter(|&row| wanted.contains(&found[row])).collect();
        let names = rows.iter().map(|&row| found[row].clone()).collect();
        self.extend(names, &features.select(&rows));
    }

    fn extend(&mut self, names: Vec<String>, features: &Features) {
        for (name, row) in names.into_iter().zip(features.rows()) {
            self.places.insert(name, self.values.len());
            self.values.extend_from_slice(row);
        }
    }

    fn has_all(&self, names: &[String]) -> bool {
        names.iter().all(|name| self.places.contains_key(name))
    }

    /// The vectors in the order of these names, as far as there are any.
    fn in_order(
        self,
        names: Vec<String>,
        size: usize,
        skipped: usize,
    ) -> Result<Vectors, ExploreError> {
        let images = names.len();
        let (mut indices, mut found, mut starts) = (Vec::new(), Vec::new(), Vec::new());
        for (index, name) in names.into_iter().enumerate() {
            if let Some(&start) = self.places.get(&name) {
                indices.push(index);
                found.push(name);
                starts.push(start);
            }
        }
        if found.is_empty() {
            return Err(ExploreError::NoImages { images });
        }
        let is_ordered = starts.iter().copied().eq((0..self.values.len()).step_by(size));
        let values = if is_ordered {
            self.values
        } else {
            starts.iter().flat_map(|&start| &self.values[start..start + size]).copied().collect()
        };
        let features = Features::new(values, size).unit();
        features.check("set")?;
        Ok(Vectors { names: found, indices, features, skipped })
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;
    use simclr_augment::SimClrAugmentation;
    use simclr_data::{Sample, SampleConfig};
    use simclr_model::EncoderConfig;

    use super::*;

    fn embedder(seed: u64) -> Embedder {
        let config: EncoderConfig = "mlp_i8_4".parse().unwrap();
        let transform = SimClrAugmentation::cifar10().with_size(8).unwrap().evaluation();
        let device = Device::flex();
        Embedder::new(config.init(seed, &device).unwrap(), transform, &device)
    }

    fn sample(images: usize) -> Arc<dyn ImageDataset> {
        let config = SampleConfig { images, size: 16, ..SampleConfig::default() };
        Arc::new(Sample::new(config).unwrap())
    }

    #[test]
    fn each_image_is_embedded_once() {
        let folder = tempfile::tempdir().unwrap();
        let embedded = AtomicUsize::new(0);
        let of = |images: usize, seed: u64| {
            embedded.store(0, Ordering::Relaxed);
            let tell = |_, _| {
                embedded.fetch_add(1, Ordering::Relaxed);
            };
            let vectors =
                Vectors::of(&sample(images), folder.path(), &embedder(seed), &tell).unwrap();
            assert_eq!((vectors.names.len(), vectors.features.len()), (images, images));
            (vectors.features, embedded.load(Ordering::Relaxed))
        };
        let (few, count) = of(10, 0);
        assert_eq!(count, 10);
        assert_eq!(of(10, 0), (few.clone(), 0));
        let run = std::fs::read(folder.path().join(OF_RUN)).unwrap();
        // Images that came, and went again.
        let (more, count) = of(14, 0);
        assert_eq!((count, &more.values()[..40]), (4, few.values()));
        assert_eq!(of(14, 0).1, 0);
        assert_eq!(of(10, 0), (few.clone(), 0));
        // Vectors of another encoder are no use.
        assert_eq!(of(10, 1).1, 10);
        assert_eq!(std::fs::read(folder.path().join(OF_RUN)).unwrap(), run);
    }
}
