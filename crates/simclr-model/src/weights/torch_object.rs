//! What PyTorch puts into a pickle.

use super::error::WeightError;
use super::pickle::Pickle;
use super::pickle_value::{Object, Value};
use super::stored_tensor::ElementType;

/// The most axes of a tensor: they are copied at each use.
const MOST_AXES: usize = 16;

/// A function that a state dict's pickle may name: all of them only put values together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TorchFunction {
    OrderedDict,
    RebuildTensor,
    RebuildParameter,
    Size,
    /// Not called, but the type of a storage.
    Storage(StorageType),
}

/// The type of a storage's values, by PyTorch's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StorageType {
    Double,
    Float,
    Half,
    BFloat16,
    Other(&'static str, usize),
}

impl StorageType {
    pub(super) fn element_type(self) -> ElementType {
        match self {
            Self::Double => ElementType::F64,
            Self::Float => ElementType::F32,
            Self::Half => ElementType::F16,
            Self::BFloat16 => ElementType::BF16,
            Self::Other(name, size) => ElementType::Other { name: name.to_owned(), size },
        }
    }

    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "DoubleStorage" => Self::Double,
            "FloatStorage" => Self::Float,
            "HalfStorage" => Self::Half,
            "BFloat16Storage" => Self::BFloat16,
            "LongStorage" => Self::Other("int64", 8),
            "IntStorage" => Self::Other("int32", 4),
            "ShortStorage" => Self::Other("int16", 2),
            "CharStorage" => Self::Other("int8", 1),
            "ByteStorage" => Self::Other("uint8", 1),
            "BoolStorage" => Self::Other("bool", 1),
            _ => return None,
        })
    }
}

/// A storage, or a tensor that looks at one.
#[derive(Debug, Clone)]
pub(super) enum TorchObject<'a> {
    Storage(StorageReference<'a>),
    Tensor(TensorReference<'a>),
}

/// The values that tensors share, which lie elsewhere in the file.
#[derive(Debug, Clone)]
pub(super) struct StorageReference<'a> {
    /// The storage's name in the file.
    pub(super) key: &'a str,
    pub(super) storage_type: StorageType,
    /// Number of values.
    pub(super) count: usize,
}

/// A tensor, all numbers in values.
#[derive(Debug, Clone)]
pub(super) struct TensorReference<'a> {
    pub(super) storage: StorageReference<'a>,
    pub(super) offset: usize,
    pub(super) shape: Vec<usize>,
    pub(super) strides: Vec<usize>,
}

impl TorchFunction {
    /// The function of a Python module, or an error that names the one that was asked for.
    pub(super) fn named(module: &str, name: &str) -> Result<Self, WeightError> {
        let known = match (module, name) {
            ("collections", "OrderedDict") => Some(Self::OrderedDict),
            ("torch._utils", "_rebuild_tensor" | "_rebuild_tensor_v2") => Some(Self::RebuildTensor),
            ("torch._utils", "_rebuild_parameter") => Some(Self::RebuildParameter),
            ("torch", "Size") => Some(Self::Size),
            ("torch", name) => StorageType::named(name).map(Self::Storage),
            _ => None,
        };
        known.ok_or_else(|| WeightError::Call { name: format!("{module}.{name}") })
    }

    /// What the function makes of a tuple of arguments.
    pub(super) fn apply<'a>(
        self,
        pickle: &Pickle<'a>,
        arguments: Value<'a>,
    ) -> Result<Object<'a>, WeightError> {
        let malformed = || WeightError::malformed("arguments that PyTorch writes", "others");
        let arguments = pickle.sequence(arguments).ok_or_else(malformed)?;
        match (self, arguments) {
            (Self::OrderedDict, []) => Ok(Object::Dict(Vec::new())),
            (Self::Size, [sizes]) => {
                let sizes = pickle.sequence(*sizes).filter(|sizes| sizes.len() <= MOST_AXES);
                Ok(Object::Sequence(sizes.ok_or_else(malformed)?.to_vec()))
            }
            (Self::RebuildTensor, [storage, offset, shape, strides, ..]) => {
                let Some(TorchObject::Storage(storage)) = pickle.torch(*storage) else {
                    return Err(malformed());
                };
                Ok(Object::Torch(TorchObject::Tensor(TensorReference {
                    storage: storage.clone(),
                    offset: size(*offset).ok_or_else(malformed)?,
                    shape: sizes(pickle, *shape).ok_or_else(malformed)?,
                    strides: sizes(pickle, *strides).ok_or_else(malformed)?,
                })))
            }
            (Self::RebuildParameter, [tensor, ..]) => {
                let tensor = pickle.torch(*tensor).ok_or_else(malformed)?;
                Ok(Object::Torch(tensor.clone()))
            }
            _ => Err(malformed()),
        }
    }
}

impl<'a> TorchObject<'a> {
    /// The storage that a persistent id, `("storage", type, key, device, count)`, stands for.
    pub(super) fn storage(pickle: &Pickle<'a>, id: Value<'a>) -> Result<Self, WeightError> {
        match pickle.sequence(id) {
            Some(
                [
                    Value::Text("storage"),
                    Value::Function(TorchFunction::Storage(storage_type)),
                    Value::Text(key),
                    _,
                    count,
                ]
                | [
                    Value::Text("storage"),
                    Value::Function(TorchFunction::Storage(storage_type)),
                    Value::Text(key),
                    _,
                    count,
                    // No view of another storage.
                    Value::None,
                ],
            ) => {
                let count = size(*count)
                    .ok_or_else(|| WeightError::malformed("a storage's size", "something else"))?;
                Ok(Self::Storage(StorageReference { key, storage_type: *storage_type, count }))
            }
            _ => Err(WeightError::malformed("a reference to a storage", "something else")),
        }
    }
}

fn size(value: Value) -> Option<usize> {
    match value {
        Value::Int(size) => usize::try_from(size).ok(),
        _ => None,
    }
}

fn sizes(pickle: &Pickle, value: Value) -> Option<Vec<usize>> {
    let sizes = pickle.sequence(value).filter(|sizes| sizes.len() <= MOST_AXES)?;
    sizes.iter().map(|&value| size(value)).collect()
}
