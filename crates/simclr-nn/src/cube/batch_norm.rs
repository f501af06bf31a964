//! Normalisation with the statistics of the batch.

use burn_cubecl::CubeBackend;
use burn_cubecl::cubecl;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::{BufferArg, Size};

use super::grid::{Grid, address_type};
use super::kernels::{
    AveragingLaunch, ChannelsLaunch, CutLaunch, MomentsLaunch, ParameterGradientsLaunch,
    StatisticsLaunch, SumsLaunch,
};
use super::pixels::Pixels;
use super::{element, kernels};
use crate::activation::Activation;
use crate::ops::{
    Averaging, BatchNormBackend, BatchNormGradientBackend, KeptNorm, NormGradients, NormOptions,
    NormTensors, OptionalTensor, Passed, Running, Wanted, rows_of_word,
};

impl BatchNormBackend for CubeBackend {
    fn batch_norm(
        x: CubeTensor,
        gamma: CubeTensor,
        beta: CubeTensor,
        residual: OptionalTensor<Self>,
        running: Running<Self>,
        options: NormOptions,
        averaging: Averaging,
    ) -> (CubeTensor, CubeTensor, CubeTensor) {
        let (norm, running) = Norm::of_batch(x, [gamma, beta], running, options, averaging);
        let residual = residual.into_option().map(Pixels::new);
        let output = norm.normalised(residual.as_ref(), None);
        (output.into_images(), running.mean, running.variance)
    }
}

impl BatchNormGradientBackend for CubeBackend {
    fn batch_norm_for_gradients(
        x: CubeTensor,
        gamma: CubeTensor,
        beta: CubeTensor,
        residual: OptionalTensor<Self>,
        running: Running<Self>,
        options: NormOptions,
        averaging: Averaging,
    ) -> KeptNorm<Self> {
        let (norm, running) = Norm::of_batch(x, [gamma, beta], running, options, averaging);
        let residual = residual.into_option().map(Pixels::new);
        let cuts = options.activation == Activation::Relu;
        let words = (cuts && residual.is_some()).then(|| norm.x.words());
        let output = norm.normalised(residual.as_ref(), words.as_ref()).into_images();
        let NormTensors { mean, variance, .. } = norm.tensors;
        let passed = words.map_or(Passed::Recomputed, Passed::Bits);
        KeptNorm { output, mean, variance, running, passed }
    }

    fn batch_norm_gradients(
        x: CubeTensor,
        tensors: NormTensors<Self>,
        passed: Passed<Self>,
        gradient: CubeTensor,
        options: NormOptions,
        wanted: Wanted,
    ) -> NormGradients<Self> {
        let gradient = Pixels::new(gradient);
        let mut norm = Norm::new(Pixels::new(x), tensors, options);
        // Only a residual needs the gradients that ReLU let pass in memory; without ReLU they are the output's.
        let cut = match passed {
            Passed::Bits(words) => {
                Some(Cut { words: into_contiguous(words), kept: norm.x.empty_like() })
            }
            _ => None,
        };
        let [gamma, beta] = norm.parameter_gradients(&gradient, cut.as_ref());
        let passed = match cut {
            Some(cut) => {
                norm.options.activation = Activation::Identity;
                cut.kept
            }
            None => gradient,
        };
        let input = wanted.input.then(|| norm.input_gradient(&passed, [&gamma, &beta]));
        let residual = wanted.residual.then(|| passed.into_images());
        NormGradients { input: input.into(), residual: residual.into(), gamma, beta }
    }
}

/// A normalisation of `x`.
struct Norm {
    x: Pixels,
    tensors: NormTensors<CubeBackend>,
    options: NormOptions,
}

/// Which gradients ReLU let pass, and memory for them, where a residual was added before it.
struct Cut {
    words: CubeTensor,
    kept: Pixels,
}

fn argument(tensor: &CubeTensor) -> BufferArg {
    tensor.clone().into_buffer_arg()
}

impl Norm {
    fn new(x: Pixels, tensors: NormTensors<CubeBackend>, options: NormOptions) -> Self {
        let NormTensors { gamma, beta, mean, variance } = tensors;
        let [gamma, beta, mean, variance] = [gamma, beta, mean, variance].map(into_contiguous);
        Self { x, tensors: NormTensors { gamma, beta, mean, variance }, options }
    }

    /// The normalisation with the statistics of `x`, and the running ones after it.
    fn of_batch(
        x: CubeTensor,
        [gamma, beta]: [CubeTensor; 2],
        running: Running<CubeBackend>,
        options: NormOptions,
        averaging: Averaging,
    ) -> (Self, Running<CubeBackend>) {
        let x = Pixels::new(x);
        let ([mean, variance], running) = moments(&x, running, averaging);
        (Self::new(x, NormTensors { gamma, beta, mean, variance }, options), running)
    }

    fn channels<N: Size>(&self) -> ChannelsLaunch<N> {
        let NormTensors { gamma, beta, mean, variance } = &self.tensors;
        let [gamma, beta, mean, variance] = [gamma, beta, mean, variance].map(argument);
        let NormOptions { epsilon, activation } = self.options;
        let relu = activation == Activation::Relu;
        ChannelsLaunch::new(mean, variance, gamma, beta, epsilon as f32, relu)
    }

    /// Consecutive pixels of a unit.
    fn run(&self, has_words: bool) -> usize {
        if has_words { rows_of_word(self.x.channels()) } else { 1 }
    }

    /// The output; `words` receive which values ReLU let pass.
    fn normalised(&self, residual: Option<&Pixels>, words: Option<&CubeTensor>) -> Pixels {
        let x = &self.x;
        let grid = Grid::over(x, self.run(words.is_some()));
        let output = x.empty_like();
        kernels::normalised_values::launch(
            x.client(),
            grid.cube_count(),
            grid.cube_dim(),
            address_type(x.tensor()),
            grid.vector,
            argument(x.tensor()),
            residual.map(|residual| argument(residual.tensor())).into(),
            self.channels(),
            argument(output.tensor()),
            words.map(argument).into(),
            grid.rows(),
            element(x.tensor()),
        );
        output
    }

    /// The gradients of gamma and beta. What `cut` keeps receives the gradients that ReLU let pass.
    fn parameter_gradients(&self, gradient: &Pixels, cut: Option<&Cut>) -> [CubeTensor; 2] {
        let x = &self.x;
        let grid = Grid::summing(x, self.run(cut.is_some()));
        let [plain, centred] = [(); 2].map(|()| x.rows_of_channels(grid.blocks));
        kernels::sums_of_blocks::launch(
            x.client(),
            grid.cube_count(),
            grid.cube_dim(),
            address_type(x.tensor()),
            grid.vector,
            argument(x.tensor()),
            argument(gradient.tensor()),
            self.channels(),
            cut.map(|cut| CutLaunch::new(argument(&cut.words), argument(cut.kept.tensor()))).into(),
            SumsLaunch::new(argument(&plain), argument(&centred)),
            grid.rows(),
            element(x.tensor()),
        );
        let joining = grid.joining();
        let [of_gamma, of_beta] = [(); 2].map(|()| x.per_channel());
        kernels::joined_sums::launch(
            x.client(),
            joining.cube_count(),
            joining.cube_dim(),
            joining.vector,
            SumsLaunch::new(argument(&plain), argument(&centred)),
            self.channels(),
            argument(&of_gamma),
            argument(&of_beta),
            joining.rows(),
        );
        [of_gamma, of_beta]
    }

    /// `[n, c, ...]`
    fn input_gradient(
        &self,
        gradient: &Pixels,
        [of_gamma, of_beta]: [&CubeTensor; 2],
    ) -> CubeTensor {
        let x = &self.x;
        let grid = Grid::over(x, 1);
        let of_x = x.empty_like();
        kernels::gradient_of_input::launch(
            x.client(),
            grid.cube_count(),
            grid.cube_dim(),
            address_type(x.tensor()),
            grid.vector,
            argument(x.tensor()),
            argument(gradient.tensor()),
            self.channels(),
            ParameterGradientsLaunch::new(argument(of_gamma), argument(of_beta)),
            argument(of_x.tensor()),
            grid.rows(),
            element(x.tensor()),
        );
        of_x.into_images()
    }
}

/// Mean and biased variance of each channel, and the running ones after them.
fn moments(
    x: &Pixels,
    running: Running<CubeBackend>,
    averaging: Averaging,
) -> ([CubeTensor; 2], Running<CubeBackend>) {
    let grid = Grid::summing(x, 1);
    let [means, distances] = [(); 2].map(|()| x.rows_of_channels(grid.blocks));
    kernels::moments_of_blocks::launch(
        x.client(),
        grid.cube_count(),
        grid.cube_dim(),
        address_type(x.tensor()),
        grid.vector,
        argument(x.tensor()),
        MomentsLaunch::new(argument(&means), argument(&distances)),
        grid.rows(),
        element(x.tensor()),
    );
    let joining = grid.joining();
    let [mean, variance, new_mean, new_variance] = [(); 4].map(|()| x.per_channel());
    let [old_mean, old_variance] = [running.mean, running.variance].map(into_contiguous);
    kernels::joined_moments::launch(
        x.client(),
        joining.cube_count(),
        joining.cube_dim(),
        joining.vector,
        MomentsLaunch::new(argument(&means), argument(&distances)),
        StatisticsLaunch::new(argument(&mean), argument(&variance)),
        StatisticsLaunch::new(argument(&old_mean), argument(&old_variance)),
        StatisticsLaunch::new(argument(&new_mean), argument(&new_variance)),
        AveragingLaunch::new(averaging.momentum as f32, averaging.unbiasing as f32),
        grid.rows(),
        joining.rows(),
    );
    ([mean, variance], Running { mean: new_mean, variance: new_variance })
}
