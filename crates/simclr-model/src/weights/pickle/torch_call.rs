//! What PyTorch's functions make of their arguments.

use super::heap::Heap;
use super::torch_object::{StorageReference, TensorReference, TorchFunction, TorchObject};
use super::value::{Object, Value};
use crate::weights::error::WeightFault;

/// The most axes of a tensor. Each use of it copies them.
const MOST_AXES: usize = 16;

/// What `function` makes of a tuple of arguments.
pub(super) fn call<'a>(
    function: TorchFunction,
    heap: &Heap<'a>,
    arguments: Value<'a>,
) -> Result<Object<'a>, WeightFault> {
    let malformed = || WeightFault::malformed("arguments that PyTorch writes", "others");
    let arguments = heap.sequence(arguments).ok_or_else(malformed)?;
    match (function, arguments) {
        (TorchFunction::OrderedDict, []) => Ok(Object::Dict(Vec::new())),
        (TorchFunction::Size, [sizes]) => {
            let sizes = heap.sequence(*sizes).filter(|sizes| sizes.len() <= MOST_AXES);
            Ok(Object::Sequence(sizes.ok_or_else(malformed)?.to_vec()))
        }
        (TorchFunction::RebuildTensor, [storage, offset, shape, strides, ..]) => {
            let Some(TorchObject::Storage(storage)) = heap.torch(*storage) else {
                return Err(malformed());
            };
            Ok(Object::Torch(TorchObject::Tensor(TensorReference {
                storage: storage.clone(),
                offset: size(*offset).ok_or_else(malformed)?,
                shape: sizes(heap, *shape).ok_or_else(malformed)?,
                strides: sizes(heap, *strides).ok_or_else(malformed)?,
            })))
        }
        (TorchFunction::RebuildParameter, [tensor, ..]) => {
            let tensor = heap.torch(*tensor).ok_or_else(malformed)?;
            Ok(Object::Torch(tensor.clone()))
        }
        _ => Err(malformed()),
    }
}

/// The storage that a persistent id, `("storage", type, key, device, count)`, stands for. A sixth element would describe
/// a view of another storage; PyTorch has long written `None` there.
pub(super) fn storage<'a>(heap: &Heap<'a>, id: Value<'a>) -> Result<Object<'a>, WeightFault> {
    let malformed = || WeightFault::malformed("a reference to a storage", "something else");
    let fields = match heap.sequence(id) {
        Some([fields @ .., Value::None]) if fields.len() == 5 => fields,
        Some(fields) => fields,
        None => return Err(malformed()),
    };
    let [
        Value::Text("storage"),
        Value::Function(TorchFunction::Storage(storage_type)),
        Value::Text(key),
        _,
        count,
    ] = fields
    else {
        return Err(malformed());
    };
    let count = size(*count).ok_or_else(malformed)?;
    let storage = StorageReference { key, storage_type: *storage_type, count };
    Ok(Object::Torch(TorchObject::Storage(storage)))
}

fn size(value: Value) -> Option<usize> {
    match value {
        Value::Int(size) => usize::try_from(size).ok(),
        _ => None,
    }
}

fn sizes(heap: &Heap, value: Value) -> Option<Vec<usize>> {
    let sizes = heap.sequence(value).filter(|sizes| sizes.len() <= MOST_AXES)?;
    sizes.iter().map(|&value| size(value)).collect()
}
