//! PyTorch's objects in a pickle.

use crate::weights::element_type::ElementType;
use crate::weights::error::WeightFault;

/// A function that a state dict's pickle may name: each only puts values together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::weights) enum TorchFunction {
    OrderedDict,
    RebuildTensor,
    RebuildParameter,
    Size,
    /// The type of a storage, which is named and never called.
    Storage(StorageType),
}

impl TorchFunction {
    /// The function of a Python module, or an error that names it.
    pub(super) fn named(module: &str, name: &str) -> Result<Self, WeightFault> {
        let known = match (module, name) {
            ("collections", "OrderedDict") => Some(Self::OrderedDict),
            ("torch._utils", "_rebuild_tensor" | "_rebuild_tensor_v2") => Some(Self::RebuildTensor),
            ("torch._utils", "_rebuild_parameter") => Some(Self::RebuildParameter),
            ("torch", "Size") => Some(Self::Size),
            ("torch", name) => StorageType::named(name).map(Self::Storage),
            _ => None,
        };
        known.ok_or_else(|| WeightFault::Call { name: format!("{module}.{name}") })
    }
}

/// The type of a storage's values, by PyTorch's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::weights) enum StorageType {
    Double,
    Float,
    Half,
    BFloat16,
    /// A type that no weight has: its name and the bytes of one value.
    Other(&'static str, usize),
}

impl StorageType {
    pub(in crate::weights) fn element_type(self) -> ElementType {
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

/// A storage, or a tensor that is a view of one.
#[derive(Debug, Clone)]
pub(in crate::weights) enum TorchObject<'a> {
    Storage(StorageReference<'a>),
    Tensor(TensorReference<'a>),
}

/// Values that tensors share. They lie elsewhere in the file.
#[derive(Debug, Clone)]
pub(in crate::weights) struct StorageReference<'a> {
    /// The storage's name in the file.
    pub(in crate::weights) key: &'a str,
    pub(in crate::weights) storage_type: StorageType,
    /// The number of values.
    pub(in crate::weights) count: usize,
}

/// A tensor: offset and strides are counted in values.
#[derive(Debug, Clone)]
pub(in crate::weights) struct TensorReference<'a> {
    pub(in crate::weights) storage: StorageReference<'a>,
    pub(in crate::weights) offset: usize,
    pub(in crate::weights) shape: Vec<usize>,
    pub(in crate::weights) strides: Vec<usize>,
}
