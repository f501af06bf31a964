//! The prediction for each image, for a spreadsheet or a script.

use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;
use simclr_data::ImageDataset;
use simclr_embed::EmbedError;
use simclr_files::replace_file;

use super::predictions::Predictions;
use crate::error::EvalError;

/// Predictions beside their images' names and classes.
///
/// ```
/// use simclr_data::{Sample, SampleConfig};
/// use simclr_eval::{PredictionTable, Predictions};
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("predictions.csv");
/// let images = Sample::new(SampleConfig { images: 2, ..SampleConfig::default() })?;
/// let predictions = Predictions::new(vec![0.75, 0.25, 0.5, 0.5], 2);
/// PredictionTable::new(&predictions, &[0, 1], &images)?.write_csv(&path)?;
///
/// let csv = std::fs::read_to_string(&path)?;
/// assert!(csv.starts_with("image,name,class,predicted,score of disk,score of ring\n"));
/// assert!(csv.contains("\n1,sample/ring/1,ring,disk,0.5,0.5\n"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PredictionTable {
    /// Names of the classes, in the order of the scores.
    classes: Vec<String>,
    predictions: Vec<Row>,
}

/// One image's line.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Row {
    /// Its index in the data set.
    image: usize,
    name: String,
    /// Its true class; `None` if it is unlabelled.
    class: Option<String>,
    predicted: String,
    scores: Vec<f32>,
}

impl PredictionTable {
    /// Predictions for the images of `dataset` at `indices`: those of
    /// [`EmbeddedLabelled`](simclr_embed::EmbeddedLabelled).
    ///
    /// # Errors
    ///
    /// [`EvalError::Embed`] unless there is one image for each prediction.
    pub fn new(
        predictions: &Predictions,
        indices: &[usize],
        dataset: &dyn ImageDataset,
    ) -> Result<Self, EvalError> {
        EmbedError::check_count("one image", "predictions", predictions.len(), indices.len())?;
        let known = dataset.class_names();
        let name =
            |class: usize| known.get(class).cloned().unwrap_or_else(|| format!("class {class}"));
        let rows = indices.iter().zip(predictions.top1()).zip(predictions.rows());
        let row = |((&image, predicted), scores): ((&usize, usize), &[f32])| Row {
            image,
            name: dataset.name(image),
            class: dataset.label(image).map(name),
            predicted: name(predicted),
            scores: scores.to_vec(),
        };
        Ok(Self {
            classes: (0..predictions.classes()).map(name).collect(),
            predictions: rows.map(row).collect(),
        })
    }

    /// Writes a line for each image below a header, as comma-separated values: names that need it are quoted
    /// as RFC 4180 says. The file appears as a whole or not at all.
    ///
    /// # Errors
    ///
    /// [`EmbedError::Write`]; an older file of that name is then untouched.
    pub fn write_csv(&self, path: impl AsRef<Path>) -> Result<(), EvalError> {
        write(path.as_ref(), |file| self.csv(file))
    }

    /// Writes `{"classes": [...], "predictions": [{"image", "name", "class", "predicted", "scores"}, ...]}`.
    /// The file appears as a whole or not at all.
    ///
    /// # Errors
    ///
    /// [`EmbedError::Write`]; an older file of that name is then untouched.
    pub fn write_json(&self, path: impl AsRef<Path>) -> Result<(), EvalError> {
        write(path.as_ref(), |file| {
            serde_json::to_writer(&mut *file, self)?;
            file.write_all(b"\n")
        })
    }

    fn csv(&self, file: &mut dyn Write) -> io::Result<()> {
        let mut table = csv::Writer::from_writer(file);
        let scores = self.classes.iter().map(|class| format!("score of {class}"));
        let columns = ["image", "name", "class", "predicted"].map(str::to_owned);
        table.write_record(columns.into_iter().chain(scores))?;
        for row in &self.predictions {
            let class = row.class.clone().unwrap_or_default();
            let columns = [row.image.to_string(), row.name.clone(), class, row.predicted.clone()];
            let scores = row.scores.iter().map(ToString::to_string);
            table.write_record(columns.into_iter().chain(scores))?;
        }
        table.flush()
    }
}

fn write(
    path: &Path,
    content: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), EvalError> {
    let failed = |source| EmbedError::Write { path: path.to_owned(), source };
    Ok(replace_file(path, content).map_err(failed)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::RgbImage;
    use proptest::prelude::*;
    use simclr_data::DataError;

    /// One image of each class, and one without a label.
    struct Named {
        classes: Vec<String>,
    }

    impl ImageDataset for Named {
        fn len(&self) -> usize {
            self.classes.len() + 1
        }
        fn image(&self, _: usize) -> Result<RgbImage, DataError> {
            Ok(RgbImage::new(1, 1))
        }
        fn label(&self, index: usize) -> Option<usize> {
            (index < self.classes.len()).then_some(index)
        }
        fn class_names(&self) -> &[String] {
            &self.classes
        }
        fn name(&self, index: usize) -> String {
            format!("\"{index}\", {}", self.classes.get(index).map_or("none", String::as_str))
        }
    }

    fn table(classes: &[&str]) -> PredictionTable {
        let set = Named { classes: classes.iter().map(|&class| class.to_owned()).collect() };
        let images: Vec<usize> = (0..set.len()).collect();
        let scores = vec![0.25; set.len() * classes.len()];
        PredictionTable::new(&Predictions::new(scores, classes.len()), &images, &set).unwrap()
    }

    /// The fields of each record.
    fn parse(csv: &[u8]) -> Vec<Vec<String>> {
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(csv);
        reader.deserialize().map(Result::unwrap).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))] // each waits for the disk four times
        #[test]
        fn any_name_survives_csv_and_json(names in prop::collection::vec("(?s).{0,12}", 1..4)) {
            let folder = tempfile::tempdir().unwrap();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let table = table(&names);

            let path = folder.path().join("table.csv");
            table.write_csv(&path).unwrap();
            let records = parse(&std::fs::read(&path).unwrap());
            prop_assert_eq!(records.len(), names.len() + 2);
            for (index, name) in names.iter().enumerate() {
                prop_assert_eq!(&records[0][4 + index], &format!("score of {name}"));
                prop_assert_eq!(&records[1 + index][1], &format!("\"{index}\", {name}"));
                prop_assert_eq!(&records[1 + index][2], name);
            }

            let path = folder.path().join("table.json");
            table.write_json(&path).unwrap();
            let read: serde_json::Value =
                serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
            for (index, name) in names.iter().enumerate() {
                prop_assert_eq!(read["predictions"][index]["class"].as_str(), Some(*name));
            }
        }
    }

    #[test]
    fn an_unlabelled_image_has_an_empty_class() {
        let mut csv = Vec::new();
        table(&["cat"]).csv(&mut csv).unwrap();
        let records = parse(&csv);
        assert_eq!(records[2], ["1", "\"1\", none", "", "cat", "0.25"]);
    }

    #[test]
    fn a_folder_that_does_not_exist_is_named() {
        let error = table(&["cat"]).write_csv("no/such/folder/a.csv").unwrap_err();
        assert_eq!(error.to_string(), "cannot write no/such/folder/a.csv");
    }
}
