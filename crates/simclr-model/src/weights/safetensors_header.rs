//! The tensors of a safetensors file.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

use safetensors::Dtype;
use safetensors::tensor::Metadata;

use super::error::WeightError;
use super::stored_tensor::{ElementType, StoredTensor};

/// Bytes of the number that says how long the header is.
const LENGTH_BYTES: u64 = 8;
/// The longest header that is read: a network of 10,000 tensors needs about one MiB.
const MOST_HEADER_BYTES: u64 = 16 << 20;

/// Reads the header of `file`, which has `length` bytes.
pub(super) fn read(
    file: &mut File,
    length: u64,
) -> Result<BTreeMap<String, StoredTensor>, WeightError> {
    file.seek(SeekFrom::Start(0))?;
    let mut bytes = [0; LENGTH_BYTES as usize];
    file.read_exact(&mut bytes)?;
    let header_bytes = u64::from_le_bytes(bytes);
    let most = MOST_HEADER_BYTES.min(length - LENGTH_BYTES);
    if header_bytes > most {
        let expected = format!("a safetensors header of at most {most} bytes");
        return Err(WeightError::malformed(expected, header_bytes));
    }
    let mut header = vec![0; header_bytes as usize];
    file.read_exact(&mut header)?;
    let metadata: Metadata = serde_json::from_slice(&header)
        .map_err(|error| WeightError::malformed("a safetensors header", error))?;
    let first = LENGTH_BYTES + header_bytes;
    let expected = metadata.data_len() as u64;
    if length - first != expected {
        let expected = format!("{expected} bytes of tensors after the header");
        return Err(WeightError::malformed(expected, length - first));
    }
    let mut tensors = BTreeMap::new();
    for (name, info) in metadata.tensors() {
        let (start, end) = info.data_offsets;
        let storage = first + start as u64..first + end as u64;
        let element_type = element_type(info.dtype);
        let tensor = StoredTensor::contiguous(element_type, info.shape.clone(), &storage)?;
        tensors.insert(name, tensor);
    }
    Ok(tensors)
}

fn element_type(dtype: Dtype) -> ElementType {
    match dtype {
        Dtype::F64 => ElementType::F64,
        Dtype::F32 => ElementType::F32,
        Dtype::F16 => ElementType::F16,
        Dtype::BF16 => ElementType::BF16,
        // Types of less than a byte have no size here; no value of such a tensor is ever read.
        other => ElementType::Other { name: format!("{other:?}"), size: other.bitsize() / 8 },
    }
}
