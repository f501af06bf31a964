//! Parquet files for tests.

use std::{fs::File, io::Cursor, path::Path, sync::Arc};

use image::{ImageFormat, Rgb, RgbImage};
use parquet::{
    basic::Compression,
    data_type::{ByteArray, ByteArrayType, Int64Type},
    file::{
        metadata::KeyValue,
        properties::{EnabledStatistics, WriterProperties, WriterVersion},
        writer::SerializedFileWriter,
    },
    schema::parser::parse_message_type,
};

/// The columns of the hub's data sets.
pub(super) const HUB: &str = "message schema {
    optional group image { optional binary bytes; optional binary path (UTF8); }
    optional int64 label;
}";

/// How a file is laid out.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    pub(super) rows_of_page: usize,
    pub(super) rows_of_group: usize,
    pub(super) index: bool,
    pub(super) dictionary: bool,
    pub(super) compression: Compression,
    pub(super) version: WriterVersion,
    /// The hub's metadata.
    pub(super) features: Option<&'static str>,
}

impl Default for Layout {
    fn default() -> Self {
        Self {
            rows_of_page: 2,
            rows_of_group: 5,
            index: true,
            dictionary: false,
            compression: Compression::SNAPPY,
            version: WriterVersion::PARQUET_1_0,
            features: None,
        }
    }
}

impl Layout {
    fn properties(&self) -> WriterProperties {
        let features = self.features.map(|features| {
            let value = format!(r#"{{"info": {{"features": {features}}}}}"#);
            vec![KeyValue { key: "huggingface".to_owned(), value: Some(value) }]
        });
        WriterProperties::builder()
            .set_writer_version(self.version)
            .set_compression(self.compression)
            .set_dictionary_enabled(self.dictionary)
            .set_data_page_row_count_limit(self.rows_of_page)
            .set_write_batch_size(1)
            .set_statistics_enabled(EnabledStatistics::None)
            .set_offset_index_disabled(!self.index)
            .set_key_value_metadata(features)
            .build()
    }

    /// Writes rows of an image, or of a null, and a number.
    pub(super) fn write(&self, path: &Path, rows: &[(Option<Vec<u8>>, Option<i64>)]) {
        let schema = Arc::new(parse_message_type(HUB).unwrap());
        let file = File::create(path).unwrap();
        let mut writer =
            SerializedFileWriter::new(file, schema, Arc::new(self.properties())).unwrap();
        for rows in rows.chunks(self.rows_of_group) {
            let mut group = writer.next_row_group().unwrap();
            let bytes: Vec<ByteArray> =
                rows.iter().filter_map(|(image, _)| image.clone().map(Into::into)).collect();
            let levels: Vec<i16> =
                rows.iter().map(|(image, _)| if image.is_some() { 2 } else { 0 }).collect();
            let mut column = group.next_column().unwrap().unwrap();
            column.typed::<ByteArrayType>().write_batch(&bytes, Some(&levels), None).unwrap();
            column.close().unwrap();
            let mut column = group.next_column().unwrap().unwrap();
            column
                .typed::<ByteArrayType>()
                .write_batch(&[], Some(&vec![0; rows.len()]), None)
                .unwrap();
            column.close().unwrap();
            let numbers: Vec<i64> = rows.iter().filter_map(|(_, number)| *number).collect();
            let levels: Vec<i16> = rows.iter().map(|(_, it)| i16::from(it.is_some())).collect();
            let mut column = group.next_column().unwrap().unwrap();
            column.typed::<Int64Type>().write_batch(&numbers, Some(&levels), None).unwrap();
            column.close().unwrap();
            group.close().unwrap();
        }
        writer.close().unwrap();
    }
}

/// A file of one flat column of images, and one of other columns in the same schema if `schema` says so.
pub(super) fn write_flat(path: &Path, schema: &str, images: &[Vec<u8>]) {
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let properties = Arc::new(Layout::default().properties());
    let mut writer =
        SerializedFileWriter::new(File::create(path).unwrap(), schema, properties).unwrap();
    let mut group = writer.next_row_group().unwrap();
    let bytes: Vec<ByteArray> = images.iter().cloned().map(Into::into).collect();
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<ByteArrayType>().write_batch(&bytes, None, None).unwrap();
    column.close().unwrap();
    group.close().unwrap();
    writer.close().unwrap();
}

/// The colour of the image of a row.
pub(super) fn colour(row: usize) -> [u8; 3] {
    [(7 * row % 256) as u8, (255 - row % 256) as u8, (row / 256) as u8]
}

pub(super) fn png(row: usize) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    RgbImage::from_pixel(6, 4, Rgb(colour(row))).write_to(&mut file, ImageFormat::Png).unwrap();
    file.into_inner()
}

/// Rows of images of three classes.
pub(super) fn rows(count: usize) -> Vec<(Option<Vec<u8>>, Option<i64>)> {
    (0..count)
        .zip([0, 1, 2].into_iter().cycle())
        .map(|(row, class)| (Some(png(row)), Some(class)))
        .collect()
}
