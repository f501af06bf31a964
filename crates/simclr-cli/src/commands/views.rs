//! `simclr views`.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use image::{ImageFormat, Rgb, RgbImage, imageops};
use serde_json::json;
use simclr::augment::{SimClrAugmentation, ViewKey};
use simclr::data::printable;
use simclr::train::RunDirectory;

use crate::config_args::ConfigArgs;
use crate::data_args::DataArgs;
use crate::failure::usage;
use crate::image_file::write_image;
use crate::output::Output;

/// White pixels between pictures.
const GAP: u32 = 4;
/// The longest side of the sheet in pixels.
const LONGEST_SIDE: u32 = 20_000;

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    data: DataArgs,
    /// Draw the views of this run instead of a config's
    #[arg(long, value_name = "RUN", conflicts_with_all = ["config", "preset"])]
    run: Option<PathBuf>,
    #[command(flatten)]
    config: ConfigArgs,
    /// Images, a row each
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..))]
    rows: u32,
    /// Views of each image
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..))]
    views: u32,
    /// Where the sheet goes: .png or .jpg
    #[arg(long, value_name = "FILE", default_value = "views.png")]
    out: PathBuf,
}

impl Arguments {
    pub(crate) fn run(&self, output: &Output) -> Result<()> {
        let file = self.config.file()?;
        let data = self.data.open_or(file.data.as_ref().map(PathBuf::from))?;
        let images = data.pretrain.as_ref();
        let config = match &self.run {
            Some(dir) => RunDirectory::open(dir)?.config()?.pretrain,
            None => self.config.resolve(&file, images)?,
        };
        let augmentation = config.augmentation()?;
        let rows = self.rows.min(images.len() as u32);
        let mut sheet = self.sheet(rows, config.augmentation.size)?;
        let mut drawn = Vec::new();
        // From all over the set, so that each class has a chance.
        for row in 0..rows {
            let index = row as usize * images.len() / rows as usize;
            self.draw(
                &mut sheet,
                row,
                &images.image(index)?,
                &augmentation,
                [config.seed, index as u64],
            )?;
            drawn.push(images.name(index));
            output.line(format!("row {}: {}", row + 1, printable(&images.name(index))));
        }
        let path = self.out.display();
        let format = ImageFormat::from_path(&self.out)
            .map_err(|_| usage(format!("expected --out to end in .png or .jpg, found {path}")))?;
        write_image(&sheet.into(), format, &self.out)
            .with_context(|| format!("cannot write {path}"))?;
        output.line(format!("the first picture of a row is the whole image; written to {path}"));
        let out = path.to_string();
        output.result(&json!({ "out": out, "images": drawn, "views": self.views }));
        Ok(())
    }

    /// One image and its views of the first passes, two a pass, as a run with this seed sees them.
    fn draw(
        &self,
        sheet: &mut RgbImage,
        row: u32,
        image: &RgbImage,
        augmentation: &SimClrAugmentation,
        [seed, index]: [u64; 2],
    ) -> Result<()> {
        let untouched = augmentation.clone().with_whole_images();
        for column in 0..=self.views {
            let (augmentation, view) = match column {
                0 => (&untouched, 0),
                _ => (augmentation, u64::from(column - 1)),
            };
            // Passes over the images are counted from 1, as in training.
            let key = ViewKey { seed, pass: 1 + view / 2, index, view: view % 2 };
            let params = augmentation.draw(key, image.width(), image.height());
            place(sheet, &augmentation.view(image, &params)?, column, row);
        }
        Ok(())
    }

    fn sheet(&self, rows: u32, size: u32) -> Result<RgbImage> {
        let length = |count: u32| {
            let length = u64::from(count) * u64::from(size + GAP) + u64::from(GAP);
            u32::try_from(length).ok().filter(|length| *length <= LONGEST_SIDE).ok_or_else(|| {
                usage(format!("expected a sheet of at most {LONGEST_SIDE} pixels, found {length}"))
            })
        };
        let columns = self.views.saturating_add(1);
        Ok(RgbImage::from_pixel(length(columns)?, length(rows)?, Rgb([255; 3])))
    }
}

fn place(sheet: &mut RgbImage, picture: &RgbImage, column: u32, row: u32) {
    let start = |index: u32| i64::from(GAP + index * (picture.width() + GAP));
    imageops::replace(sheet, picture, start(column), start(row));
}
