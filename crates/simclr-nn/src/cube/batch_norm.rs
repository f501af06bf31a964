//! Normalisation with the statistics of the batch.

use burn_cubecl::CubeBackend;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;

use super::grid::{Grid, address_type};
use super::pixels::Pixels;
use super::{element, kernels};
use crate::ops::{
    BatchNormBackend, BatchNormGradientBackend, NormGradients, NormOptions, NormTensors,
    OptionalTensor, Wanted,
};

impl BatchNormBackend for CubeBackend {
    fn batch_norm(
        x: CubeTensor,
        gamma: CubeTensor,
        beta: CubeTensor,
        residual: OptionalTensor<Self>,
        options: NormOptions,
    ) -> (CubeTensor, CubeTensor, CubeTensor) {
        let x = Pixels::new(x);
        let residual = residual.into_option().map(Pixels::new);
        let [gamma, beta] = [gamma, beta].map(into_contiguous);
        let (mean, variance) = moments(&x);
        let tensors = NormTensors { gamma, beta, mean, variance };
        let output = normalised(&x, &tensors, residual.as_ref(), options);
        (output.into_images(), tensors.mean, tensors.variance)
    }
}

/// Mean and biased variance of each channel.
fn moments(x: &Pixels) -> (CubeTensor, CubeTensor) {
    let grid = Grid::summing(x);
    let [means, distances] = [(); 2].map(|()| x.rows_of_channels(grid.blocks));
    let client = &x.tensor().client;
    kernels::moments_of_blocks::launch(
        client,
        grid.cube_count(),
        grid.cube_dim(),
        address_type(x.tensor()),
        grid.vector,
        x.tensor().clone().into_buffer_arg(),
        means.clone().into_buffer_arg(),
        distances.clone().into_buffer_arg(),
        grid.rows,
        grid.width,
        grid.rows_per_block,
        grid.across,
        grid.down,
        element(x.tensor()),
    );
    let joining = grid.joining();
    let [mean, variance] = [(); 2].map(|()| x.per_channel());
    kernels::joined_moments::launch(
        client,
        joining.cube_count(),
        joining.cube_dim(),
        joining.vector,
        means.into_buffer_arg(),
        distances.into_buffer_arg(),
        mean.clone().into_buffer_arg(),
        variance.clone().into_buffer_arg(),
        grid.blocks,
        grid.width,
        grid.rows,
        grid.rows_per_block,
        joining.across,
        joining.down,
    );
    (mean, variance)
}

fn normalised(
    x: &Pixels,
    tensors: &NormTensors<CubeBackend>,
    residual: Option<&Pixels>,
    options: NormOptions,
) -> Pixels {
    let grid = Grid::over(x);
    let output = x.empty_like();
    let argument = |tensor: &CubeTensor| tensor.clone().into_buffer_arg();
    kernels::normalised_values::launch(
        &x.tensor().client,
        grid.cube_count(),
        grid.cube_dim(),
        address_type(x.tensor()),
        grid.vector,
        argument(x.tensor()),
        residual.map(|residual| argument(residual.tensor())).into(),
        argument(&tensors.mean),
        argument(&tensors.variance),
        argument(&tensors.gamma),
        argument(&tensors.beta),
        argument(output.tensor()),
        options.epsilon as f32,
        grid.rows,
        grid.width,
        grid.rows_per_block,
        grid.across,
        grid.down,
        options.relu,
        element(x.tensor()),
    );
    output
}

impl BatchNormGradientBackend for CubeBackend {
    fn batch_norm_gradients(
        x: CubeTensor,
        tensors: NormTensors<Self>,
        output: OptionalTensor<Self>,
        gradient: CubeTensor,
        options: NormOptions,
        wanted: Wanted,
    ) -> NormGradients<Self> {
        let [x, gradient] = [x, gradient].map(Pixels::new);
        let output = output.into_option().map(Pixels::new);
        let NormTensors { gamma, beta, mean, variance } = tensors;
        let [gamma, beta, mean, variance] = [gamma, beta, mean, variance].map(into_contiguous);
        let tensors = NormTensors { gamma, beta, mean, variance };
        // Only a residual needs the gradients that ReLU let pass in memory; without ReLU they are the output's.
        let kept = output.is_some().then(|| x.empty_like());
        let parameters =
            parameter_gradients(&x, &tensors, &gradient, output.as_ref(), kept.as_ref(), options);
        let (passed, relu) = match kept {
            Some(kept) => (kept, false),
            None => (gradient, options.relu),
        };
        let input = wanted.input.then(|| {
            let options = NormOptions { relu, ..options };
            input_gradient(&x, &tensors, &passed, &parameters, options).into_images()
        });
        let residual = wanted.residual.then(|| passed.into_images());
        let [gamma, beta] = parameters;
        NormGradients { input: input.into(), residual: residual.into(), gamma, beta }
    }
}

/// The gradients of gamma and beta; `kept` receives the gradients that ReLU let pass.
fn parameter_gradients(
    x: &Pixels,
    tensors: &NormTensors<CubeBackend>,
    gradient: &Pixels,
    output: Option<&Pixels>,
    kept: Option<&Pixels>,
    options: NormOptions,
) -> [CubeTensor; 2] {
    let grid = Grid::summing(x);
    let [plain, centred] = [(); 2].map(|()| x.rows_of_channels(grid.blocks));
    let client = &x.tensor().client;
    let argument = |tensor: &CubeTensor| tensor.clone().into_buffer_arg();
    kernels::sums_of_blocks::launch(
        client,
        grid.cube_count(),
        grid.cube_dim(),
        address_type(x.tensor()),
        grid.vector,
        argument(x.tensor()),
        argument(gradient.tensor()),
        output.map(|output| argument(output.tensor())).into(),
        kept.map(|kept| argument(kept.tensor())).into(),
        argument(&tensors.mean),
        argument(&tensors.variance),
        argument(&tensors.gamma),
        argument(&tensors.beta),
        argument(&plain),
        argument(&centred),
        options.epsilon as f32,
        grid.rows,
        grid.width,
        grid.rows_per_block,
        grid.across,
        grid.down,
        options.relu,
        element(x.tensor()),
    );
    let joining = grid.joining();
    let [of_gamma, of_beta] = [(); 2].map(|()| x.per_channel());
    kernels::joined_sums::launch(
        client,
        joining.cube_count(),
        joining.cube_dim(),
        joining.vector,
        argument(&plain),
        argument(&centred),
        argument(&tensors.variance),
        argument(&of_gamma),
        argument(&of_beta),
        options.epsilon as f32,
        grid.blocks,
        grid.width,
        joining.across,
        joining.down,
    );
    [of_gamma, of_beta]
}

fn input_gradient(
    x: &Pixels,
    tensors: &NormTensors<CubeBackend>,
    gradient: &Pixels,
    [of_gamma, of_beta]: &[CubeTensor; 2],
    options: NormOptions,
) -> Pixels {
    let grid = Grid::over(x);
    let of_x = x.empty_like();
    let argument = |tensor: &CubeTensor| tensor.clone().into_buffer_arg();
    kernels::gradient_of_input::launch(
        &x.tensor().client,
        grid.cube_count(),
        grid.cube_dim(),
        address_type(x.tensor()),
        grid.vector,
        argument(x.tensor()),
        argument(gradient.tensor()),
        argument(&tensors.mean),
        argument(&tensors.variance),
        argument(&tensors.gamma),
        argument(&tensors.beta),
        argument(of_gamma),
        argument(of_beta),
        argument(of_x.tensor()),
        options.epsilon as f32,
        grid.rows,
        grid.width,
        grid.rows_per_block,
        grid.across,
        grid.down,
        options.relu,
        element(x.tensor()),
    );
    of_x
}
