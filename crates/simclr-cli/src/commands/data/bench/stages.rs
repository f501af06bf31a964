//! What becomes of an image before the training step, stage by stage.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use simclr::augment::{SimClrAugmentation, ViewKey, ViewParams};
use simclr::data::{DataError, ImageDataset, ImagePart, PartialImage, decode_part_bytes_on};
use simclr::train::Decoding;

use crate::output::with_causes;

/// The images that are tried.
pub(super) struct Stages {
    images: Arc<dyn ImageDataset>,
    policy: SimClrAugmentation,
    decoding: Decoding,
    /// Their indices.
    tried: Vec<usize>,
    skipped: Mutex<Vec<String>>,
}

/// What an image's views are made of.
pub(super) struct Decoded {
    part: PartialImage,
    views: [ViewParams; 2],
}

impl Stages {
    /// At most `count` images, spread over all. Those that cannot be decoded are left out.
    pub(super) fn new(
        images: Arc<dyn ImageDataset>,
        policy: SimClrAugmentation,
        decoding: Decoding,
        count: usize,
    ) -> Self {
        let count = count.min(images.len());
        let tried = (0..count).map(|number| number * images.len() / count).collect();
        Self { images, policy, decoding, tried, skipped: Mutex::default() }
    }

    pub(super) fn len(&self) -> usize {
        self.tried.len()
    }

    /// Why images were left out, each once.
    pub(super) fn skipped(&self) -> Vec<String> {
        self.skipped.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The tried images from `part` of `parts` on: each part has other ones.
    pub(super) fn indices(&self, part: usize, parts: usize) -> Vec<usize> {
        self.tried.iter().copied().skip(part).step_by(parts).collect()
    }

    /// The file of an image; `None` if a file has several.
    pub(super) fn path(&self, index: usize) -> Option<PathBuf> {
        self.images.path(index)
    }

    /// Decodes what the views of an image need, from the content of its file if that is given. `None` for an image that cannot be
    /// decoded, which is noted.
    ///
    /// # Errors
    ///
    /// An error after which no further image is read.
    pub(super) fn decode(&self, index: usize, bytes: Option<&[u8]>) -> Result<Option<Decoded>> {
        let mut drawn = None;
        let mut choose = |width: u32, height: u32| -> ImagePart {
            let views = [0, 1].map(|view| {
                let key = ViewKey { seed: 0, pass: 0, index: index as u64, view };
                self.policy.draw(key, width, height)
            });
            let part = self
                .decoding
                .needed_part(views.iter().map(|view| (view, self.policy.config().size)));
            drawn = Some(views);
            part
        };
        let part = match bytes {
            None => self.images.image_part(index, &mut choose),
            Some(bytes) => {
                let path = || self.path(index).unwrap_or_else(|| self.images.name(index).into());
                decode_part_bytes_on(bytes, [255; 3], &mut choose)
                    .map_err(|source| DataError::Decode { path: path(), source })
            }
        };
        match (part, drawn) {
            (Ok(part), Some(views)) => Ok(Some(Decoded { part, views })),
            (Ok(_), None) => Ok(None),
            (Err(error), _) if error.is_one_image() => {
                let reason = with_causes(&error);
                let mut skipped = self.skipped.lock().unwrap_or_else(PoisonError::into_inner);
                if !skipped.contains(&reason) {
                    skipped.push(reason);
                }
                Ok(None)
            }
            (Err(error), _) => Err(error.into()),
        }
    }

    /// Makes both views, one after the other in `out`.
    pub(super) fn make_views(&self, image: &Decoded, out: &mut Vec<f32>) -> Result<()> {
        out.resize(self.policy.view_len(), 0.0);
        for params in &image.views {
            let params = Decoding::within(&image.part, params);
            self.policy.view_into(image.part.pixels(), &params, out)?;
        }
        Ok(())
    }
}
