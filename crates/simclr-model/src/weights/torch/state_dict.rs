//! The named tensors in a pickle, and where they lie in the file.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;

use crate::weights::error::WeightFault;
use crate::weights::pickle::{Pickle, TensorReference, TorchObject, Value};
use crate::weights::stored_tensor::StoredTensor;

/// The longest pickle that is read: a network of 10,000 tensors needs about one MiB.
pub(super) const MOST_PICKLE_BYTES: u64 = 8 << 20;

/// Keys under which training scripts keep the state dict in a larger checkpoint.
const NESTED: [&str; 4] = ["state_dict", "model_state_dict", "model", "net"];

/// The tensors of the state dict that the pickle is, or holds.
pub(super) fn named_tensors<'p, 'a>(
    pickle: &'p Pickle<'a>,
) -> Result<Vec<(String, &'p TensorReference<'a>)>, WeightFault> {
    let not_found = || WeightFault::malformed("a dict of named tensors", "something else");
    let heap = &pickle.heap;
    let tensors = |entries: &[(Value<'a>, Value<'a>)]| {
        let named = entries.iter().filter_map(|&(key, value)| match (key, heap.torch(value)) {
            (Value::Text(name), Some(TorchObject::Tensor(tensor))) => {
                Some((name.to_owned(), tensor))
            }
            _ => None,
        });
        named.collect::<Vec<_>>()
    };
    let entries = heap.dict(pickle.top).ok_or_else(not_found)?;
    let found = tensors(entries);
    if !found.is_empty() {
        return Ok(found);
    }
    let nested = NESTED.iter().find_map(|nested| {
        let (_, value) = entries.iter().find(|(key, _)| *key == Value::Text(nested))?;
        heap.dict(*value).map(tensors)
    });
    nested.filter(|found| !found.is_empty()).ok_or_else(not_found)
}

/// Where a tensor lies whose storage fills the bytes `storage` of the file.
pub(super) fn stored_tensor(
    tensor: &TensorReference,
    storage: &Range<u64>,
) -> Result<StoredTensor, WeightFault> {
    let TensorReference { storage: reference, offset, shape, strides } = tensor;
    let element_type = reference.storage_type.element_type();
    let found = (storage.end - storage.start) / element_type.size() as u64;
    if reference.count as u64 > found {
        let expected = format!("{} values in storage {}", reference.count, reference.key);
        return Err(WeightFault::malformed(expected, found));
    }
    if shape.len() != strides.len() {
        let expected = format!("a stride for each axis of {shape:?}");
        return Err(WeightFault::malformed(expected, format!("{strides:?}")));
    }
    StoredTensor::new(element_type, [shape.clone(), strides.clone()], *offset, storage)
}

/// The bytes of a part of the file that is no tensor and so is not long.
pub(super) fn read_part(file: &mut File, range: Range<u64>) -> Result<Vec<u8>, WeightFault> {
    let length = range.end.saturating_sub(range.start);
    if length > MOST_PICKLE_BYTES {
        let expected = format!("at most {MOST_PICKLE_BYTES} bytes beside the tensors");
        return Err(WeightFault::malformed(expected, length));
    }
    let mut bytes = vec![0; length as usize];
    file.seek(SeekFrom::Start(range.start))?;
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}
