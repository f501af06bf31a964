use burn::backend::TensorMetadata;
use burn::tensor::{DType, Shape};
use burn_cubecl::CubeBackend;
use burn_cubecl::cubecl::calculate_cube_count_elemwise;
use burn_cubecl::cubecl::prelude::{BufferArg, CubeCount, CubeDim};
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::ops::numeric::empty_device_contiguous_dtype;
use burn_cubecl::ops::permute_nhwc_to_nchw;
use burn_cubecl::tensor::CubeTensor;

use super::kernels::{self, PlacesLaunch};
use super::views_backend::{ViewsBackend, ViewsOptions};

/// Units of a cube, each with a pixel of one view. Every device has as many.
const UNITS: usize = 256;

impl ViewsBackend for CubeBackend {
    fn views(words: CubeTensor, table: CubeTensor, options: ViewsOptions) -> CubeTensor {
        let batch = Batch::new(into_contiguous(words), into_contiguous(table), options);
        let sums = batch.empty([batch.n, batch.blocks, 3]);
        let mut views = batch.empty(batch.shape());
        batch.resample(&views, &sums);
        if options.recolors {
            batch.recolor(&views, &sums);
        }
        if options.blurs {
            let blurred = batch.empty(batch.shape());
            batch.blur_rows(&views, &blurred);
            views = blurred;
        }
        let finished = batch.empty(batch.shape());
        batch.finish(&views, &finished);
        permute_nhwc_to_nchw(finished)
    }
}

fn argument(tensor: &CubeTensor) -> BufferArg {
    tensor.clone().into_buffer_arg()
}

fn cube_dim() -> CubeDim {
    CubeDim::new_1d(UNITS as u32)
}

/// What all launches of a batch have in common. Each cube has a block of pixels of one view.
struct Batch {
    words: CubeTensor,
    table: CubeTensor,
    options: ViewsOptions,
    n: usize,
    /// Cubes of a view.
    blocks: usize,
}

impl Batch {
    fn new(words: CubeTensor, table: CubeTensor, options: ViewsOptions) -> Self {
        let n = table.shape()[0];
        let blocks = (options.size * options.size).div_ceil(UNITS);
        Self { words, table, options, n, blocks }
    }

    /// Channels last.
    fn shape(&self) -> [usize; 4] {
        [self.n, self.options.size, self.options.size, 3]
    }

    fn empty<const D: usize>(&self, shape: [usize; D]) -> CubeTensor {
        let (client, device) = (self.table.client.clone(), self.table.device.clone());
        empty_device_contiguous_dtype(client, device, Shape::new(shape), DType::F32)
    }

    fn cube_count(&self) -> CubeCount {
        let units = self.n * self.blocks * UNITS;
        calculate_cube_count_elemwise(&self.table.client, units, cube_dim())
    }

    fn places(&self) -> PlacesLaunch {
        PlacesLaunch::new(self.n, self.options.size, self.blocks, UNITS)
    }

    fn resample(&self, views: &CubeTensor, sums: &CubeTensor) {
        kernels::resample::launch(
            &self.table.client,
            self.cube_count(),
            cube_dim(),
            views.required_address_type(),
            argument(&self.words),
            argument(&self.table),
            argument(views),
            argument(sums),
            self.places(),
            self.options.bicubic,
        );
    }

    fn recolor(&self, views: &CubeTensor, sums: &CubeTensor) {
        kernels::recolor::launch(
            &self.table.client,
            self.cube_count(),
            cube_dim(),
            views.required_address_type(),
            argument(&self.table),
            argument(sums),
            argument(views),
            self.places(),
        );
    }

    fn blur_rows(&self, views: &CubeTensor, blurred: &CubeTensor) {
        kernels::blur_rows::launch(
            &self.table.client,
            self.cube_count(),
            cube_dim(),
            views.required_address_type(),
            argument(&self.table),
            argument(views),
            argument(blurred),
            self.places(),
        );
    }

    fn finish(&self, views: &CubeTensor, finished: &CubeTensor) {
        kernels::finish::launch(
            &self.table.client,
            self.cube_count(),
            cube_dim(),
            views.required_address_type(),
            argument(&self.table),
            argument(views),
            argument(finished),
            self.places(),
        );
    }
}
