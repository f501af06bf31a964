//! `simclr views`.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use image::{ImageFormat, Rgb, RgbImage, imageops};
use serde_json::json;
use simclr::augment::{SimClrAugmentation, ViewKey};
use simclr::data::{DataError, ImageDataset, printable};

use crate::failure::usage;
use crate::image_file::write_image;
use crate::out_file::check_folder_of;
use crate::output::{Output, print_skipped};
use crate::run_args::RunArgs;

/// White pixels between pictures.
const GAP: u32 = 4;
/// The longest side of the sheet in pixels.
const LONGEST_SIDE: u32 = 20_000;

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    settings: RunArgs,
    /// Draw the views of this run
    #[arg(long, value_name = "RUN", conflicts_with_all = ["config", "recipe"])]
    run: Option<PathBuf>,
    /// Images, one a row
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..))]
    rows: u32,
    /// Pictures of views beside each image, pass by pass
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..))]
    columns: u32,
    /// File for the sheet: .png or .jpg
    #[arg(long, value_name = "FILE", default_value = "views.png")]
    out: PathBuf,
}

/// An image of the set, by its index.
struct Shown {
    index: u64,
    image: RgbImage,
}

impl Arguments {
    pub(crate) fn run(&self, output: &Output) -> Result<()> {
        let path = self.out.display();
        let format = ImageFormat::from_path(&self.out)
            .map_err(|_| usage(format!("expected --out to end in .png or .jpg, found {path}")))?;
        check_folder_of(Some(&self.out))?;
        let settings = self.settings.open(self.run.as_deref())?;
        let (images, config) = (settings.data.pretrain, settings.config);
        let augmentations = config.images.view_augmentations()?;
        let size = largest(&augmentations);
        let rows = self.rows.min(u32::try_from(images.len()).unwrap_or(u32::MAX));
        // A sheet that is too large is refused before an image is read.
        self.sheet_size(rows, size)?;
        let shown = choose(&images, rows)?;
        let (width, height) = self.sheet_size(shown.len() as u32, size)?;
        let mut sheet = RgbImage::from_pixel(width, height, Rgb([255; 3]));
        let mut names = Vec::new();
        for (row, shown) in (0..).zip(&shown) {
            self.draw(&mut sheet, row, shown, &augmentations, config.train.seed)?;
            names.push(images.name(shown.index as usize));
            output.line(format!("row {}: {}", row + 1, printable(&names[row as usize])));
        }
        write_image(&sheet.into(), format, &self.out)
            .with_context(|| format!("cannot write {path}"))?;
        output.line(format!("the first picture of a row is the whole image; written to {path}"));
        let out = path.to_string();
        output.result(&json!({ "out": out, "images": names, "columns": self.columns }));
        Ok(())
    }

    /// One image and its views of the first passes, as a run with this seed sees them.
    fn draw(
        &self,
        sheet: &mut RgbImage,
        row: u32,
        shown: &Shown,
        augmentations: &[SimClrAugmentation],
        seed: u64,
    ) -> Result<()> {
        let Shown { index, image } = shown;
        let picture = |augmentation: &SimClrAugmentation, pass, view| {
            let key = ViewKey { seed, pass, index: *index, view };
            augmentation.view(image, &augmentation.draw(key, image.width(), image.height()))
        };
        let untouched = augmentations[0].clone().with_whole_images();
        let whole = picture(&untouched, 1, 0)?;
        let size = largest(augmentations);
        place(sheet, &whole, size, 0, row);
        // Training counts passes over the images from 1.
        let views = (1..).flat_map(|pass| {
            (0..).zip(augmentations).map(move |(view, augmentation)| (pass, view, augmentation))
        });
        for (column, (pass, view, augmentation)) in (1..=self.columns).zip(views) {
            place(sheet, &picture(augmentation, pass, view)?, size, column, row);
        }
        Ok(())
    }

    /// Width and height of a sheet in pixels.
    fn sheet_size(&self, rows: u32, size: u32) -> Result<(u32, u32)> {
        let length = |count: u32| {
            let length = u64::from(count) * u64::from(size + GAP) + u64::from(GAP);
            u32::try_from(length).ok().filter(|length| *length <= LONGEST_SIDE).ok_or_else(|| {
                usage(format!("expected a sheet of at most {LONGEST_SIDE} pixels, found {length}"))
            })
        };
        Ok((length(self.columns.saturating_add(1))?, length(rows)?))
    }
}

/// Images from all over the set, so that each class has a chance: the set in `count` parts, the first image of each part
/// that can be read. The others are passed over, unless none can be read.
fn choose(images: &dyn ImageDataset, count: u32) -> Result<Vec<Shown>, DataError> {
    let (mut shown, mut skipped) = (Vec::new(), Vec::new());
    let part = |row: u32| row as usize * images.len() / count as usize;
    for row in 0..count {
        for index in part(row)..part(row + 1) {
            match images.image(index) {
                Ok(image) => {
                    shown.push(Shown { index: index as u64, image });
                    break;
                }
                Err(error) if error.is_one_image() => skipped.push(error),
                Err(error) => return Err(error),
            }
        }
    }
    if shown.is_empty() && !skipped.is_empty() {
        return Err(skipped.swap_remove(0));
    }
    print_skipped(&skipped);
    Ok(shown)
}

/// Width and height of the largest views.
fn largest(augmentations: &[SimClrAugmentation]) -> u32 {
    augmentations.iter().map(|of_view| of_view.config().size).max().unwrap_or(0)
}

/// Puts a picture into its cell of `size` x `size` pixels.
fn place(sheet: &mut RgbImage, picture: &RgbImage, size: u32, column: u32, row: u32) {
    let start = |index: u32| i64::from(GAP + index * (size + GAP));
    imageops::replace(sheet, picture, start(column), start(row));
}
