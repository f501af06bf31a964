//! The gradients of a normalisation with the statistics of the batch, and what its forward pass keeps for them.

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, ExtensionType, backend_extension};

use super::norm_tensors::{NormOptions, NormTensors};
use super::optional::OptionalTensor;
use super::passed::Passed;
use super::running_statistics::{Averaging, Running};

/// What a forward pass returns for a backward pass to follow.
#[derive(Clone, Debug, ExtensionType)]
#[extension_type(fusion: cfg(feature = "fusion"))]
pub(crate) struct KeptNorm<B: Backend> {
    pub(crate) output: FloatTensor<B>,
    /// Of the batch, `[c]`.
    pub(crate) mean: FloatTensor<B>,
    /// Of the batch, `[c]`, biased.
    pub(crate) variance: FloatTensor<B>,
    /// After the batch.
    #[extension_type]
    pub(crate) running: Running<B>,
    #[extension_type]
    pub(crate) passed: Passed<B>,
}

/// Which gradients a backward pass asks for, besides those of gamma and beta.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted {
    pub(crate) input: bool,
    pub(crate) residual: bool,
}

/// The gradients of a normalisation. Those of the input and of the residual are there only if they are wanted.
#[derive(Clone, Debug, ExtensionType)]
#[extension_type(fusion: cfg(feature = "fusion"))]
pub(crate) struct NormGradients<B: Backend> {
    #[extension_type]
    pub(crate) input: OptionalTensor<B>,
    #[extension_type]
    pub(crate) residual: OptionalTensor<B>,
    pub(crate) gamma: FloatTensor<B>,
    pub(crate) beta: FloatTensor<B>,
}

#[backend_extension(
    Flex: cfg(feature = "flex"),
    Cube: cfg(feature = "cube"),
    Fusion: cfg(feature = "fusion")
)]
pub(crate) trait BatchNormGradientBackend: Backend {
    /// [`BatchNormBackend::batch_norm`](super::BatchNormBackend::batch_norm), with what its gradients need.
    #[fusion(meta = |x, gamma, _, residual, _, options, _| described::kept(x, gamma, residual, *options))]
    fn batch_norm_for_gradients(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        #[extension_type] residual: OptionalTensor<Self>,
        #[extension_type] running: Running<Self>,
        options: NormOptions,
        averaging: Averaging,
    ) -> KeptNorm<Self>;

    /// The gradients from `gradient`, the output's.
    #[fusion(meta = |x, tensors, _, _, _, wanted| described::gradients(x, tensors, *wanted))]
    fn batch_norm_gradients(
        x: FloatTensor<Self>,
        #[extension_type] tensors: NormTensors<Self>,
        #[extension_type] passed: Passed<Self>,
        gradient: FloatTensor<Self>,
        options: NormOptions,
        wanted: Wanted,
    ) -> NormGradients<Self>;
}

/// The shapes and types of what the operations return.
#[cfg(feature = "fusion")]
mod described {
    use burn::backend::fusion::custom::TensorSpec;

    use super::super::norm_tensors::NormTensorsMetadata;
    use super::super::optional::OptionalTensorMetadata::{self, Absent, Present};
    use super::super::passed::PassedMetadata;
    use super::super::running_statistics::RunningMetadata;
    use super::{KeptNormMetadata, NormGradientsMetadata, NormOptions, Wanted};
    use crate::activation::Activation;

    pub(super) fn kept(
        x: &TensorSpec,
        gamma: &TensorSpec,
        residual: &OptionalTensorMetadata,
        options: NormOptions,
    ) -> KeptNormMetadata {
        let passed = match residual {
            Present(_) if options.activation == Activation::Relu => words(x),
            _ => PassedMetadata::Recomputed,
        };
        let of_channels = || gamma.clone();
        KeptNormMetadata {
            output: x.clone(),
            mean: of_channels(),
            variance: of_channels(),
            running: RunningMetadata { mean: of_channels(), variance: of_channels() },
            passed,
        }
    }

    #[cfg(feature = "cube")]
    fn words(x: &TensorSpec) -> PassedMetadata {
        let channels = x.shape[1];
        let shape = crate::ops::shape_of_words(x.shape.num_elements() / channels, channels);
        let words = TensorSpec::new(burn::tensor::Shape::new(shape), burn::tensor::DType::U32);
        PassedMetadata::Bits(words)
    }

    /// Fusion is for backends of CubeCL.
    #[cfg(not(feature = "cube"))]
    fn words(_: &TensorSpec) -> PassedMetadata {
        PassedMetadata::Recomputed
    }

    pub(super) fn gradients(
        x: &TensorSpec,
        tensors: &NormTensorsMetadata,
        wanted: Wanted,
    ) -> NormGradientsMetadata {
        let if_wanted = |wanted: bool| if wanted { Present(x.clone()) } else { Absent };
        NormGradientsMetadata {
            input: if_wanted(wanted.input),
            residual: if_wanted(wanted.residual),
            gamma: tensors.gamma.clone(),
            beta: tensors.beta.clone(),
        }
    }
}
