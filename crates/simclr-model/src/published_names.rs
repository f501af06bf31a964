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
    /// facebookresearch's `dinov3`, for a [`VisionTransformer`](crate::VisionTransformer). Files that are written lack what
    /// nothing learns: the periods of rotations, the mask of biases, and the token for masked patches.
    DinoV3,
    /// `transformers`, as models are on the Hugging Face hub, for a [`VisionTransformer`](crate::VisionTransformer): its `ViTModel`,
    /// `Dinov2Model`, `Dinov2WithRegistersModel` and `DINOv3ViTModel`. Files that are written lack the token for masked patches.
    Transformers,
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
            Self::DinoV3 => "dinov3",
            Self::Transformers => "transformers",
            Self::EfficientNetPytorch => "efficientnet_pytorch",
            Self::Sequential { .. } => "nn.Sequential",
        })
    }
}

/// A network that other libraries have, too, so that they can exchange weights with this crate.
pub trait PublishedNames: Module {
    /// The name of the parameter at `path` in a library's state dict; `None` if the library doesn't have the network, or has the
    /// parameter in [parts](Self::published_parts).
    ///
    /// `path` holds the names of the modules around the parameter and its own. In a ResNet, for example,
    /// `["stem", "norm", "gamma"]` is torchvision's `bn1.weight`.
    fn published_name(&self, path: &[&str], naming: Naming) -> Option<String>;

    /// The names of the tensors that a library has for the parameter at `path`: several are parts of one length, one after the
    /// other along the outputs. `None` stands for a part that the library does without: its values count for nothing. The whole
    /// is `None` if the library doesn't have the network.
    fn published_parts(&self, path: &[&str], naming: Naming) -> Option<Vec<Option<String>>> {
        Some(vec![Some(self.published_name(path, naming)?)])
    }

    /// The name of the encoder that computes what this network does in a library, if it is another one than this: the
    /// parameters are the same, but weights of the library give other features here. Such weights are refused.
    fn counterpart(&self, naming: Naming) -> Option<String> {
        let _ = naming;
        None
    }

    /// The name of the encoder of the same kind that has, beside all of this one's tensors, the one that a library calls `name`.
    fn larger_with(&self, name: &str, naming: Naming) -> Option<String> {
        let _ = (name, naming);
        None
    }

    /// What names begin with in a library that lie in a module of which the encoder has a part, and are no part of the network:
    /// those of a classifier, or of the token for masked patches. Anything else in such a module is taken for a part of a larger
    /// network, and such networks are refused.
    fn beside(&self, naming: Naming) -> Option<&'static str> {
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
