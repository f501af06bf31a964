//! The numbers that `golden/generate.py` makes, too, and files of them.

use std::path::Path;

use safetensors::Dtype;
use safetensors::tensor::TensorView;

/// `count` multiples of 2^-19 in -1..1: splitmix64 of (stream, index), its top 20 bits.
pub(crate) fn uniform(stream: u64, count: usize) -> Vec<f64> {
    let hash = |index: u64| {
        let x = ((stream << 32) + index + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        x ^ (x >> 31)
    };
    (0..count as u64).map(|index| (hash(index) >> 44) as f64 / f64::from(1 << 19) - 1.0).collect()
}

/// The low 24 bits of the name's 32-bit FNV-1a hash.
fn stream_of(name: &str) -> u64 {
    let hash = name
        .bytes()
        .fold(0x811C_9DC5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    u64::from(hash & 0xFF_FFFF)
}

/// The values of the tensor `name` of a PyTorch network.
pub(crate) fn formula_weights(name: &str, shape: &[usize]) -> Vec<f32> {
    let u = uniform(stream_of(name), shape.iter().product());
    let last = name.rsplit('.').next().unwrap_or(name);
    let (shift, scale) = match shape {
        _ if last == "running_var" => (1.0, 0.5),
        [_] if name.ends_with(".bn3.weight") => (0.0, 0.25),
        [_] if last == "weight" => (1.0, 0.25),
        [_, inputs @ ..] if matches!(shape.len(), 2 | 4) => {
            (0.0, (3.0 / inputs.iter().product::<usize>() as f64).sqrt())
        }
        _ => (0.0, 0.125),
    };
    u.iter().map(|u| (shift + scale * u) as f32).collect()
}

/// Writes tensors as float32.
pub(crate) fn write_safetensors(
    path: &Path,
    tensors: impl IntoIterator<Item = (String, Vec<usize>, Vec<f32>)>,
) {
    let tensors: Vec<(String, Vec<usize>, Vec<u8>)> = tensors
        .into_iter()
        .map(|(name, shape, values)| {
            (name, shape, values.iter().flat_map(|value| value.to_le_bytes()).collect())
        })
        .collect();
    let views = tensors.iter().map(|(name, shape, bytes)| {
        (name.as_str(), TensorView::new(Dtype::F32, shape.clone(), bytes).unwrap())
    });
    safetensors::serialize_to_file(views, None, path).unwrap();
}
