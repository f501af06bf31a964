//! Vectors in one piece of memory.

use burn::tensor::{Device, Tensor};

/// Packed vectors begin at multiples of this many elements: of 256 bytes in f32, from where every device can read a
/// part of its memory without a copy.
pub const PACK_ALIGNMENT: usize = 64;

/// Whether each operation on `device` launches a kernel, so that one operation on packed tensors is faster than many on
/// their parts: true of CubeCL's backends.
#[must_use]
pub fn launches_kernels(device: &Device) -> bool {
    #[cfg(feature = "cube")]
    return crate::cube::has_kernels(device);
    #[cfg(not(feature = "cube"))]
    {
        let _ = device;
        false
    }
}

/// The vectors after each other, each from a multiple of `alignment` on, with zeros between and behind.
///
/// Burn's [`Tensor::cat`] launches a kernel for each vector; on GPUs this function launches one for every seven. It is
/// not differentiable.
///
/// # Shapes
///
/// - `vectors`: `[length]` each, of one type and on one device
/// - output: the sum of all lengths, each rounded up to a multiple of `alignment`
///
/// # Panics
///
/// If there are no vectors, or if the alignment is not a multiple of [`PACK_ALIGNMENT`] above 0.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use simclr_nn::{PACK_ALIGNMENT, pack};
///
/// let device = Device::flex();
/// let vectors = [Tensor::<1>::from_floats([1.0, 2.0], &device), Tensor::from_floats([3.0], &device)];
/// let packed = pack(vectors.to_vec(), PACK_ALIGNMENT);
/// assert_eq!(packed.dims(), [2 * PACK_ALIGNMENT]);
/// let second: f32 = packed.narrow(0, PACK_ALIGNMENT, 1).into_scalar();
/// assert!((second - 3.0).abs() < 1e-6);
/// ```
#[must_use]
pub fn pack(vectors: Vec<Tensor<1>>, alignment: usize) -> Tensor<1> {
    assert!(!vectors.is_empty(), "expected at least one vector to pack, found none");
    assert!(
        alignment > 0 && alignment.is_multiple_of(PACK_ALIGNMENT),
        "expected an alignment of a multiple of {PACK_ALIGNMENT}, found {alignment}"
    );
    #[cfg(feature = "cube")]
    if crate::cube::has_kernels(&vectors[0].device()) {
        return by_kernels(vectors, alignment);
    }
    let mut parts = Vec::with_capacity(2 * vectors.len());
    for vector in vectors {
        let [len] = vector.dims();
        let gap = len.next_multiple_of(alignment) - len;
        let (device, dtype) = (vector.device(), vector.dtype());
        parts.push(vector);
        if gap > 0 {
            parts.push(Tensor::zeros([gap], (&device, dtype)));
        }
    }
    Tensor::cat(parts, 0)
}

/// Seven at a time, and then seven of those.
#[cfg(feature = "cube")]
fn by_kernels(mut vectors: Vec<Tensor<1>>, alignment: usize) -> Tensor<1> {
    loop {
        let mut packed = Vec::with_capacity(vectors.len().div_ceil(crate::ops::MOST_VECTORS));
        let mut rest = vectors.into_iter().peekable();
        while rest.peek().is_some() {
            let some = rest.by_ref().take(crate::ops::MOST_VECTORS).collect();
            packed.push(crate::ops::pack(some, alignment));
        }
        if packed.len() == 1 {
            return packed.remove(0);
        }
        vectors = packed;
    }
}
