//! What is computed once of the images' vectors, and kept.

use std::path::Path;
use std::sync::Arc;

use burn::tensor::Device;
use safetensors::tensor::{Dtype, TensorView};
use safetensors::{SafeTensors, serialize};
use sha2::{Digest, Sha256};
use simclr_embed::{ExperimentalDesign, Features, NeighbourGraph, Tsne, outlier_scores};
use simclr_files::replace_file;

use crate::error::ExploreError;
use crate::grouping::Grouping;
use crate::map_positions::map_positions;

/// A file of another version is computed anew.
const VERSION: &str = "2";
/// For all that is drawn by chance.
pub(crate) const SEED: u64 = 0;
/// Nearest images whose mean distance says how odd an image is, as `simclr odd` has it.
const NEIGHBOURS: usize = 10;
/// Groups that the map begins with.
const GROUPS: usize = 12;
/// Bytes of a file beside its tensors, and the most for each image in them.
const HEADER: u64 = 1 << 16;
const EACH: u64 = 1 << 10;

/// A map of the images, their groups, and how odd each is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Preparation {
    /// Both coordinates in 0..=1, the second one downwards.
    pub(crate) positions: Vec<[f32; 2]>,
    /// The mean distance, 1 - cosine, to the nearest others.
    pub(crate) odd: Vec<f32>,
    pub(crate) grouping: Grouping,
    /// What tells which images to label next.
    pub(crate) design: Arc<ExperimentalDesign>,
}

impl Preparation {
    /// Computes what the file at `path` doesn't hold of these unit vectors, and writes it. `tell` hears what is being done.
    ///
    /// # Errors
    ///
    /// [`ExploreError::Embed`] if the device fails, [`ExploreError::Write`].
    pub(crate) fn of(
        features: &Features,
        path: &Path,
        device: &Device,
        tell: &dyn Fn(&'static str),
    ) -> Result<Self, ExploreError> {
        let digest = digest(features);
        if let Some(kept) = Self::read(path, &digest, features.len()) {
            return Ok(kept);
        }
        tell("drawing the map");
        let neighbours = Tsne::default().neighbours.max(NEIGHBOURS);
        let graph = NeighbourGraph::new(features, neighbours, SEED, device)?;
        let positions = on_the_map(&map_positions(features, &graph, SEED)?);
        tell("looking for odd images");
        let odd = outlier_scores(&graph.nearest(NEIGHBOURS));
        tell("grouping");
        let grouping = Grouping::of(features, GROUPS, device)?;
        tell("preparing what to label");
        let design = Arc::new(ExperimentalDesign::new(features, &graph, SEED)?);
        let preparation = Self { positions, odd, grouping, design };
        preparation.write(path, &digest)?;
        Ok(preparation)
    }

    /// What the file holds of `images` vectors of this digest; `None` if it is another file, or none.
    fn read(path: &Path, digest: &str, images: usize) -> Option<Self> {
        let length = std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file)?.len();
        if length > HEADER + EACH * images as u64 {
            return None;
        }
        let bytes = std::fs::read(path).ok()?;
        let (_, header) = SafeTensors::read_metadata(&bytes).ok()?;
        let about = header.metadata().as_ref()?;
        let is_same = |key: &str, value: &str| about.get(key).is_some_and(|found| found == value);
        if !is_same("vectors", digest) || !is_same("version", VERSION) {
            return None;
        }
        let tensors = SafeTensors::deserialize(&bytes).ok()?;
        let values = |name: &str, dtype: Dtype, shape: &[usize]| {
            let tensor = tensors.tensor(name).ok()?;
            (tensor.dtype() == dtype && tensor.shape() == shape).then(|| tensor.data().to_vec())
        };
        let floats = |bytes: Vec<u8>| -> Option<Vec<f32>> {
            let floats: Vec<f32> =
                bytes.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
            floats.iter().all(|x| x.is_finite()).then_some(floats)
        };
        let positions = floats(values("positions", Dtype::F32, &[images, 2])?)?;
        let odd = floats(values("odd", Dtype::F32, &[images])?)?;
        let numbers = |bytes: Vec<u8>| -> Vec<u32> {
            bytes.as_chunks::<4>().0.iter().map(|bytes| u32::from_le_bytes(*bytes)).collect()
        };
        let of = numbers(values("groups", Dtype::U32, &[images])?);
        let shape = |name: &str| Some(tensors.tensor(name).ok()?.shape().to_vec());
        let medoids = numbers(values("medoids", Dtype::U32, &shape("medoids")?)?);
        let size = shape("points")?.get(1).copied().filter(|&size| size > 0)?;
        let points = floats(values("points", Dtype::F32, &[images, size])?)?;
        Some(Self {
            positions: positions.as_chunks::<2>().0.to_vec(),
            odd,
            grouping: Grouping::from_numbers(&of, &medoids)?,
            design: Arc::new(ExperimentalDesign::of_points(Features::new(points, size))),
        })
    }

    fn write(&self, path: &Path, digest: &str) -> Result<(), ExploreError> {
        let floats = |values: &[f32]| -> Vec<u8> {
            values.iter().flat_map(|value| value.to_le_bytes()).collect()
        };
        let numbers = |values: &[u32]| -> Vec<u8> {
            values.iter().flat_map(|value| value.to_le_bytes()).collect()
        };
        let images = self.odd.len();
        let (of, medoids) = self.grouping.to_numbers();
        let points = self.design.points();
        let data = [
            ("positions", Dtype::F32, vec![images, 2], floats(self.positions.as_flattened())),
            ("odd", Dtype::F32, vec![images], floats(&self.odd)),
            ("groups", Dtype::U32, vec![images], numbers(&of)),
            ("medoids", Dtype::U32, vec![medoids.len()], numbers(&medoids)),
            ("points", Dtype::F32, vec![images, points.size()], floats(points.values())),
        ];
        let views = data.iter().map(|(name, dtype, shape, bytes)| {
            let view = TensorView::new(*dtype, shape.clone(), bytes);
            (*name, view.expect("each has a value for each place"))
        });
        let about = [("vectors", digest), ("version", VERSION)];
        let about = about.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
        let bytes = serialize(views, Some(about)).expect("these tensors are a file's");
        replace_file(path, |file| file.write_all(&bytes)).map_err(ExploreError::write(path))
    }
}

/// What tells these vectors from others.
fn digest(features: &Features) -> String {
    let mut hasher = Sha256::new();
    hasher.update((features.size() as u64).to_le_bytes());
    let mut bytes = Vec::new();
    for row in features.rows() {
        bytes.clear();
        bytes.extend(row.iter().flat_map(|value| value.to_le_bytes()));
        hasher.update(&bytes);
    }
    hex::encode(hasher.finalize())
}

/// Places in a square of side 1, both axes scaled alike, and up is up.
fn on_the_map(places: &[[f64; 2]]) -> Vec<[f32; 2]> {
    let range = |axis: usize| {
        let values = || places.iter().map(|place| place[axis]);
        [values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max)]
    };
    let [x, y] = [range(0), range(1)];
    let extent = (x[1] - x[0]).max(y[1] - y[0]);
    let scale = if extent > 0.0 { 1.0 / extent } else { 0.0 };
    let centred = |value: f64, range: [f64; 2]| (value - f64::midpoint(range[0], range[1])) * scale;
    places
        .iter()
        .map(|place| [0.5 + centred(place[0], x) as f32, 0.5 - centred(place[1], y) as f32])
        .collect()
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    fn features() -> Features {
        Features::new((0..90).map(|i| ((i * 7) % 11) as f32 + 0.5).collect(), 3).unit()
    }

    #[test]
    fn what_is_kept_is_read_and_what_is_not_is_computed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("map.safetensors");
        let stages = Cell::new(0);
        let of = |features: &Features| {
            stages.set(0);
            let tell = |_| stages.set(stages.get() + 1);
            Preparation::of(features, &path, &Device::flex(), &tell).unwrap()
        };
        let first = of(&features());
        assert_eq!((stages.get(), first.positions.len()), (4, 30));
        assert!(first.positions.as_flattened().iter().all(|x| (0.0..=1.0).contains(x)));
        assert_eq!(of(&features()), first);
        assert_eq!(stages.get(), 0);
        // Other vectors, and damaged files.
        let other = Features::new(vec![1.0, 0.0, 0.0, 1.0, 0.6, 0.8], 2);
        assert_eq!((of(&other).odd.len(), stages.get()), (3, 4));
        assert_eq!((of(&features()), stages.get()), (first.clone(), 4));
        let whole = std::fs::read(&path).unwrap();
        for length in [0, 7, 100, whole.len() - 1] {
            std::fs::write(&path, &whole[..length]).unwrap();
            assert_eq!((of(&features()), stages.get()), (first.clone(), 4), "{length} bytes");
        }
    }

    #[test]
    fn a_group_that_does_not_exist_is_not_believed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("map.safetensors");
        let found = Preparation::of(&features(), &path, &Device::flex(), &|_| ()).unwrap();
        let whole = std::fs::read(&path).unwrap();
        // The last tensor by name is `positions`; the groups are u32 that begin the data.
        let mut other = whole.clone();
        let header = u64::from_le_bytes(whole[..8].try_into().unwrap()) as usize + 8;
        for byte in &mut other[header..] {
            *byte = 0xff;
        }
        std::fs::write(&path, other).unwrap();
        assert_eq!(Preparation::of(&features(), &path, &Device::flex(), &|_| ()).unwrap(), found);
    }
}
