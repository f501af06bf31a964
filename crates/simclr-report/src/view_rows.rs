//! Images beside the views that the run drew of them.

use simclr_augment::{SimClrAugmentation, ViewKey};
use simclr_data::ImageDataset;

use crate::draws::{Purpose, shuffled};
use crate::error::ReportError;
use crate::picture::Picture;
use crate::text::Text;

/// Images, and passes over the data whose pair of views is shown of each.
const IMAGES: usize = 6;
const PASSES: usize = 3;
/// Longest side of a picture in the page.
const SIDE: u32 = 112;

/// An image, and the views of the first passes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ViewRow {
    pub(crate) name: Text,
    pub(crate) original: Picture,
    /// Views a and b of each pass.
    pub(crate) pairs: Vec<[Picture; 2]>,
}

/// Some images of `images`, which the run was pretrained on, with the very views that its config and
/// seed drew of them. Images that cannot be read are passed over.
pub(crate) fn view_rows(
    images: &dyn ImageDataset,
    policy: &SimClrAugmentation,
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
        let view = |pass: usize, view: u64| {
            // Passes are counted from 1, as in training.
            let key = ViewKey { seed: run_seed, pass: pass as u64, index: index as u64, view };
            let params = policy.draw(key, image.width(), image.height());
            Picture::within(&policy.view(&image, &params)?, SIDE)
        };
        let pairs = (1..=PASSES).map(|pass| Ok([view(pass, 0)?, view(pass, 1)?]));
        rows.push(ViewRow {
            name: Text::new(images.name(index)),
            original: Picture::within(&image, SIDE)?,
            pairs: pairs.collect::<Result<_, ReportError>>()?,
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
        let policy = SimClrAugmentation::cifar10().with_size(16).unwrap();
        let rows = view_rows(&images, &policy, 5, 0).unwrap();
        assert_eq!(rows.len(), 3);
        for row in &rows {
            let index = (0..3).find(|&i| Text::new(images.name(i)) == row.name).unwrap();
            let key = ViewKey { seed: 5, pass: 2, index: index as u64, view: 1 };
            let image = images.image(index).unwrap();
            let view = policy.view(&image, &policy.draw(key, 16, 16)).unwrap();
            assert_eq!(row.pairs[1][1], Picture::new(&view).unwrap());
        }
    }
}
