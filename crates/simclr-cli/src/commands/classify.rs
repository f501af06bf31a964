//! `simclr classify`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;
use serde_json::{Value, json};
use simclr::data::{printable, replace_file};
use simclr::embed::Embedded;
use simclr::eval::{Classifier, Predictions};

use crate::device_args::DeviceArgs;
use crate::failure::usage;
use crate::named_images::NamedImages;
use crate::out_file::check_folder_of;
use crate::output::Output;
use crate::watched::watched;

#[derive(Args)]
pub(crate) struct Arguments {
    /// Classifier: a file that `simclr eval linear --save` or `simclr eval finetune --save` wrote
    #[arg(long, value_name = "FILE")]
    classifier: PathBuf,
    /// Images to classify, or folders of images; one that cannot be read doesn't lose the others
    #[arg(value_name = "IMAGE|DIR", required = true)]
    images: Vec<PathBuf>,
    /// How many classes to name for each image, the likeliest first
    #[arg(long, value_name = "K", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    top: u16,
    /// Write the table to this file instead, .csv or .json
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    device: DeviceArgs,
}

/// What a classifier says of an image.
struct Said {
    image: String,
    /// Classes and their probabilities, the likeliest first.
    classes: Vec<(String, f32)>,
}

impl Arguments {
    pub(crate) fn run(&self, output: &Output) -> Result<()> {
        let to_json = self.out.as_deref().map(is_json).transpose()?;
        check_folder_of(self.out.as_deref())?;
        let classifier = Classifier::open(&self.classifier, &self.device.open()?)?;
        let embedder = classifier.embedder();
        let images = NamedImages::files_and_folders(&self.images, embedder.transform().ground().0);
        let embedded = embedder.embed(&watched("classifying", &images))?;
        let predictions = classifier.layer().predict(&embedded.features)?;
        let failures = images.failures(&embedded);

        let said = self.said(&classifier, &embedded, &predictions);
        let mut result = json!({
            "images": said.iter().map(Said::json).collect::<Vec<_>>(),
            "failed": failures.json(),
            "skipped_images": failures.in_folders,
        });
        match (&self.out, to_json) {
            (Some(out), Some(to_json)) if !said.is_empty() => {
                let text = if to_json { format!("{result}\n") } else { csv(&said)? };
                replace_file(out, |file| file.write_all(text.as_bytes()))
                    .with_context(|| format!("cannot write {}", out.display()))?;
                output.line(format!("{} images in {}", said.len(), out.display()));
                result["out"] = out.display().to_string().into();
            }
            (Some(_), _) => {}
            (None, _) => output.text(&csv(&said)?),
        }
        output.result(&result);
        failures.into_result()
    }

    /// The likeliest classes of each image that could be read.
    fn said(
        &self,
        classifier: &Classifier,
        embedded: &Embedded,
        predictions: &Predictions,
    ) -> Vec<Said> {
        let names = classifier.class_names();
        let best = predictions.best(usize::from(self.top));
        let rows = embedded.names.iter().zip(best).zip(predictions.rows());
        let said = |((image, best), scores): ((&String, Vec<usize>), &[f32])| Said {
            image: image.clone(),
            classes: best.into_iter().map(|class| (names[class].clone(), scores[class])).collect(),
        };
        rows.map(said).collect()
    }
}

impl Said {
    fn json(&self) -> Value {
        let one = |(class, probability): &(String, f32)| json!({ "class": class, "probability": probability });
        let (class, probability) = &self.classes[0];
        json!({
            "image": self.image,
            "class": class,
            "probability": probability,
            "top": self.classes.iter().map(one).collect::<Vec<_>>(),
        })
    }
}

/// A line for each image and class, the likeliest class of an image first, below a header.
fn csv(said: &[Said]) -> Result<String> {
    let mut table = csv::Writer::from_writer(Vec::new());
    table.write_record(["image", "class", "probability"])?;
    for Said { image, classes } in said {
        for (class, probability) in classes {
            table.write_record([image, &printable(class), &probability.to_string()])?;
        }
    }
    Ok(String::from_utf8(table.into_inner()?)?)
}

/// Whether the table goes to `out` as JSON, by the end of its name.
fn is_json(out: &Path) -> Result<bool> {
    match out.extension().and_then(|extension| extension.to_str()) {
        Some("json") => Ok(true),
        Some("csv") => Ok(false),
        _ => {
            let out = out.display();
            Err(usage(format!("expected --out to end in .csv or .json, found {out}")))
        }
    }
}
