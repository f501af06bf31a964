//! Where the tensors of a pickle lie in the file.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;

use super::named_tensors::NamedTensors;
use crate::weights::contents::{Contents, PassedObject};
use crate::weights::error::WeightFault;
use crate::weights::pickle::{Pickle, StorageReference, TensorReference};
use crate::weights::safetensors_header::WeightMetadata;
use crate::weights::stored_tensor::{StoredTensor, StoredTensors};

/// The longest pickle that is read: a network of 10,000 tensors needs about one MiB, and other values may lie beside it.
pub(super) const MOST_PICKLE_BYTES: u64 = 64 << 20;

/// The tensors of a pickle whose storages `locate` finds in the file, and the objects beside them.
pub(super) fn contents(
    pickle: &Pickle,
    mut locate: impl FnMut(&StorageReference) -> Result<Range<u64>, WeightFault>,
) -> Result<Contents, WeightFault> {
    let NamedTensors { tensors: named, objects } = NamedTensors::of(pickle)?;
    if named.is_empty() {
        return Err(without_tensors(&objects));
    }
    let mut tensors = StoredTensors::new();
    for (name, reference) in named {
        let tensor = stored_tensor(reference, &locate(&reference.storage)?)?;
        // The keys `a.b` and, in a dict inside, `a` and `b` give the same name.
        if tensors.get(&name).is_some_and(|known| *known != tensor) {
            return Err(WeightFault::malformed(format!("one tensor {name}"), "two"));
        }
        tensors.insert(name, tensor);
    }
    Ok(Contents::new(tensors, objects, WeightMetadata::new()))
}

/// What is wrong with a pickle that has no tensors: it is an object, holds a network or another object, or none.
fn without_tensors(objects: &BTreeMap<String, PassedObject>) -> WeightFault {
    let network = objects.values().find(|object| object.is_network);
    match objects.get("").or(network).or(objects.values().next()) {
        Some(object) => WeightFault::Object { class: object.class.clone() },
        None => WeightFault::malformed("a dict of named tensors", "something else"),
    }
}

/// Where a tensor lies whose storage fills the bytes `storage` of the file.
fn stored_tensor(
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
