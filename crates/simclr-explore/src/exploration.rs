//! A run, its images, and all that a page asks about them.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use burn::tensor::Device;
use simclr_data::ImageDataset;
use simclr_embed::{CosineIndex, Embedder, Features};

use crate::background::Background;
use crate::copies::Copies;
use crate::error::ExploreError;
use crate::images::Thumbnails;
use crate::labels::{LabelSession, SavedLists};
use crate::preparation::Preparation;
use crate::uploads::Uploads;
use crate::vectors::Vectors;

/// What is kept in a run's folder beside labels and vectors, and the mark of whoever explores it.
const MAP: &str = "explore.safetensors";
const LOCK: &str = "explore.lock";

/// What [`Exploration::open`] is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stage {
    /// Images that have no vector yet are embedded.
    Embedding {
        /// Images so far.
        done: usize,
        /// Of so many.
        of: usize,
    },
    /// Something else, in words: "drawing the map".
    Doing(&'static str),
}

/// The images that a run's encoder is asked about: their vectors, a map, groups, and labels.
///
/// [`Server`](crate::Server) shows it as a page. In the run's folder it keeps
///
/// | file | |
/// |---|---|
/// | `labels.csv`, `aside.csv` | the labels, and the images that are set aside, as a table `name,label` each; written as a whole at each change, read when the run is opened again |
/// | `index.safetensors` | the images' vectors, if `simclr embed` hasn't written them; those of other images in `explore.index.safetensors` |
/// | `explore.safetensors` | map, groups, odd images: computed anew if it is missing or of other vectors |
pub struct Exploration {
    pub(crate) title: String,
    pub(crate) images: Arc<dyn ImageDataset>,
    pub(crate) names: Vec<String>,
    /// Where in the data set each image is.
    pub(crate) indices: Vec<usize>,
    pub(crate) skipped: usize,
    pub(crate) features: Arc<Features>,
    pub(crate) search: CosineIndex,
    pub(crate) embedder: Mutex<Embedder>,
    pub(crate) device: Device,
    pub(crate) preparation: Preparation,
    pub(crate) thumbnails: Thumbnails,
    pub(crate) uploads: Mutex<Uploads>,
    pub(crate) copies: Background<Copies>,
    labelling: Mutex<Labelling>,
    _lock: File,
}

/// The labels, and their files.
pub(crate) struct Labelling {
    pub(crate) session: LabelSession,
    pub(crate) saved: SavedLists,
}

impl Exploration {
    /// Opens `images` by the encoder of the run in `folder`. Images without a vector are embedded; the map is drawn the first time. `tell` hears what takes
    /// long.
    ///
    /// # Errors
    ///
    /// [`ExploreError::Running`] if another process explores the run, [`ExploreError::Labels`] for labels of an earlier session that cannot be read,
    /// [`ExploreError::NoImages`], [`ExploreError::Embed`], [`ExploreError::Data`], [`ExploreError::Write`].
    pub fn open(
        folder: impl AsRef<Path>,
        images: Arc<dyn ImageDataset>,
        embedder: Embedder,
        tell: &(dyn Fn(Stage) + Sync),
    ) -> Result<Self, ExploreError> {
        let folder = folder.as_ref();
        let lock = hold(folder)?;
        let told = |done, of| tell(Stage::Embedding { done, of });
        let Vectors { names, indices, features, skipped } =
            Vectors::of(&images, folder, &embedder, &told)?;
        // A damaged table is named before the map takes its time.
        let (saved, restored) = SavedLists::open(folder, &names)?;
        let device = embedder.device().clone();
        let doing = |what| tell(Stage::Doing(what));
        let preparation = Preparation::of(&features, &folder.join(MAP), &device, &doing)?;
        let features = Arc::new(features);
        let mut session =
            LabelSession::on_unit(Arc::clone(&features), Arc::clone(&preparation.design));
        session.restore(&restored.labels, &restored.aside)?;
        Ok(Self {
            title: title(folder),
            names,
            indices,
            skipped,
            search: CosineIndex::new(&features, &device)?,
            features,
            embedder: Mutex::new(embedder),
            device,
            preparation,
            thumbnails: Thumbnails::new(Arc::clone(&images)),
            images,
            uploads: Mutex::default(),
            copies: Background::default(),
            labelling: Mutex::new(Labelling { session, saved }),
            _lock: lock,
        })
    }

    /// Number of images that could be read.
    #[must_use]
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there are none: never.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Images that could not be read, and are left out.
    #[must_use]
    pub fn skipped(&self) -> usize {
        self.skipped
    }

    /// Labels that are given.
    #[must_use]
    pub fn labels(&self) -> usize {
        self.labelling().session.labels().iter().flatten().count()
    }

    /// Tries again to save what could not be saved.
    ///
    /// # Errors
    ///
    /// Why there still are changes that are in memory alone.
    pub fn save(&self) -> Result<(), String> {
        let mut labelling = self.labelling();
        if labelling.saved.unsaved().is_some() {
            labelling.save(&self.names);
        }
        labelling.saved.unsaved().map_or(Ok(()), |reason| Err(reason.to_owned()))
    }

    pub(crate) fn labelling(&self) -> MutexGuard<'_, Labelling> {
        // A change is made before it is saved, and a panic of the solver leaves labels as they are.
        self.labelling.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Labelling {
    pub(crate) fn save(&mut self, names: &[String]) {
        self.saved.save(names, &self.session);
    }
}

/// Holds the lock of a run, as long as the file is open.
fn hold(folder: &Path) -> Result<File, ExploreError> {
    let path = folder.join(LOCK);
    let file = File::options().create(true).truncate(false).write(true).open(&path);
    let file = file.map_err(ExploreError::write(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(ExploreError::Running { path: folder.to_owned() }),
        // A file system without locks: nobody sees that the run is explored.
        Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => Ok(file),
        Err(TryLockError::Error(error)) => Err(ExploreError::write(&path)(error)),
    }
}

/// The name of a run's folder.
fn title(folder: &Path) -> String {
    let absolute: PathBuf = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    absolute.file_name().map_or_else(String::new, |name| simclr_data::escape_name(Path::new(name)))
}
