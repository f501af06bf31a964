//! A file of named tensors, and what a network takes from it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use burn::module::Module;

use super::contents::Contents;
use super::error::{WeightError, WeightFault};
use super::load_report::{LoadReport, is_bookkeeping};
use super::place::Place;
use super::position_grid::{Resampling, resample};
use super::published_layout::{LaidOut, Layout, is_stored_transposed, transposed};
use super::safetensors_header::{self, WeightMetadata};
use super::search::only_place;
use super::stored_tensor::StoredTensor;
use super::torch;
use crate::module_tensors::{ModuleTensor, module_tensors, with_values};
use crate::published_names::PublishedNames;

/// Bytes that tell the formats apart.
const MAGIC_BYTES: usize = 24;
const ZIP_MAGIC: &[u8] = b"PK\x03\x04";

/// A file of weights: safetensors, or a checkpoint that `torch.save` wrote (`.pth`, `.pt`, `.ckpt`, ...). The content
/// tells which.
///
/// A tensor's name is the way to it, the keys of the dicts around it included: `state_dict.module.conv1.weight`.
/// [`load`](Self::load) finds the encoder wherever it is in the file, if it is in one place.
///
/// Opening reads names and shapes. Values are read later, and only those of tensors that have the network's shape.
/// Files may come from anywhere: nothing in a pickle is executed, lengths are checked before memory is taken for them,
/// and every weight has to be a finite number.
///
/// ```
/// use burn::tensor::Device;
/// use simclr_model::{EncoderConfig, Naming, WeightFile, save_published_weights};
///
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("resnet18.safetensors");
/// let config: EncoderConfig = "resnet18x0.25".parse()?;
/// let trained = config.init(1, &Device::flex())?;
/// save_published_weights(&trained, Naming::Torchvision, &path)?; // torchvision reads this file
///
/// let (encoder, report) = WeightFile::open(&path)?.load(config.init(2, &Device::flex())?)?;
/// assert_eq!(report.naming, Naming::Torchvision);
/// assert!(report.prefix.is_empty() && report.left_over.is_empty());
/// # let _ = encoder;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct WeightFile {
    path: PathBuf,
    file: File,
    contents: Contents,
}

impl WeightFile {
    /// Reads the names and shapes of the tensors in a file.
    ///
    /// # Errors
    ///
    /// [`WeightError::Load`] if the file cannot be read, is damaged, or is a pickle without tensors, such as one of a
    /// whole network.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, WeightError> {
        let path = path.as_ref();
        let open = || -> Result<_, WeightFault> {
            let mut file = File::open(path)?;
            let contents = read_contents(&mut file)?;
            Ok(Self { path: path.to_owned(), file, contents })
        };
        open().map_err(|reason| WeightError::Load { path: path.to_owned(), reason })
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Keeps only the tensors whose names begin with `prefix`, and takes the prefix away. A dot at its end may be left
    /// out; the empty prefix chooses the top of the file.
    ///
    /// [`load`](Self::load) then takes the encoder that is right there, or else the one that is further below. In a
    /// checkpoint that has an encoder twice, `"teacher."` chooses one.
    #[must_use]
    pub fn below(self, prefix: &str) -> Self {
        let dot = if prefix.is_empty() || prefix.ends_with('.') { "" } else { "." };
        Self { contents: self.contents.below(&format!("{prefix}{dot}")), ..self }
    }

    /// The names and shapes of the tensors, sorted by name.
    #[must_use]
    pub fn tensors(&self) -> impl ExactSizeIterator<Item = (&str, &[usize])> {
        self.contents.tensors.iter().map(|(name, tensor)| (name.as_str(), tensor.shape()))
    }

    /// The text beside the tensors: what [`save_weights_with`](crate::save_weights_with) wrote, or another tool into the
    /// metadata of a safetensors file. Files of `torch.save` have none.
    #[must_use]
    pub fn metadata(&self) -> &WeightMetadata {
        &self.contents.metadata
    }

    /// Gives `encoder` the file's weights.
    ///
    /// They are looked for under the names of every library and below every prefix. There has to be one place that has all
    /// of the encoder's tensors, by name and shape. What lies beside it is left, and named in the report: a head, an
    /// optimiser, a queue. Further tensors of the network itself are not left, since it is then a larger one. The
    /// positions of a vision transformer may be for another number of patches; they are then resampled, as timm does it.
    ///
    /// # Errors
    ///
    /// [`WeightError::Load`] if no place or more than one has all of the tensors, if the library's network computes
    /// something else ([`WeightFault::OtherNetwork`]), or if a tensor holds NaN or infinity.
    pub fn load<M: PublishedNames>(self, encoder: M) -> Result<(M, LoadReport), WeightError> {
        let tensors = module_tensors(&encoder);
        let layouts = Layout::all(&encoder, &tensors);
        let loaded = only_place(&encoder, &self.contents, &layouts).and_then(|place| {
            WeightFault::unless_same_network(&encoder, place.layout.naming)?;
            self.take(encoder, &tensors, (place.layout, place.prefix))
        });
        loaded.map_err(|reason| self.error(reason))
    }

    /// As [`load`](Self::load), from the place that comes nearest: parameters that the file doesn't have stay as they are,
    /// and tensors that the encoder doesn't have are passed over. The report names both.
    ///
    /// # Errors
    ///
    /// [`WeightError::Load`] if more than one place has all of the tensors, or if one is of another shape, or holds NaN or
    /// infinity.
    pub fn load_matching<M: PublishedNames>(
        self,
        encoder: M,
    ) -> Result<(M, LoadReport), WeightError> {
        let tensors = module_tensors(&encoder);
        let (layouts, own) = (Layout::all(&encoder, &tensors), Layout::own(&tensors));
        let stored = &self.contents.tensors;
        let nearest = match only_place(&encoder, &self.contents, &layouts) {
            Ok(place) => Some(place),
            Err(reason @ WeightFault::Ambiguous { .. }) => return Err(self.error(reason)),
            Err(_) => Place::nearest(Place::all(&layouts, stored), stored),
        };
        let names = nearest.map_or((&own, ""), |place| (place.layout, place.prefix));
        WeightFault::unless_same_network(&encoder, names.0.naming)
            .and_then(|()| self.take(encoder, &tensors, names))
            .map_err(|reason| self.error(reason))
    }

    /// Gives any module the weights that [`save_weights`](crate::save_weights) wrote of a module like it: all of them,
    /// and no others.
    ///
    /// # Errors
    ///
    /// [`WeightError::Load`] if a tensor is missing, left over, of another shape, or holds NaN or infinity.
    pub fn load_module<M: Module>(self, module: M) -> Result<M, WeightError> {
        let tensors = module_tensors(&module);
        let layout = Layout::own(&tensors);
        let take = || {
            let (module, report) = self.take(module, &tensors, (&layout, ""))?;
            if report.missing.is_empty() && report.left_over.is_empty() {
                return Ok(module);
            }
            Err(WeightFault::Names { missing: report.missing, unused: report.left_over })
        };
        take().map_err(|reason| self.error(reason))
    }

    /// Replaces each of the module's `tensors` by the file's tensor of its name in a layout, below a prefix, if there is
    /// one.
    fn take<M: Module>(
        &self,
        module: M,
        tensors: &[ModuleTensor],
        (layout, prefix): (&Layout, &str),
    ) -> Result<(M, LoadReport), WeightFault> {
        let naming = layout.naming;
        let stored = &self.contents.tensors;
        let (mut values, mut missing) = (HashMap::new(), Vec::new());
        let (mut loaded, mut resampled) = (0, None);
        let mut left: BTreeSet<&str> = stored.keys().map(String::as_str).collect();
        for (tensor, parts) in tensors.iter().zip(&layout.parts) {
            let named = parts.iter().map(|part| (part, format!("{prefix}{}", part.name)));
            let (there, absent): (Vec<_>, Vec<_>) =
                named.partition(|(_, name)| stored.contains_key(name));
            if !absent.is_empty() {
                missing.extend(absent.iter().map(|(_, name)| self.contents.whole_name(name)));
                continue;
            }
            let mut whole = Vec::new();
            for (expected, name) in there {
                let stored = &stored[&name];
                left.remove(name.as_str());
                let resampling = expected.resampling(stored.shape());
                resampled = resampled.or(resampling.map(|Resampling { from, to, .. }| [from, to]));
                let read = self.read(stored, &self.contents.whole_name(&name), expected)?;
                expected.put(&read, &mut whole);
                loaded += 1;
            }
            let is_transposed = is_stored_transposed(tensor, naming);
            let rows = tensor.shape.last().copied().unwrap_or(1);
            values.insert(
                tensor.name(),
                if is_transposed { transposed(&whole, rows) } else { whole },
            );
        }
        layout.move_first_position(tensors, &mut values);
        left.retain(|name| !is_bookkeeping(name));
        let left_over = left.into_iter().map(|name| self.contents.whole_name(name)).collect();
        let prefix = self.contents.whole_name(prefix);
        let report = LoadReport { naming, prefix, loaded, resampled, missing, left_over };
        Ok((with_values(module, values), report))
    }

    /// The values of a tensor for the place of `expected`.
    fn read(
        &self,
        stored: &StoredTensor,
        name: &str,
        expected: &LaidOut,
    ) -> Result<Vec<f32>, WeightFault> {
        if !expected.fits(stored.shape()) {
            return Err(WeightFault::Shape {
                tensor: name.to_owned(),
                expected: expected.shape.clone(),
                found: stored.shape().to_vec(),
            });
        }
        let values = stored.read(name, &self.file)?;
        Ok(match expected.resampling(stored.shape()) {
            Some(resampling) => resample(&values, resampling),
            None => values,
        })
    }

    fn error(&self, reason: WeightFault) -> WeightError {
        WeightError::Load { path: self.path.clone(), reason }
    }
}

/// Reads weights that [`save_weights`](crate::save_weights) wrote into a module of the same architecture.
///
/// # Errors
///
/// [`WeightError::Load`] if the file cannot be read, or its tensors are not exactly the module's.
pub fn load_weights<M: Module>(module: M, path: impl AsRef<Path>) -> Result<M, WeightError> {
    WeightFile::open(path)?.load_module(module)
}

fn read_contents(file: &mut File) -> Result<Contents, WeightFault> {
    let length = file.metadata()?.len();
    let mut magic = Vec::new();
    file.take(MAGIC_BYTES as u64).read_to_end(&mut magic)?;
    file.seek(SeekFrom::Start(0))?;
    if magic.starts_with(ZIP_MAGIC) {
        torch::read_archive(file, length)
    } else if torch::is_legacy(&magic) {
        torch::read_legacy(file, length)
    } else if magic.get(8) == Some(&b'{') {
        let (tensors, metadata) = safetensors_header::read(file, length)?;
        Ok(Contents::new(tensors, BTreeMap::new(), metadata))
    } else {
        Err(WeightFault::Format { found: magic })
    }
}
