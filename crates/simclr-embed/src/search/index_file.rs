//! The file of an index.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Take, Write};
use std::path::Path;

use serde::Deserialize;
use serde_json::json;
use simclr_files::replace_file;

use crate::embedding::Preparation;
use crate::error::EmbedError;

const VECTORS: &str = "vectors";
const NAMES: &str = "names";
const PREPARATION: &str = "preparation";
/// The longest header that is read, safetensors' own limit.
const LONGEST_HEADER: u64 = 100_000_000;
/// Bytes that are read at a time.
const BLOCK: usize = 1 << 20;

/// Writes an index of `shape[0]` vectors of `shape[1]` values, which `values` writes as f32 in little-endian order. The file
/// appears as a whole or not at all.
///
/// Names are a tensor, since a header has room for the names of a million images at most.
pub(crate) fn write_index<S: AsRef<str>>(
    path: &Path,
    names: &[S],
    preparation: &Preparation,
    shape: [usize; 2],
    values: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), EmbedError> {
    let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    let names = serde_json::to_vec(&names).expect("text is always JSON");
    let preparation = serde_json::to_string(preparation).expect("finite numbers are always JSON");
    let end_of_vectors = shape[0] * shape[1] * size_of::<f32>();
    let header = json!({
        "__metadata__": { PREPARATION: preparation },
        VECTORS: { "dtype": "F32", "shape": shape, "data_offsets": [0, end_of_vectors] },
        NAMES: {
            "dtype": "U8",
            "shape": [names.len()],
            "data_offsets": [end_of_vectors, end_of_vectors + names.len()],
        },
    });
    let mut header = header.to_string();
    // Tensors begin at a multiple of eight bytes.
    header.extend(std::iter::repeat_n(' ', header.len().next_multiple_of(8) - header.len()));
    replace_file(path, |out| {
        out.write_all(&(header.len() as u64).to_le_bytes())?;
        out.write_all(header.as_bytes())?;
        values(out)?;
        out.write_all(&names)
    })
    .map_err(EmbedError::write(path))
}

/// What the file of an index holds.
pub(super) struct IndexFile {
    pub(super) names: Vec<String>,
    pub(super) preparation: Preparation,
    /// Vector after vector.
    pub(super) values: Vec<f32>,
    /// Values of a vector.
    pub(super) size: usize,
}

/// The header of a safetensors file, as far as an index needs it.
#[derive(Deserialize)]
struct Header {
    #[serde(rename = "__metadata__", default)]
    metadata: BTreeMap<String, String>,
    vectors: Tensor,
    /// Older versions have the names in the metadata.
    names: Option<Tensor>,
}

#[derive(Debug, Deserialize)]
struct Tensor {
    dtype: String,
    shape: Vec<u64>,
    /// Where it begins and ends, counted from the end of the header.
    data_offsets: [u64; 2],
}

impl IndexFile {
    /// # Errors
    ///
    /// [`EmbedError::Read`] if the file cannot be read, [`EmbedError::File`] if it holds something else.
    pub(super) fn read(path: &Path) -> Result<Self, EmbedError> {
        let bad = |expected: &str, found: String| EmbedError::file(path, expected, found);
        let mut file = File::open(path).map_err(EmbedError::read(path))?;
        let length = file.metadata().map_err(EmbedError::read(path))?.len();
        let (start, Header { mut metadata, vectors, names }) =
            read_header(&mut file, length, path)?;
        let is_inside = |tensor: &Tensor| tensor.is_inside(length - start);
        let size = match (&vectors.dtype[..], &vectors.shape[..]) {
            ("F32", &[images, size])
                if images > 0 && size > 0 && vectors.takes(4) && is_inside(&vectors) =>
            {
                size as usize
            }
            _ => return Err(bad("vectors in f32, [images, features]", format!("{vectors:?}"))),
        };
        let mut value = |key: &str| {
            let missing = || bad(&format!("`{key}` in the header"), "none".to_owned());
            metadata.remove(key).ok_or_else(missing)
        };
        let preparation = serde_json::from_str(&value(PREPARATION)?)
            .map_err(|error| bad("a preparation", error.to_string()))?;
        let names = match names {
            Some(names) if names.dtype == "U8" && names.takes(1) && is_inside(&names) => {
                let mut bytes = Vec::new();
                let part = read_part(&mut file, start, names.data_offsets);
                let part = part.map_err(EmbedError::read(path))?;
                BufReader::new(part).read_to_end(&mut bytes).map_err(EmbedError::read(path))?;
                serde_json::from_slice(&bytes)
            }
            Some(names) => return Err(bad("names as bytes", format!("{names:?}"))),
            None => serde_json::from_str(&value(NAMES)?),
        };
        let names = names.map_err(|error| bad("a list of names", error.to_string()))?;
        let part = read_part(&mut file, start, vectors.data_offsets);
        let values = part.and_then(read_values).map_err(EmbedError::read(path))?;
        Ok(Self { names, preparation, values, size })
    }
}

impl Tensor {
    /// Whether its values of so many bytes each fill its part of the file.
    fn takes(&self, bytes: u64) -> bool {
        let values = self.shape.iter().try_fold(bytes, |product, &n| product.checked_mul(n));
        let [from, to] = self.data_offsets;
        values.is_some() && values == to.checked_sub(from)
    }

    /// Whether it lies in `length` bytes.
    fn is_inside(&self, length: u64) -> bool {
        self.data_offsets[1] <= length
    }
}

/// The header, and the place in the file where the tensors begin.
fn read_header(file: &mut File, length: u64, path: &Path) -> Result<(u64, Header), EmbedError> {
    let bad = |found: String| EmbedError::file(path, "a safetensors file of vectors", found);
    let mut start = [0; 8];
    file.read_exact(&mut start).map_err(|error| bad(error.to_string()))?;
    let header = u64::from_le_bytes(start);
    if header > LONGEST_HEADER || header + 8 > length {
        return Err(bad(format!("a header of {header} bytes in a file of {length}")));
    }
    let mut bytes = Vec::new();
    file.take(header).read_to_end(&mut bytes).map_err(EmbedError::read(path))?;
    let parsed = serde_json::from_slice(&bytes).map_err(|error| bad(error.to_string()))?;
    Ok((header + 8, parsed))
}

/// The bytes of a tensor.
fn read_part(file: &mut File, start: u64, [from, to]: [u64; 2]) -> io::Result<Take<&mut File>> {
    file.seek(SeekFrom::Start(start + from))?;
    Ok(file.take(to - from))
}

/// All values of a tensor, whose length the file's has been compared with.
fn read_values(part: Take<&mut File>) -> io::Result<Vec<f32>> {
    let mut left = part.limit() as usize;
    let mut values = Vec::with_capacity(left / size_of::<f32>());
    let mut part = BufReader::new(part);
    let mut block = vec![0; BLOCK.min(left)];
    while left > 0 {
        let bytes = &mut block[..BLOCK.min(left)];
        part.read_exact(bytes)?;
        values.extend(bytes.as_chunks::<4>().0.iter().map(|&bytes| f32::from_le_bytes(bytes)));
        left -= bytes.len();
    }
    Ok(values)
}
