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

    /// Whether the parameter at `path` holds a learnt position for a class token and for each patch of a square image,
    /// `[1, 1 + side * side, features]`. Such positions are resampled if a file has them for another number of patches.
    fn is_position_grid(&self, path: &[&str]) -> bool {
        let _ = path;
        false
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
