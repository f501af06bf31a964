//! The names of a network's parameters in other libraries.

use std::fmt;

use burn::module::Module;

/// The library whose names the tensors of a weight file have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Naming {
    /// This crate: the parameter's path in the module; fully connected weights are `[inputs, outputs]`.
    Simclr,
    /// torchvision. For a [`ResNet`](crate::ResNet), timm's names are the same.
    Torchvision,
    /// timm (`pytorch-image-models`).
    Timm,
    /// facebookresearch's `dinov2`, for a [`VisionTransformer`](crate::VisionTransformer) with registers. Without them, the
    /// names are timm's.
    DinoV2,
    /// The package `efficientnet_pytorch`, for an [`EfficientNet`](crate::EfficientNet).
    EfficientNetPytorch,
    /// torchvision, with the layers of a [`ResNet`](crate::ResNet) numbered by an `nn.Sequential` of them:
    /// `4.0.conv1.weight` is `layer1.0.conv1.weight`.
    Sequential {
        /// The number of the first stage: 4 after convolution, normalisation, activation and pooling, less without some
        /// of them.
        first_stage: usize,
    },
}

impl fmt::Display for Naming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Simclr => "simclr",
            Self::Torchvision => "torchvision",
            Self::Timm => "timm",
            Self::DinoV2 => "dinov2",
            Self::EfficientNetPytorch => "efficientnet_pytorch",
            Self::Sequential { .. } => "nn.Sequential",
        })
    }
}

/// A network that other libraries have, too, so that they can exchange weights with this crate.
pub trait PublishedNames: Module {
    /// The name of the parameter at `path` in a library's state dict; `None` if the library doesn't have the network.
    ///
    /// `path` holds the names of the modules around the parameter and its own. In a ResNet, for example,
    /// `["stem", "norm", "gamma"]` is torchvision's `bn1.weight`.
    fn published_name(&self, path: &[&str], naming: Naming) -> Option<String>;

    /// The name of the encoder that computes what this network does in a library, if it is another one than this: the
    /// parameters are the same, but weights of the library give other features here. Such weights are refused.
    fn counterpart(&self, naming: Naming) -> Option<String> {
        let _ = naming;
        None
    }

    /// What the names of the library's classifier begin with, if it lies in a module of which the encoder has a part.
    /// Anything else in such a module is taken for a part of a larger network, and such networks are refused.
    fn classifier(&self, naming: Naming) -> Option<&'static str> {
        let _ = naming;
        None
    }

    /// The names of tensors that another of the library's networks has beside those of this one. Weights of that network
    /// would fit, and give other features here; they are refused.
    fn tensors_of_others(&self, naming: Naming) -> &'static [&'static str] {
        let _ = naming;
        &[]
    }

    /// Whether a library holds the vector at `path` as `[channels, 1, 1]`.
    fn has_pixel_axes(&self, path: &[&str], naming: Naming) -> bool {
        let _ = (path, naming);
        false
    }

    /// If a library's positions begin with one more row, which it adds to another parameter: the names of the positions and
    /// of that parameter here.
    fn first_position(&self, naming: Naming) -> Option<[&'static str; 2]> {
        let _ = naming;
        None
    }

    /// If the parameter at `path` holds a learnt position for each patch of a square image,
    /// `[1, others + side * side, features]`, the number of others, such as a class token's, which come first. The
    /// positions of patches are resampled if a file has them for another number of patches.
    fn others_before_positions(&self, path: &[&str]) -> Option<usize> {
        let _ = path;
        None
    }
}

/// PyTorch's name of a layer's own parameter: a normalisation's gamma and beta are its weight and bias.
pub(crate) fn published_leaf(name: &str) -> &str {
    match name {
        "gamma" => "weight",
        "beta" => "bias",
        other => other,
    }
}

/// A number in a path.
pub(crate) fn index(name: &str) -> Option<usize> {
    name.parse().ok()
}
