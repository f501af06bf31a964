//! The header of a safetensors file: tensors and metadata.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

use safetensors::Dtype;
use safetensors::tensor::Metadata;

use super::element_type::ElementType;
use super::error::WeightFault;
use super::stored_tensor::{StoredTensor, StoredTensors};

/// Text beside the weights in a file: keys and values.
pub type WeightMetadata = BTreeMap<String, String>;

/// Bytes of the number that says how long the header is.
const LENGTH_BYTES: u64 = 8;
/// The longest header that is read: a network of 10,000 tensors needs about one MiB.
const MOST_HEADER_BYTES: u64 = 16 << 20;

/// Reads the header of `file`, which has `length` bytes, at least 8.
pub(super) fn read(
    file: &mut File,
    length: u64,
) -> Result<(StoredTensors, WeightMetadata), WeightFault> {
    file.seek(SeekFrom::Start(0))?;
    let mut bytes = [0; LENGTH_BYTES as usize];
    file.read_exact(&mut bytes)?;
    let header_bytes = u64::from_le_bytes(bytes);
    let most = MOST_HEADER_BYTES.min(length - LENGTH_BYTES);
    if header_bytes > most {
        let expected = format!("a safetensors header of at most {most} bytes");
        return Err(WeightFault::malformed(expected, header_bytes));
    }
    let mut header = vec![0; header_bytes as usize];
    file.read_exact(&mut header)?;
    let header: Metadata = serde_json::from_slice(&header)
        .map_err(|error| WeightFault::malformed("a safetensors header", error))?;
    let first = LENGTH_BYTES + header_bytes;
    let expected = header.data_len() as u64;
    if length - first != expected {
        let expected = format!("{expected} bytes of tensors after the header");
        return Err(WeightFault::malformed(expected, length - first));
    }
    let mut tensors = BTreeMap::new();
    for (name, info) in header.tensors() {
        let (start, end) = info.data_offsets;
        let storage = first + start as u64..first + end as u64;
        let element_type = element_type(info.dtype);
        let tensor = StoredTensor::contiguous(element_type, info.shape.clone(), &storage)?;
        tensors.insert(name, tensor);
    }
    let metadata = header.metadata().clone().unwrap_or_default();
    Ok((tensors, metadata.into_iter().collect()))
}

fn element_type(dtype: Dtype) -> ElementType {
    match dtype {
        Dtype::F64 => ElementType::F64,
        Dtype::F32 => ElementType::F32,
        Dtype::F16 => ElementType::F16,
        Dtype::BF16 => ElementType::BF16,
        // Types of less than a byte get size 0; no value of such a tensor is ever read.
        other => ElementType::Other { name: format!("{other:?}"), size: other.bitsize() / 8 },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn read_header(header: &str) -> Result<(StoredTensors, WeightMetadata), WeightFault> {
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend(header.as_bytes());
        let mut file = tempfile::tempfile()?;
        file.write_all(&bytes)?;
        read(&mut file, bytes.len() as u64)
    }

    #[test]
    fn metadata_is_text_and_may_be_left_out() {
        let (_, metadata) = read_header(r#"{"__metadata__":{"b":"2","a":"\u0041"}}"#).unwrap();
        assert_eq!(
            metadata.into_iter().collect::<Vec<_>>(),
            [("a".to_owned(), "A".to_owned()), ("b".to_owned(), "2".to_owned()),]
        );
        assert!(read_header("{}").unwrap().1.is_empty());
    }

    #[test]
    fn metadata_that_is_no_text_is_refused() {
        for metadata in ["1", "[]", "\"a\"", r#"{"a":1}"#, r#"{"a":{"b":"c"}}"#, r#"{"a":null}"#] {
            let error = read_header(&format!(r#"{{"__metadata__":{metadata}}}"#)).unwrap_err();
            assert!(matches!(error, WeightFault::Malformed { .. }), "{metadata}: {error}");
        }
    }

    #[test]
    fn a_header_that_is_longer_than_the_format_needs_is_not_read() {
        let length = MOST_HEADER_BYTES + 1;
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&length.to_le_bytes()).unwrap();
        file.set_len(LENGTH_BYTES + length).unwrap();
        let error = read(&mut file, LENGTH_BYTES + length).unwrap_err().to_string();
        assert!(error.starts_with("expected a safetensors header of at most"), "{error}");
    }
}
