//! The names of an image encoder's parameters: those of the network inside.

use super::network::ImageEncoder;
use crate::published_names::{Naming, PublishedNames};

impl PublishedNames for ImageEncoder {
    fn published_name(&self, path: &[&str], naming: Naming) -> Option<String> {
        match self {
            Self::ResNet(net) => net.published_name(path, naming),
            Self::EfficientNet(net) => net.published_name(path, naming),
            Self::VisionTransformer(net) => net.published_name(path, naming),
            Self::Mlp(net) => net.published_name(path, naming),
        }
    }

    fn counterpart(&self, naming: Naming) -> Option<String> {
        match self {
            Self::EfficientNet(net) => net.counterpart(naming),
            Self::ResNet(_) | Self::VisionTransformer(_) | Self::Mlp(_) => None,
        }
    }

    fn is_position_grid(&self, path: &[&str]) -> bool {
        match self {
            Self::VisionTransformer(net) => net.is_position_grid(path),
            Self::ResNet(_) | Self::EfficientNet(_) | Self::Mlp(_) => false,
        }
    }
}
