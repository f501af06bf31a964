//! What the parameters of a network are called elsewhere.

mod efficient_net;
mod image_encoder;
mod mlp;
mod resnet;
mod vision_transformer;

use std::fmt;

use burn::module::Module;

/// Whose names the tensors of a weight file have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Naming {
    /// Ours: the parameter's path in the module, fully connected weights as `[inputs, outputs]`.
    Simclr,
    /// torchvision's, and in the case of a [`ResNet`](crate::ResNet) timm's as well.
    Torchvision,
    /// timm's (`pytorch-image-models`).
    Timm,
}

impl fmt::Display for Naming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Simclr => "simclr",
            Self::Torchvision => "torchvision",
            Self::Timm => "timm",
        })
    }
}

/// A network that other libraries have, too, so that weights can move both ways.
pub trait PublishedNames: Module {
    /// The name that the parameter at `path` has in a library's state dict; `None` if the library doesn't have
    /// the network.
    ///
    /// `path` holds the names of the modules around the parameter and its own: `["stem", "norm", "gamma"]` is
    /// torchvision's `bn1.weight`.
    fn published_name(&self, path: &[&str], naming: Naming) -> Option<String>;
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
