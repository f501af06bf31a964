//! Vectors packed into one.

use burn::backend::TensorMetadata;
use burn::tensor::Shape;
use burn_cubecl::CubeBackend;
use burn_cubecl::cubecl;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::ops::numeric::empty_device_contiguous_dtype;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::{CubeCount, CubeDim, SequenceArg};

use super::grid::address_type;
use super::{element, kernels};
use crate::ops::{PackBackend, Vectors};

/// Units of a cube, and the cubes of a vector at most.
const UNITS: u32 = 256;
const MOST_CUBES: usize = 1024;

impl PackBackend for CubeBackend {
    fn pack(vectors: Vectors<Self>, alignment: usize) -> CubeTensor {
        let (first, others) = vectors.into_parts();
        let first = into_contiguous(first);
        let others = others.map(|other| other.map(into_contiguous));
        let present = std::iter::once(&first).chain(others.iter().flatten());
        let lens: Vec<usize> = present.map(|v| v.shape().num_elements()).collect();
        let (mut end, mut ends) = (0, SequenceArg::new());
        for len in &lens {
            end += len.next_multiple_of(alignment);
            ends.push(end);
        }
        let (client, device, dtype) = (first.client.clone(), first.device.clone(), first.dtype);
        let output =
            empty_device_contiguous_dtype(client.clone(), device, Shape::new([end]), dtype);
        let longest = lens.iter().max().copied().unwrap_or(0);
        let cubes = longest.div_ceil(UNITS as usize).clamp(1, MOST_CUBES);
        let [second, third, fourth, fifth, sixth, seventh] =
            others.map(|other| other.map(CubeTensor::into_buffer_arg));
        kernels::packed_vectors::launch(
            &client,
            CubeCount::Static(cubes as u32, lens.len() as u32, 1),
            CubeDim::new_1d(UNITS),
            address_type(&output),
            first.into_buffer_arg(),
            second.into(),
            third.into(),
            fourth.into(),
            fifth.into(),
            sixth.into(),
            seventh.into(),
            output.clone().into_buffer_arg(),
            ends,
            element(&output),
        );
        output
    }
}
