//! The names of whichever network an image encoder is.

use crate::image_encoder::ImageEncoder;
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
}
