//! The names of an image encoder's parameters: those of the network inside.

use super::network::ImageEncoder;
use crate::published_names::{Naming, PublishedNames};

impl PublishedNames for ImageEncoder {
    fn published_name(&self, path: &[&str], naming: Naming) -> Option<String> {
        match self {
            Self::ResNet(net) => net.published_name(path, naming),
            Self::EfficientNet(net) => net.published_name(path, naming),
            Self::ConvNext(net) => net.published_name(path, naming),
            Self::VisionTransformer(net) => net.published_name(path, naming),
            Self::Mlp(net) => net.published_name(path, naming),
        }
    }

    fn published_parts(&self, path: &[&str], naming: Naming) -> Option<Vec<Option<String>>> {
        match self {
            Self::ResNet(net) => net.published_parts(path, naming),
            Self::EfficientNet(net) => net.published_parts(path, naming),
            Self::ConvNext(net) => net.published_parts(path, naming),
            Self::VisionTransformer(net) => net.published_parts(path, naming),
            Self::Mlp(net) => net.published_parts(path, naming),
        }
    }

    fn counterpart(&self, naming: Naming) -> Option<String> {
        match self {
            Self::EfficientNet(net) => net.counterpart(naming),
            Self::ResNet(_) | Self::ConvNext(_) | Self::VisionTransformer(_) | Self::Mlp(_) => None,
        }
    }

    fn larger_with(&self, name: &str, naming: Naming) -> Option<String> {
        match self {
            Self::VisionTransformer(net) => net.larger_with(name, naming),
            Self::ResNet(_) | Self::EfficientNet(_) | Self::ConvNext(_) | Self::Mlp(_) => None,
        }
    }

    fn beside(&self, naming: Naming) -> Option<&'static str> {
        match self {
            Self::ConvNext(net) => net.beside(naming),
            Self::VisionTransformer(net) => net.beside(naming),
            Self::ResNet(_) | Self::EfficientNet(_) | Self::Mlp(_) => None,
        }
    }

    fn tensors_of_others(&self, naming: Naming) -> &'static [&'static str] {
        match self {
            Self::VisionTransformer(net) => net.tensors_of_others(naming),
            Self::ResNet(_) | Self::EfficientNet(_) | Self::ConvNext(_) | Self::Mlp(_) => &[],
        }
    }

    fn has_pixel_axes(&self, path: &[&str], naming: Naming) -> bool {
        match self {
            Self::ConvNext(net) => net.has_pixel_axes(path, naming),
            Self::ResNet(_) | Self::EfficientNet(_) | Self::VisionTransformer(_) | Self::Mlp(_) => {
                false
            }
        }
    }

    fn first_position(&self, naming: Naming) -> Option<[&'static str; 2]> {
        match self {
            Self::VisionTransformer(net) => net.first_position(naming),
            Self::ResNet(_) | Self::EfficientNet(_) | Self::ConvNext(_) | Self::Mlp(_) => None,
        }
    }

    fn others_before_positions(&self, path: &[&str]) -> Option<usize> {
        match self {
            Self::VisionTransformer(net) => net.others_before_positions(path),
            Self::ResNet(_) | Self::EfficientNet(_) | Self::ConvNext(_) | Self::Mlp(_) => None,
        }
    }
}
