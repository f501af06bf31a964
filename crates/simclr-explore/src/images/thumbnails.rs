//! Small pictures of the images, the last ones of which are kept.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use simclr_data::{DataError, ImageDataset};

use super::jpeg::jpeg_within;

/// Bytes of the pictures that are kept.
const KEPT: usize = 64 << 20;
/// What a picture takes beside its bytes, about.
const EACH: usize = 128;

/// How large a picture is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Size {
    /// For the map and for lists.
    Thumbnail,
    /// To look at.
    Photo,
}

impl Size {
    /// The longer side in pixels, and JPEG's quality.
    fn limits(self) -> (u32, u8) {
        match self {
            Self::Thumbnail => (96, 80),
            Self::Photo => (720, 88),
        }
    }
}

/// Makes pictures, and keeps those that were asked for last: 64 MiB of them.
pub(crate) struct Thumbnails {
    images: Arc<dyn ImageDataset>,
    kept: Mutex<Kept>,
}

type Key = (Size, usize);

#[derive(Default)]
struct Kept {
    pictures: HashMap<Key, (Bytes, u64)>,
    /// When each was asked for last.
    order: BTreeMap<u64, Key>,
    clock: u64,
    bytes: usize,
}

impl Thumbnails {
    pub(crate) fn new(images: Arc<dyn ImageDataset>) -> Self {
        Self { images, kept: Mutex::default() }
    }

    /// The image at `index` of the data set as JPEG.
    ///
    /// # Errors
    ///
    /// The data set's, if the image cannot be read.
    pub(crate) fn get(&self, size: Size, index: usize) -> Result<Bytes, DataError> {
        let key = (size, index);
        if let Some(picture) = self.kept().get(key) {
            return Ok(picture);
        }
        let (side, quality) = size.limits();
        // Nobody waits for the lock meanwhile; two who ask at once both make it.
        let picture = Bytes::from(jpeg_within(&*self.images, index, side, quality)?);
        self.kept().put(key, picture.clone());
        Ok(picture)
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn get(&mut self, key: Key) -> Option<Bytes> {
        self.clock += 1;
        let (picture, asked) = self.pictures.get_mut(&key)?;
        self.order.remove(asked);
        *asked = self.clock;
        self.order.insert(self.clock, key);
        Some(picture.clone())
    }

    fn put(&mut self, key: Key, picture: Bytes) {
        self.clock += 1;
        self.bytes += picture.len() + EACH;
        self.order.insert(self.clock, key);
        if let Some((old, asked)) = self.pictures.insert(key, (picture, self.clock)) {
            self.bytes -= old.len() + EACH;
            self.order.remove(&asked);
        }
        while self.bytes > KEPT {
            let Some((_, oldest)) = self.order.pop_first() else { break };
            if let Some((picture, _)) = self.pictures.remove(&oldest) {
                self.bytes -= picture.len() + EACH;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use simclr_data::{Sample, SampleConfig};

    #[test]
    fn pictures_are_small_jpegs_that_keep_their_shape() {
        let sample = Sample::new(SampleConfig { images: 3, size: 200, seed: 0 }).unwrap();
        let thumbnails = Thumbnails::new(Arc::new(sample));
        let picture = thumbnails.get(Size::Thumbnail, 2).unwrap();
        let decoded = image::load_from_memory(&picture).unwrap();
        assert_eq!((decoded.width(), decoded.height()), (96, 96));
        assert_eq!(thumbnails.get(Size::Thumbnail, 2).unwrap(), picture);
        let photo = image::load_from_memory(&thumbnails.get(Size::Photo, 2).unwrap()).unwrap();
        assert_eq!(photo.width(), 200);
        assert!(thumbnails.get(Size::Thumbnail, 3).is_err());
    }

    #[test]
    fn those_that_were_not_asked_for_are_dropped_first() {
        let mut kept = Kept::default();
        let picture = Bytes::from(vec![0; KEPT / 4]);
        for index in 0..3 {
            kept.put((Size::Photo, index), picture.clone());
        }
        assert!(kept.get((Size::Photo, 0)).is_some());
        kept.put((Size::Photo, 0), picture.clone());
        kept.put((Size::Photo, 3), picture);
        assert!(kept.get((Size::Photo, 1)).is_none() && kept.get((Size::Photo, 0)).is_some());
        assert!(kept.bytes <= KEPT && kept.order.len() == kept.pictures.len());
    }
}
