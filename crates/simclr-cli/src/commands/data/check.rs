//! `simclr data check`.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Result;
use clap::Args;
use rayon::prelude::*;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use simclr::data::{DataError, ImageDataset, Splits, printable};

use crate::data_args::warned;
use crate::output::{NAMED, Output, with_causes};
use crate::watched::Watched;

#[derive(Args)]
pub(crate) struct Arguments {
    /// Folder of photos, or of STL-10's or CIFAR-10's binary files
    #[arg(value_name = "DIR")]
    dir: PathBuf,
}

/// An image that could be read.
struct Checked {
    name: String,
    width: u32,
    height: u32,
    /// The SHA-256 of its size and pixels.
    digest: [u8; 32],
}

/// What is in a set of images.
struct Report {
    title: &'static str,
    images: usize,
    classes: Vec<(String, usize)>,
    checked: Vec<Checked>,
    unreadable: Vec<DataError>,
}

impl Arguments {
    pub(crate) fn run(&self, output: &Output) -> Result<()> {
        let data = warned(Splits::open(&self.dir)?);
        output.line(&data.description);
        let mut reports = vec![check("pretraining set", &data.pretrain)?];
        if let Some(labelled) = &data.labelled {
            reports.push(check("training set", &labelled.train)?);
            reports.push(check("test set", &labelled.test)?);
        }
        for report in &reports {
            report.print(output);
        }
        // A test image that is also learnt from makes every figure too good.
        let leaks = match reports.as_slice() {
            [pretrain, train, test] => twins(test, &[pretrain, train]),
            _ => Vec::new(),
        };
        for (test, twin) in leaks.iter().take(NAMED) {
            let [test, twin] = [test, twin].map(|name| printable(name));
            output.line(format!("test image that is also learnt from: {test} is {twin}"));
        }
        if !leaks.is_empty() {
            let count = leaks.len();
            output.line(format!("{count} test images are also among those to learn from"));
        }
        let unreadable: usize = reports.iter().map(|report| report.unreadable.len()).sum();
        output.line(if unreadable + leaks.len() == 0 {
            "nothing is wrong"
        } else {
            "some images are wrong: see above"
        });
        output.result(&json!({
            "data": data.description,
            "warnings": data.warnings,
            "sets": reports.iter().map(Report::json).collect::<Vec<_>>(),
            "leaks": leaks,
        }));
        Ok(())
    }
}

/// Reads every image.
fn check(title: &'static str, images: &Arc<dyn ImageDataset>) -> Result<Report> {
    let watched = Watched::new(format!("reading the {title}"), images);
    let results: Vec<Result<Checked, DataError>> =
        (0..watched.len()).into_par_iter().map(|index| read(&watched, index)).collect();
    let mut classes: Vec<_> = images.class_names().iter().map(|name| (name.clone(), 0)).collect();
    for class in (0..images.len()).filter_map(|index| images.label(index)) {
        if let Some((_, count)) = classes.get_mut(class) {
            *count += 1;
        }
    }
    let (mut checked, mut unreadable) = (Vec::new(), Vec::new());
    for result in results {
        match result {
            Ok(image) => checked.push(image),
            Err(error) if error.is_one_image() => unreadable.push(error),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Report { title, images: images.len(), classes, checked, unreadable })
}

fn read(images: &dyn ImageDataset, index: usize) -> Result<Checked, DataError> {
    let image = images.image(index)?;
    let (width, height) = image.dimensions();
    let mut hasher = Sha256::new();
    hasher.update(width.to_le_bytes());
    hasher.update(image.as_raw());
    let digest = hasher.finalize().into();
    Ok(Checked { name: images.name(index), width, height, digest })
}

/// Images of `set` with the pixels of one in `others`: both names.
fn twins(set: &Report, others: &[&Report]) -> Vec<(String, String)> {
    let known: HashMap<[u8; 32], &str> = others
        .iter()
        .flat_map(|report| &report.checked)
        .map(|image| (image.digest, image.name.as_str()))
        .collect();
    let twin = |image: &Checked| {
        known.get(&image.digest).map(|twin| (image.name.clone(), (*twin).to_owned()))
    };
    set.checked.iter().filter_map(twin).collect()
}

impl Report {
    /// Smallest, median and largest of a measure.
    fn spread(&self, measure: impl Fn(&Checked) -> u32) -> Option<[u32; 3]> {
        let mut values: Vec<u32> = self.checked.iter().map(measure).collect();
        values.sort_unstable();
        Some([*values.first()?, values[values.len() / 2], *values.last()?])
    }

    /// How many images have the pixels of an earlier one.
    fn duplicates(&self) -> usize {
        let different: std::collections::HashSet<_> =
            self.checked.iter().map(|image| image.digest).collect();
        self.checked.len() - different.len()
    }

    fn print(&self, output: &Output) {
        output.line(format!("\n{}: {} images", self.title, self.images));
        let sides = (self.spread(|image| image.width), self.spread(|image| image.height));
        if let (Some(width), Some(height)) = sides {
            let [width, height] = [width, height]
                .map(|[least, median, most]| format!("{least} to {most} ({median})"));
            output.line(format!("  width {width}, height {height} pixels (median)"));
        }
        for (class, count) in &self.classes {
            output.line(format!("  {count:>7}  {}", printable(class)));
        }
        if self.duplicates() > 0 {
            output.line(format!("  {} have the same pixels as another", self.duplicates()));
        }
        for error in self.unreadable.iter().take(NAMED) {
            output.line(format!("  unreadable: {}", printable(&with_causes(error))));
        }
        if self.unreadable.len() > NAMED {
            output.line(format!("  and {} more", self.unreadable.len() - NAMED));
        }
    }

    fn json(&self) -> Value {
        let class = |(class, count): &(String, usize)| json!({ "class": class, "images": count });
        let classes = self.classes.iter().map(class);
        let unreadable = self.unreadable.iter().map(|error| with_causes(error));
        json!({
            "set": self.title,
            "images": self.images,
            "classes": classes.collect::<Vec<_>>(),
            "width": self.spread(|image| image.width),
            "height": self.spread(|image| image.height),
            "duplicates": self.duplicates(),
            "unreadable": unreadable.collect::<Vec<_>>(),
        })
    }
}
