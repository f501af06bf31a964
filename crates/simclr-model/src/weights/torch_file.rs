//! The tensors of a file that `torch.save` wrote, in either of its formats.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;

use super::error::WeightError;
use super::pickle::Pickle;
use super::pickle_value::{Object, Value};
use super::stored_tensor::{ElementType, StoredTensor};
use super::torch_object::{StorageReference, TensorReference, TorchObject};
use super::zip_directory::ZipDirectory;

/// The longest pickle that is read: a network of 10,000 tensors needs about one MiB.
const MOST_PICKLE_BYTES: u64 = 8 << 20;

/// How a file of PyTorch before 1.6 begins: the pickled number 0x1950a86a20f9469cfc6c.
pub(super) const LEGACY_MAGIC: [u8; 14] =
    [0x80, 0x02, 0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19];

/// Keys under which training scripts keep the state dict in a larger checkpoint.
const NESTED: [&str; 4] = ["state_dict", "model_state_dict", "model", "net"];

type Tensors = BTreeMap<String, StoredTensor>;

/// Reads the tensors of a ZIP archive of `length` bytes.
pub(super) fn read(file: &mut File, length: u64) -> Result<Tensors, WeightError> {
    let directory = ZipDirectory::read(file, length)?;
    let root = directory.names().find_map(|name| name.strip_suffix("data.pkl"));
    let Some(root) = root.map(str::to_owned) else {
        return Err(WeightError::malformed("a data.pkl in the archive", "none"));
    };
    let order = format!("{root}byteorder");
    if directory.names().any(|name| name == order) {
        let content = directory.content(&order, file)?;
        let order = bytes(file, content)?;
        if order != b"little" {
            let found = String::from_utf8_lossy(&order).into_owned();
            return Err(WeightError::malformed("the byte order little", found));
        }
    }
    let content = directory.content(&format!("{root}data.pkl"), file)?;
    let bytes = bytes(file, content)?;
    let (pickle, top, _) = Pickle::read(&bytes)?;
    let mut storages = HashMap::new();
    let mut locate = |storage: &StorageReference| -> Result<Range<u64>, WeightError> {
        if let Some(range) = storages.get(storage.key) {
            return Ok(Range::clone(range));
        }
        let range = directory.content(&format!("{root}data/{}", storage.key), file)?;
        storages.insert(storage.key.to_owned(), range.clone());
        Ok(range)
    };
    named_tensors(&pickle, top)?
        .into_iter()
        .map(|(name, tensor)| Ok((name, stored(tensor, &locate(&tensor.storage)?)?)))
        .collect()
}

/// Reads the tensors of a file of PyTorch before 1.6, which has `length` bytes: five pickles, then the storages.
pub(super) fn read_legacy(file: &mut File, length: u64) -> Result<Tensors, WeightError> {
    let start = bytes(file, 0..length.min(MOST_PICKLE_BYTES))?;
    // The magic number, the format's version, the machine the file is from.
    let mut rest = &start[..];
    for _ in 0..3 {
        rest = Pickle::read(rest)?.2;
    }
    let (pickle, top, rest) = Pickle::read(rest)?;
    let (keys, key_list, rest) = Pickle::read(rest)?;
    let tensors = named_tensors(&pickle, top)?;
    let types: HashMap<&str, ElementType> = pickle
        .objects
        .iter()
        .filter_map(|object| match object {
            Object::Torch(TorchObject::Storage(storage)) => {
                Some((storage.key, storage.storage_type.element_type()))
            }
            _ => None,
        })
        .collect();

    let mut at = (start.len() - rest.len()) as u64;
    let mut storages = HashMap::new();
    let key_list = keys.sequence(key_list);
    for &key in key_list.ok_or_else(|| WeightError::malformed("a list of storages", "none"))? {
        let Value::Text(key) = key else {
            return Err(WeightError::malformed("the name of a storage", "something else"));
        };
        let Some(element_type) = types.get(key) else {
            return Err(WeightError::malformed(format!("a type of storage {key}"), "none"));
        };
        let count = u64::from_le_bytes(array(&bytes(file, at..at.saturating_add(8).min(length))?)?);
        let size = count.checked_mul(element_type.size() as u64);
        let content = at + 8;
        let end = size.and_then(|size| content.checked_add(size)).filter(|&end| end <= length);
        let Some(end) = end else {
            let expected = format!("{count} values in storage {key}");
            return Err(WeightError::malformed(expected, "a file that is cut off"));
        };
        storages.insert(key, content..end);
        at = end;
    }
    let missing = |key: &str| WeightError::malformed(format!("a storage {key}"), "none");
    tensors
        .into_iter()
        .map(|(name, tensor)| {
            let key = tensor.storage.key;
            let storage = storages.get(key).ok_or_else(|| missing(key))?;
            Ok((name, stored(tensor, storage)?))
        })
        .collect()
}

/// The tensors of the state dict that `top` is, or holds.
fn named_tensors<'p, 'a>(
    pickle: &'p Pickle<'a>,
    top: Value<'a>,
) -> Result<Vec<(String, &'p TensorReference<'a>)>, WeightError> {
    let not_found = || WeightError::malformed("a dict of named tensors", "something else");
    let tensors = |entries: &[(Value<'a>, Value<'a>)]| {
        let named = entries.iter().filter_map(|&(key, value)| match (key, pickle.torch(value)) {
            (Value::Text(name), Some(TorchObject::Tensor(tensor))) => {
                Some((name.to_owned(), tensor))
            }
            _ => None,
        });
        named.collect::<Vec<_>>()
    };
    let entries = pickle.dict(top).ok_or_else(not_found)?;
    let found = tensors(entries);
    if !found.is_empty() {
        return Ok(found);
    }
    let nested = NESTED.iter().find_map(|nested| {
        let (_, value) = entries.iter().find(|(key, _)| *key == Value::Text(nested))?;
        pickle.dict(*value).map(tensors)
    });
    nested.filter(|found| !found.is_empty()).ok_or_else(not_found)
}

fn stored(tensor: &TensorReference, storage: &Range<u64>) -> Result<StoredTensor, WeightError> {
    let TensorReference { storage: reference, offset, shape, strides } = tensor;
    let element_type = reference.storage_type.element_type();
    let found = (storage.end - storage.start) / element_type.size() as u64;
    if reference.count as u64 > found {
        let expected = format!("{} values in storage {}", reference.count, reference.key);
        return Err(WeightError::malformed(expected, found));
    }
    if shape.len() != strides.len() {
        let expected = format!("a stride for each axis of {shape:?}");
        return Err(WeightError::malformed(expected, format!("{strides:?}")));
    }
    StoredTensor::new(element_type, [shape.clone(), strides.clone()], *offset, storage)
}

/// A part of the file, which is not long.
fn bytes(file: &mut File, range: Range<u64>) -> Result<Vec<u8>, WeightError> {
    let length = range.end.saturating_sub(range.start);
    if length > MOST_PICKLE_BYTES {
        let expected = format!("at most {MOST_PICKLE_BYTES} bytes beside the tensors");
        return Err(WeightError::malformed(expected, length));
    }
    let mut bytes = vec![0; length as usize];
    file.seek(SeekFrom::Start(range.start))?;
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn array(bytes: &[u8]) -> Result<[u8; 8], WeightError> {
    bytes.try_into().map_err(|_| WeightError::malformed("a storage", "a file that is cut off"))
}
