//! The learner's numbers: the two views of each image, from the command line or from a file.
//!
//! The file is text with a line for each view: the image's name, then the view's numbers, with commas between. The
//! first line of a name is the image's view a, the second its view b, in any order of the images. Empty lines and
//! lines that begin with `#` are passed over.
//!
//! ```text
//! # name, numbers
//! cat, 1, 2
//! dog, 3, -2
//! cat, 1, 0.75
//! dog, 2.8, -1.75
//! ```

use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result};
use burn::tensor::{Device, Tensor, TensorData};
use simclr::data::printable;
use simclr::loss::OutOfRange;

/// Enough to read, few enough for a matrix that a person looks at.
const MOST_IMAGES: usize = 16;
const MOST_NUMBERS: usize = 4096;
const MOST_BYTES: u64 = 1 << 20;
/// Squares of larger numbers overflow f32; a shorter vector has no direction (`eps` of PyTorch's `F.normalize`).
const LARGEST_NUMBER: f32 = 1e15;
const SHORTEST_VIEW: f64 = 1e-12;

/// Two views of each of n images: row i of `a` and row i of `b` come from image i.
pub(crate) struct Views {
    pub(crate) names: Vec<String>,
    pub(crate) a: Vec<Vec<f32>>,
    pub(crate) b: Vec<Vec<f32>>,
}

impl Views {
    /// Rows of numbers as in `"1,2;3,-2"`, for each view.
    pub(crate) fn from_rows(a: &str, b: &str) -> Result<Self, OutOfRange> {
        let (a, b) = (rows("--a", a)?, rows("--b", b)?);
        let names = (0..a.len()).map(|image| format!("image {image}")).collect();
        Self { names, a, b }.checked()
    }

    /// The views in a file, see the module's docs.
    pub(crate) fn from_file(path: &Path) -> Result<Self> {
        Self::read(path).with_context(|| format!("cannot use {}", path.display()))
    }

    fn read(path: &Path) -> Result<Self> {
        let mut bytes = Vec::new();
        File::open(path)?.take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
        let small = bytes.len() as u64 <= MOST_BYTES;
        OutOfRange::unless(small, "the file", format!("at most {MOST_BYTES} bytes"), "more")?;
        let text = String::from_utf8(bytes)
            .map_err(|error| OutOfRange::new("the file", "text in UTF-8", error.utf8_error()))?;
        Ok(Self::from_text(&text)?)
    }

    fn from_text(text: &str) -> Result<Self, OutOfRange> {
        let mut images: Vec<(&str, Vec<Vec<f32>>)> = Vec::new();
        let text = text.trim_start_matches('\u{feff}'); // As some editors begin a file.
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let place = format!("line {}", number + 1);
            let (name, rest) = line.split_once(',').ok_or_else(|| {
                OutOfRange::new(place.clone(), "a name and numbers, with commas between", cut(line))
            })?;
            let view = numbers(&place, rest)?;
            let image = images.iter().position(|(known, _)| *known == name.trim());
            let image = image.unwrap_or_else(|| {
                images.push((name.trim(), Vec::new()));
                images.len() - 1
            });
            check_count(images.len().max(2))?;
            let views = &mut images[image].1;
            OutOfRange::unless(views.len() < 2, place, "one of two of its name", "a third")?;
            views.push(view);
        }
        let mut found = Self { names: Vec::new(), a: Vec::new(), b: Vec::new() };
        for (name, views) in images {
            let [a, b] = <[Vec<f32>; 2]>::try_from(views).map_err(|_| {
                OutOfRange::new(cut(name), "on two lines, one for each view", "one")
            })?;
            found.names.push(printable(name));
            found.a.push(a);
            found.b.push(b);
        }
        found.checked()
    }

    /// What a matrix of similarities needs of the numbers.
    fn checked(self) -> Result<Self, OutOfRange> {
        let (n, d) = (self.a.len(), self.a.first().map_or(0, Vec::len));
        check_count(n)?;
        OutOfRange::unless(
            self.b.len() == n,
            "--b",
            format!("{n} views, one for each of --a"),
            self.b.len(),
        )?;
        let most = format!("at most {MOST_NUMBERS}");
        OutOfRange::unless(d <= MOST_NUMBERS, "the numbers of a view", most, d)?;
        for (view, rows) in [("a", &self.a), ("b", &self.b)] {
            for (row, name) in rows.iter().zip(&self.names) {
                let of = format!("view {view} of {}", cut(name));
                let expected = format!("{d} numbers, like the first view");
                OutOfRange::unless(row.len() == d, of.clone(), expected, row.len())?;
                let long = format!("longer than {SHORTEST_VIEW}, to have a direction");
                OutOfRange::unless(length(row) > SHORTEST_VIEW, of, long, length(row))?;
            }
        }
        Ok(self)
    }

    /// View a and view b, `[n, d]` each.
    pub(crate) fn tensors(&self, device: &Device) -> [Tensor<2>; 2] {
        [&self.a, &self.b].map(|rows| {
            let data = TensorData::new(rows.concat(), [rows.len(), rows[0].len()]);
            Tensor::from_data(data, device)
        })
    }
}

fn check_count(images: usize) -> Result<(), OutOfRange> {
    let expected = format!("in 2..={MOST_IMAGES} (a single one has no negatives)");
    let legal = (2..=MOST_IMAGES).contains(&images);
    OutOfRange::unless(legal, "the number of images", expected, images)
}

/// The length of a vector.
pub(crate) fn length(row: &[f32]) -> f64 {
    row.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>().sqrt()
}

fn rows(flag: &str, text: &str) -> Result<Vec<Vec<f32>>, OutOfRange> {
    let row = |(i, row)| numbers(&format!("row {} of {flag}", i + 1), row);
    text.split(';').enumerate().map(row).collect()
}

fn numbers(place: &str, text: &str) -> Result<Vec<f32>, OutOfRange> {
    let number = |(i, text): (usize, &str)| {
        let value = text.trim().parse().ok();
        value.filter(|value: &f32| value.abs() <= LARGEST_NUMBER).ok_or_else(|| {
            let field = format!("number {} of {place}", i + 1);
            OutOfRange::new(field, "between -1e15 and 1e15", cut(text.trim()))
        })
    };
    text.split(',').enumerate().map(number).collect()
}

/// The beginning of a stranger's text, in quotation marks and with control characters escaped.
fn cut(text: &str) -> String {
    const MOST: usize = 24;
    let beginning: String = text.chars().take(MOST).collect();
    let dots = if beginning.len() < text.len() { "..." } else { "" };
    format!("{:?}", beginning + dots)
}
