//! The trait that all image sets share.

use std::{fs, path::PathBuf, sync::Arc};

use image::RgbImage;

use crate::{DataError, ImagePart, PartialImage};

/// Indexed images, maybe with labels.
///
/// Images may differ in size. The order is stable: an index stands for the same image each time the set is opened. Any
/// number of threads may read at once.
///
/// A set without labels needs only its length and its images:
///
/// ```
/// use image::RgbImage;
/// use simclr_data::{DataError, ImageDataset};
///
/// /// Flat gray images from black to white.
/// struct Grays;
///
/// impl ImageDataset for Grays {
///     fn len(&self) -> usize {
///         256
///     }
///     fn image(&self, index: usize) -> Result<RgbImage, DataError> {
///         let level =
///             u8::try_from(index).map_err(|_| DataError::IndexOutOfRange { index, len: 256 })?;
///         Ok(RgbImage::from_pixel(8, 8, image::Rgb([level; 3])))
///     }
/// }
///
/// let grays: std::sync::Arc<dyn ImageDataset> = std::sync::Arc::new(Grays);
/// assert_eq!(grays.image(9)?.get_pixel(0, 0).0, [9, 9, 9]);
/// assert_eq!((grays.label(9), grays.class_names().len()), (None, 0));
/// assert_eq!(grays.name(9), "image 9");
/// # Ok::<(), DataError>(())
/// ```
pub trait ImageDataset: Send + Sync {
    /// Number of images.
    fn len(&self) -> usize;

    /// Whether there are no images.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The image at `index`: 8 bits per channel, RGB, row by row.
    ///
    /// # Errors
    ///
    /// [`DataError::IndexOutOfRange`] if `index >= len()`; [`DataError::Decode`] or [`DataError::Unreadable`], which name
    /// the file, if the image cannot be read. After any other error, no further image is read.
    fn image(&self, index: usize) -> Result<RgbImage, DataError>;

    /// At least the part of the image at `index` that `choose` asks for, when it is told the image's width and height. By default, all
    /// of the image; sets of JPEG files decode no more than is needed.
    ///
    /// `choose` is called once, unless the image cannot be read. Whoever wraps a set passes the call on.
    ///
    /// # Errors
    ///
    /// As [`image`](Self::image).
    fn image_part(
        &self,
        index: usize,
        choose: &mut dyn FnMut(u32, u32) -> ImagePart,
    ) -> Result<PartialImage, DataError> {
        let image = self.image(index)?;
        choose(image.width(), image.height());
        Ok(PartialImage::whole(image))
    }

    /// The class of the image at `index`, an index into [`class_names`](Self::class_names); `None` if the image has no
    /// label or does not exist. By default, no image has a label.
    #[expect(unused_variables, reason = "sets with labels need the index")]
    fn label(&self, index: usize) -> Option<usize> {
        None
    }

    /// Names of the classes in the order of their labels; empty if no image has a label, as by default.
    fn class_names(&self) -> &[String] {
        &[]
    }

    /// A stable name, such as a file's path inside its folder ([escaped](crate::escape_name)) or `train_X.bin[17]`; by
    /// default `image 17`.
    fn name(&self, index: usize) -> String {
        format!("image {index}")
    }

    /// The file that holds the image at `index` and no other; `None`, as by default, if there is no such file.
    #[expect(unused_variables, reason = "sets of files need the index")]
    fn path(&self, index: usize) -> Option<PathBuf> {
        None
    }

    /// How many bytes the image at `index` takes where it is stored, as long as that can be told without reading it; by
    /// default, the length of its [file](Self::path). It tells a data set from another of the same names.
    fn stored_size(&self, index: usize) -> Option<u64> {
        fs::metadata(self.path(index)?).ok().map(|file| file.len())
    }
}

macro_rules! forward {
    ($pointer:ty) => {
        impl<T: ImageDataset + ?Sized> ImageDataset for $pointer {
            fn len(&self) -> usize {
                (**self).len()
            }
            fn is_empty(&self) -> bool {
                (**self).is_empty()
            }
            fn image(&self, index: usize) -> Result<RgbImage, DataError> {
                (**self).image(index)
            }
            fn image_part(
                &self,
                index: usize,
                choose: &mut dyn FnMut(u32, u32) -> ImagePart,
            ) -> Result<PartialImage, DataError> {
                (**self).image_part(index, choose)
            }
            fn label(&self, index: usize) -> Option<usize> {
                (**self).label(index)
            }
            fn class_names(&self) -> &[String] {
                (**self).class_names()
            }
            fn name(&self, index: usize) -> String {
                (**self).name(index)
            }
            fn path(&self, index: usize) -> Option<PathBuf> {
                (**self).path(index)
            }
            fn stored_size(&self, index: usize) -> Option<u64> {
                (**self).stored_size(index)
            }
        }
    };
}

forward!(&T);
forward!(Arc<T>);
