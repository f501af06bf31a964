//! PyTorch's objects in a pickle.

use crate::weights::element_type::ElementType;

/// A function that a state dict's pickle calls: each only puts values together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::weights) enum TorchFunction {
    OrderedDict,
    RebuildTensor,
    RebuildParameter,
    /// Of a tensor with attributes, or of a subclass: it calls another function.
    RebuildSubclass,
    Size,
    /// The type of a storage, which is named and never called.
    Storage(StorageType),
}

impl TorchFunction {
    /// The function of a Python module; `None` for one that no state dict needs.
    pub(super) fn named(module: &str, name: &str) -> Option<Self> {
        match (module, name) {
            ("collections", "OrderedDict") => Some(Self::OrderedDict),
            ("torch._utils", "_rebuild_tensor" | "_rebuild_tensor_v2") => Some(Self::RebuildTensor),
            ("torch._utils", "_rebuild_parameter" | "_rebuild_parameter_with_state") => {
                Some(Self::RebuildParameter)
            }
            ("torch._tensor", "_rebuild_from_type" | "_rebuild_from_type_v2") => {
                Some(Self::RebuildSubclass)
            }
            ("torch", "Size") => Some(Self::Size),
            ("torch" | "torch.storage", name) => StorageType::named(name).map(Self::Storage),
            _ => None,
        }
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
            "ComplexFloatStorage" => Self::Other("complex64", 8),
            "ComplexDoubleStorage" => Self::Other("complex128", 16),
            "QInt8Storage" => Self::Other("qint8", 1),
            "QUInt8Storage" => Self::Other("quint8", 1),
            "QInt32Storage" => Self::Other("qint32", 4),
            "QUInt4x2Storage" => Self::Other("quint4x2", 1),
            "QUInt2x4Storage" => Self::Other("quint2x4", 1),
            "UntypedStorage" => Self::Other("bytes", 1),
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
