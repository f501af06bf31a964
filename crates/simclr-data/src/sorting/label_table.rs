//! Names of images and their classes, in a table.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use csv::{ReaderBuilder, StringRecord};

use super::sort_error::SortError;

/// The longest table, in bytes: millions of lines.
const LONGEST: u64 = 1 << 28;
/// Characters of a foreign header that an error shows.
const SHOWN: usize = 80;

/// Names of images and their classes, from a file of comma-separated values. Each image has one class.
///
/// The names are in the column `name`, or else `image`; the classes in the column `class`, or else `label`. That is what `simclr classify`
/// writes (`image,class,probability`), what `simclr embed` and `simclr eval --predictions` write, and a list of labels (`name,label`). If there is a
/// column `probability`, of several lines of an image the one with the highest counts, the first of equals.
///
/// ```
/// use simclr_data::LabelTable;
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("labels.csv");
/// std::fs::write(&path, "image,class,probability\n1.jpg,cat,0.4\n1.jpg,dog,0.6\n2.jpg,cat,0.9\n")?;
/// let table = LabelTable::read(&path)?;
/// let first = &table.rows()[0];
/// assert_eq!((&first.name[..], &first.class[..], first.line), ("1.jpg", "dog", 3));
/// assert_eq!(table.rows().len(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelTable {
    rows: Vec<LabelledName>,
}

/// An image and its class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelledName {
    /// The image's name.
    pub name: String,
    /// Its class, of any text: empty if the table has none.
    pub class: String,
    /// The line of the table, from 1.
    pub line: u64,
}

/// Where a line has what is read.
struct Columns {
    name: usize,
    class: usize,
    probability: Option<usize>,
}

impl LabelTable {
    /// Reads a table of at most 256 MiB.
    ///
    /// # Errors
    ///
    /// [`SortError::Read`], [`SortError::TooLarge`], [`SortError::Table`], [`SortError::Columns`], [`SortError::NoLabels`], and
    /// [`SortError::TwoClasses`] for an image that has two where no probability tells which.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, SortError> {
        let path = path.as_ref();
        let file = File::open(path).map_err(SortError::read(path))?;
        let found = file.metadata().map_err(SortError::read(path))?.len();
        let too_large = |found| SortError::TooLarge { path: path.to_owned(), most: LONGEST, found };
        if found > LONGEST {
            return Err(too_large(found));
        }
        // A pipe or a device has no length.
        let mut reader = ReaderBuilder::new().from_reader(file.take(LONGEST + 1));
        let bad = |error: csv::Error| SortError::Table {
            path: path.to_owned(),
            found: error.to_string(),
        };
        let header = reader.headers().map_err(bad)?;
        let columns = Columns::of(header).ok_or_else(|| SortError::Columns {
            path: path.to_owned(),
            found: header.iter().collect::<Vec<_>>().join(",").chars().take(SHOWN).collect(),
        })?;
        let mut rows: Vec<LabelledName> = Vec::new();
        let mut probabilities = Vec::new();
        let mut places: HashMap<String, usize> = HashMap::new();
        for record in reader.records() {
            let record = record.map_err(bad)?;
            let row = LabelledName {
                name: record[columns.name].to_owned(),
                class: record[columns.class].to_owned(),
                line: record.position().map_or(0, csv::Position::line),
            };
            let probability = columns.probability(&record).map_err(|found| {
                let found = format!("the probability {found} in line {}", row.line);
                SortError::Table { path: path.to_owned(), found }
            })?;
            match places.entry(row.name.clone()) {
                Entry::Vacant(place) => {
                    place.insert(rows.len());
                    rows.push(row);
                    probabilities.push(probability);
                }
                Entry::Occupied(place) => {
                    let place = *place.get();
                    match (probability, probabilities[place]) {
                        (Some(now), Some(before)) if now > before => {
                            rows[place] = row;
                            probabilities[place] = probability;
                        }
                        (Some(_), Some(_)) => {}
                        _ => rows[place].check_same(row)?,
                    }
                }
            }
        }
        if reader.get_ref().limit() == 0 {
            return Err(too_large(LONGEST + 1));
        }
        if rows.is_empty() {
            return Err(SortError::NoLabels { path: path.to_owned() });
        }
        Ok(Self { rows })
    }

    /// A row for each image, in the order of their first lines.
    #[must_use]
    pub fn rows(&self) -> &[LabelledName] {
        &self.rows
    }
}

impl LabelledName {
    fn check_same(&self, other: Self) -> Result<(), SortError> {
        if self.class == other.class {
            return Ok(());
        }
        Err(SortError::TwoClasses {
            name: other.name,
            first: self.class.clone(),
            first_line: self.line,
            class: other.class,
            line: other.line,
        })
    }
}

impl Columns {
    fn of(header: &StringRecord) -> Option<Self> {
        // Spreadsheets begin a file with a byte order mark.
        let named = |name: &str| {
            header.iter().position(|column| column.trim_start_matches('\u{feff}').trim() == name)
        };
        Some(Self {
            name: named("name").or_else(|| named("image"))?,
            class: named("class").or_else(|| named("label"))?,
            probability: named("probability"),
        })
    }

    /// The probability of a line; what is there, if that is no number.
    fn probability(&self, record: &StringRecord) -> Result<Option<f64>, String> {
        let Some(column) = self.probability else { return Ok(None) };
        let text = &record[column];
        let number = text.trim().parse().ok().filter(|number: &f64| number.is_finite());
        number.map(Some).ok_or_else(|| text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8]) -> Result<LabelTable, SortError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("labels.csv");
        std::fs::write(&path, text).unwrap();
        LabelTable::read(&path)
    }

    fn rows(text: &str) -> Vec<(String, String)> {
        let table = read(text.as_bytes()).unwrap();
        table.rows.into_iter().map(|row| (row.name, row.class)).collect()
    }

    #[test]
    fn each_of_our_tables_is_read_by_its_header() {
        for text in [
            "name,label\na/1.jpg,cat\n",
            "\u{feff}name,label\r\na/1.jpg,cat\r\n",
            "image,class,probability\na/1.jpg,cat,0.5\n",
            "name,split,class,label\na/1.jpg,train,cat,0\n",
            "image,name,class,predicted,score of cat\n17,a/1.jpg,cat,dog,0.1\n",
            "label, name\ncat,a/1.jpg\n",
        ] {
            assert_eq!(rows(text), [("a/1.jpg".to_owned(), "cat".to_owned())], "{text}");
        }
    }

    #[test]
    fn names_of_any_text_are_read_as_csv_quotes_them() {
        let text = "name,label\n\"a,\"\"b\"\"\nc.jpg\",\"\"\n";
        assert_eq!(rows(text), [("a,\"b\"\nc.jpg".to_owned(), String::new())]);
    }

    #[test]
    fn two_classes_for_an_image_are_refused_unless_probabilities_tell() {
        let error = read(b"name,label\na,cat\nb,cat\na,dog\na,cat\n").unwrap_err().to_string();
        assert_eq!(error, "expected one class for a, found cat in line 2 and dog in line 4");
        assert_eq!(rows("name,label\na,cat\na,cat\n").len(), 1);
        let text = "image,class,probability\na,cat,0.3\na,dog,0.3\na,emu,0.2\n";
        assert_eq!(rows(text), [("a".to_owned(), "cat".to_owned())]);
    }

    #[test]
    fn what_is_no_table_of_labels_is_refused() {
        for (text, part) in [
            (&b""[..], "expected a header with `name` or `image`, and `class` or `label`"),
            (b"file,label\na,b\n", "found file,label"),
            (b"name,label\n", "expected a label in"),
            (b"name,label\na\n", "expected comma-separated values"),
            (b"name,label\n\xff\xfe,cat\n", "expected comma-separated values"),
            (b"\x89PNG\r\n\x1a\n\0\0", "labels.csv, found"),
            (b"image,class,probability\na,cat,NaN\n", "the probability NaN in line 2"),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
            assert!(!error.contains(char::is_control), "{error:?}");
        }
        let error = LabelTable::read("no/such.csv").unwrap_err();
        assert_eq!(error.to_string(), "cannot read no/such.csv");
    }

    #[test]
    fn a_table_that_is_too_long_is_refused_unread() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("labels.csv");
        File::create(&path).unwrap().set_len(LONGEST + 1).unwrap();
        assert!(matches!(LabelTable::read(&path), Err(SortError::TooLarge { .. })));
    }
}
