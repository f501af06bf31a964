//! What PyTorch's functions make of their arguments.

use super::heap::Heap;
use super::torch_object::{StorageReference, TensorReference, TorchFunction, TorchObject};
use super::value::{Instance, Object, Value};
use crate::weights::error::WeightFault;

/// The most axes of a tensor. Each use of it copies them.
const MOST_AXES: usize = 16;

/// What `function` makes of a tuple of arguments: an object that is passed over if they are not those of a tensor that
/// lies in the file.
pub(super) fn call<'a>(
    function: TorchFunction,
    heap: &Heap<'a>,
    arguments: Value<'a>,
) -> Result<Object<'a>, WeightFault> {
    let malformed = || WeightFault::malformed("arguments that PyTorch writes", "others");
    let arguments = heap.sequence(arguments).ok_or_else(malformed)?;
    let made = match (function, arguments) {
        (TorchFunction::OrderedDict, []) => Some(Object::Dict(Vec::new())),
        (TorchFunction::OrderedDict, [pairs]) => dict_of_pairs(heap, *pairs),
        (TorchFunction::Size, [sizes]) => {
            let sizes = heap.sequence(*sizes).filter(|sizes| sizes.len() <= MOST_AXES);
            Some(Object::Sequence(sizes.ok_or_else(malformed)?.to_vec()))
        }
        (TorchFunction::RebuildTensor, [storage, offset, shape, strides, ..]) => {
            match heap.torch(*storage) {
                Some(TorchObject::Storage(storage)) => {
                    let tensor = TensorReference {
                        storage: storage.clone(),
                        offset: size(*offset).ok_or_else(malformed)?,
                        shape: sizes(heap, *shape).ok_or_else(malformed)?,
                        strides: sizes(heap, *strides).ok_or_else(malformed)?,
                    };
                    Some(Object::Torch(Box::new(TorchObject::Tensor(tensor))))
                }
                _ => None,
            }
        }
        (TorchFunction::RebuildParameter, [tensor, ..]) => {
            heap.torch(*tensor).map(|tensor| Object::Torch(Box::new(tensor.clone())))
        }
        // A function inside a function ends here, so that no pickle nests them deeply.
        (
            TorchFunction::RebuildSubclass,
            [Value::Function(inner @ TorchFunction::RebuildTensor), _, arguments, ..],
        ) => Some(call(*inner, heap, *arguments)?),
        _ => None,
    };
    Ok(made.unwrap_or(Object::Instance(Instance::of(None))))
}

/// The dict of a list of keys with their values, as Python 2 wrote it.
fn dict_of_pairs<'a>(heap: &Heap<'a>, pairs: Value<'a>) -> Option<Object<'a>> {
    let pair = |&pair: &Value<'a>| match heap.sequence(pair) {
        Some(&[key, value]) => Some((key, value)),
        _ => None,
    };
    heap.sequence(pairs)?.iter().map(pair).collect::<Option<Vec<_>>>().map(Object::Dict)
}

/// What a persistent id stands for: `("storage", type, key, device, count)` for a storage, `("module", class, ...)` for
/// the class of a network. A sixth element of a storage would describe a view of another one; PyTorch has long written
/// `None` there.
pub(super) fn persistent<'a>(
    heap: &Heap<'a>,
    id: Value<'a>,
) -> Result<Persistent<'a>, WeightFault> {
    let malformed = || WeightFault::malformed("a reference to a storage", "something else");
    let fields = match heap.sequence(id) {
        Some([fields @ .., Value::None]) if fields.len() == 5 => fields,
        Some(fields) => fields,
        None => return Err(malformed()),
    };
    match *fields {
        [Value::Text("module"), class, ..] => Ok(Persistent::Class(class)),
        [
            Value::Text("storage"),
            Value::Function(TorchFunction::Storage(storage_type)),
            Value::Text(key),
            _,
            count,
        ] => {
            let count = size(count).ok_or_else(malformed)?;
            Ok(Persistent::Storage(StorageReference { key, storage_type, count }))
        }
        _ => Err(malformed()),
    }
}

/// What a persistent id stands for.
pub(super) enum Persistent<'a> {
    Storage(StorageReference<'a>),
    Class(Value<'a>),
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
