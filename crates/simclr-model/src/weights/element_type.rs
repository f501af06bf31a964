//! The type of a stored tensor's values.

use burn::tensor::{bf16, f16};

/// The type of a tensor's values in a file.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum ElementType {
    F64,
    F32,
    F16,
    BF16,
    /// A type that no weight has.
    Other {
        name: String,
        /// Bytes of one value.
        size: usize,
    },
}

impl ElementType {
    /// Bytes of one value.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::F64 => 8,
            Self::F32 => 4,
            Self::F16 | Self::BF16 => 2,
            Self::Other { size, .. } => *size,
        }
    }

    /// Little-endian `bytes` as numbers; `None` if they aren't floating-point.
    pub(super) fn decode(&self, bytes: &[u8]) -> Option<Vec<f32>> {
        fn each<const N: usize>(bytes: &[u8], number: impl Fn([u8; N]) -> f32) -> Vec<f32> {
            bytes.as_chunks::<N>().0.iter().map(|&bytes| number(bytes)).collect()
        }
        match self {
            Self::F64 => Some(each(bytes, |bytes| f64::from_le_bytes(bytes) as f32)),
            Self::F32 => Some(each(bytes, f32::from_le_bytes)),
            Self::F16 => Some(each(bytes, |bytes| f16::from_le_bytes(bytes).to_f32())),
            Self::BF16 => Some(each(bytes, |bytes| bf16::from_le_bytes(bytes).to_f32())),
            Self::Other { .. } => None,
        }
    }

    /// PyTorch's name.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::F64 => "float64",
            Self::F32 => "float32",
            Self::F16 => "float16",
            Self::BF16 => "bfloat16",
            Self::Other { name, .. } => name,
        }
    }
}
