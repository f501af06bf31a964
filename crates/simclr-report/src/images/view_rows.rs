//! Images beside the views that the run drew of them.

use simclr_augment::{SimClrAugmentation, ViewKey};
use simclr_data::ImageDataset;

use crate::error::ReportError;
use crate::images::draws::{Purpose, shuffled};
use crate::images::picture::Picture;
use crate::text::Text;

/// Images, and the passes over the data from which each shows its views.
const IMAGES: usize = 6;
const PASSES: usize = 3;
/// Longest side of a picture in the page.
const SIDE: u32 = 112;

/// An image, and its views in the first passes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ViewRow {
    pub(crate) name: Text,
    pub(crate) original: Picture,
    /// All views of each pass.
    pub(crate) passes: Vec<Vec<Picture>>,
}

/// Some of the images that the run was pretrained on, with the very views that its augmentations, one a view, and its seed drew of them.
/// Images that cannot be read are left out.
pub(crate) fn view_rows(
    images: &dyn ImageDataset,
    augmentations: &[SimClrAugmentation],
    run_seed: u64,
    seed: u64,
) -> Result<Vec<ViewRow>, ReportError> {
    let mut rows = Vec::new();
    for index in shuffled(images.len(), seed, Purpose::Views) {
        let image = match images.image(index) {
            Ok(image) => image,
            Err(error) if error.is_one_image() => continue,
            Err(error) => return Err(error.into()),
        };
        if image.width() == 0 || image.height() == 0 {
            continue;
        }
        let view = |pass: usize, (view, augmentation): (u64, &SimClrAugmentation)| {
            // Passes are counted from 1, as in training.
            let key = ViewKey { seed: run_seed, pass: pass as u64, index: index as u64, view };
            let params = augmentation.draw(key, image.width(), image.height());
            Picture::within(&augmentation.view(&image, &params)?, SIDE)
        };
        let of_pass =
            |pass| (0..).zip(augmentations).map(|numbered| view(pass, numbered)).collect();
        rows.push(ViewRow {
            name: Text::new(images.name(index)),
            original: Picture::within(&image, SIDE)?,
            passes: (1..=PASSES).map(of_pass).collect::<Result<_, ReportError>>()?,
        });
        if rows.len() == IMAGES {
            break;
        }
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use simclr_data::{Sample, SampleConfig};

    #[test]
    fn views_are_those_that_training_draws() {
        let images =
            Sample::new(SampleConfig { images: 3, size: 16, ..SampleConfig::default() }).unwrap();
        let augmentation = SimClrAugmentation::cifar10().with_size(16).unwrap();
        let local = augmentation.clone().with_size(8).unwrap();
        let each = [augmentation.clone(), augmentation.clone(), local.clone()];
        let rows = view_rows(&images, &each, 5, 0).unwrap();
        assert_eq!(rows.len(), 3);
        for row in &rows {
            let index = (0..3).find(|&i| Text::new(images.name(i)) == row.name).unwrap();
            let key = ViewKey { seed: 5, pass: 2, index: index as u64, view: 1 };
            let image = images.image(index).unwrap();
            let view = augmentation.view(&image, &augmentation.draw(key, 16, 16)).unwrap();
            assert_eq!(row.passes[1][1], Picture::new(&view).unwrap());
            let params = local.draw(ViewKey { view: 2, ..key }, 16, 16);
            let view = local.view(&image, &params).unwrap();
            assert_eq!(row.passes[1][2], Picture::new(&view).unwrap());
            assert_eq!((row.passes.len(), row.passes[0].len()), (PASSES, 3));
        }
    }
}
