//! Which columns of a file are images and classes.

use parquet::{
    basic::{LogicalType, Type},
    file::metadata::FileMetaData,
    schema::types::{ColumnDescriptor, SchemaDescriptor},
};
use serde_json::Value;

use super::fault::Fault;

/// Names of columns that go before others.
const IMAGES: [&str; 2] = ["image", "img"];
const LABEL: &str = "label";

/// The columns of a data set, as numbers of leaves.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Schema {
    pub(super) image: usize,
    pub(super) label: Option<usize>,
    /// The names of the classes, in the order of their numbers, if the file tells them.
    pub(super) class_names: Option<Vec<String>>,
    /// A column of classes that cannot be used.
    pub(super) unclear: Option<String>,
}

impl Schema {
    pub(super) fn of(file: &FileMetaData) -> Result<Self, Fault> {
        let schema = file.schema_descr();
        let features = features(file);
        let of_type = |name: &str, of: &str| features[name]["_type"] == of;
        let image = image_column(schema, |name| of_type(name, "Image"))?;
        let by_name = top_level(schema, LABEL);
        let mut of_classes = schema.columns().iter().enumerate().filter(|(_, column)| {
            column.path().parts().len() == 1 && of_type(column.name(), "ClassLabel")
        });
        // The only one that the features call so.
        let by_type = match (of_classes.next(), of_classes.next()) {
            (Some((leaf, _)), None) => Some(leaf),
            _ => None,
        };
        let found = by_name.or(by_type);
        let is_number = |leaf: &usize| {
            let column = schema.column(*leaf);
            matches!(column.physical_type(), Type::INT32 | Type::INT64) && !repeats(&column)
        };
        let label = found.filter(is_number);
        let name = label.map(|leaf| schema.column(leaf).name().to_owned());
        let class_names = name.and_then(|name| texts(&features[name]["names"]));
        let unclear = found.filter(|_| label.is_none());
        let unclear = unclear.map(|leaf| schema.column(leaf).name().to_owned());
        Ok(Self { image, label, class_names, unclear })
    }
}

/// The features of a data set of the Hugging Face hub: each column's type, and the names of its classes.
fn features(file: &FileMetaData) -> Value {
    let mut values = file.key_value_metadata().into_iter().flatten();
    let text = values.find(|pair| pair.key == "huggingface").and_then(|pair| pair.value.as_ref());
    let mut all: Value = text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    all["info"]["features"].take()
}

fn texts(names: &Value) -> Option<Vec<String>> {
    let names = names.as_array()?;
    names.iter().map(|name| name.as_str().map(str::to_owned)).collect()
}

/// The column of images: the one that `is_image` knows by its name, or that is called like one, or the only one.
fn image_column(
    schema: &SchemaDescriptor,
    is_image: impl Fn(&str) -> bool,
) -> Result<usize, Fault> {
    let candidates: Vec<(&str, usize)> = schema
        .columns()
        .iter()
        .enumerate()
        .filter_map(|(leaf, column)| Some((image_name(column)?, leaf)))
        .collect();
    let only = |known: &dyn Fn(&str) -> bool| {
        let mut known = candidates.iter().filter(|(name, _)| known(name));
        known.next().filter(|_| known.next().is_none()).map(|&(_, leaf)| leaf)
    };
    let named = IMAGES.iter().find_map(|image| only(&|name| name == *image));
    if let Some(leaf) = only(&is_image).or(named).or(only(&|_| true)) {
        return Ok(leaf);
    }
    if candidates.is_empty() {
        let columns: Vec<&str> =
            schema.root_schema().get_fields().iter().map(|it| it.name()).collect();
        return Err(Fault::damaged(format!(
            "no column of bytes, or of a struct with `bytes`, among the columns {}",
            listed(&columns)
        )));
    }
    let names: Vec<&str> = candidates.iter().map(|(name, _)| *name).collect();
    Err(Fault::damaged(format!(
        "several columns that may be images, and none called `image`: {}",
        listed(&names)
    )))
}

/// The first few of many names.
fn listed(names: &[&str]) -> String {
    let shown: Vec<String> =
        names.iter().take(8).map(|name| format!("`{}`", crate::printable(name))).collect();
    let more = if names.len() > shown.len() { ", ..." } else { "" };
    shown.join(", ") + more
}

/// The name of a column that may be of images: bytes, or the field `bytes` of a struct.
fn image_name(column: &ColumnDescriptor) -> Option<&str> {
    let is_text = matches!(column.logical_type_ref(), Some(LogicalType::String))
        || column.converted_type() == parquet::basic::ConvertedType::UTF8;
    if column.physical_type() != Type::BYTE_ARRAY || repeats(column) || is_text {
        return None;
    }
    match column.path().parts() {
        [name] => Some(name),
        [name, field] if field == "bytes" => Some(name),
        _ => None,
    }
}

fn repeats(column: &ColumnDescriptor) -> bool {
    column.max_rep_level() > 0
}

fn top_level(schema: &SchemaDescriptor, name: &str) -> Option<usize> {
    schema.columns().iter().position(|column| column.path().parts() == [name])
}
