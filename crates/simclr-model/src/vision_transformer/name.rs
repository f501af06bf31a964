//! The names of vision transformers.

use std::fmt;

use super::config::VisionTransformerConfig;
use super::family::VisionTransformerFamily;
use super::size::VisionTransformerSize;

/// Side of an image, in pixels, for a transformer whose name gives none.
const STANDARD_IMAGE_SIZE: usize = 224;

/// What a name has after the patch size.
const FAMILIES: [(&str, VisionTransformerFamily); 5] = [
    ("", VisionTransformerFamily::Original),
    ("_dinov2", VisionTransformerFamily::DinoV2),
    ("_reg4_dinov2", VisionTransformerFamily::DinoV2Registers),
    ("_dinov3", VisionTransformerFamily::DinoV3),
    ("_dinov3_qkvb", VisionTransformerFamily::DinoV3Biased),
];

impl VisionTransformerConfig {
    /// Reads `vit_tiny_p4_i32`, `vit_small_p14_reg4_dinov2_i518`, or one of timm's names: `vit_tiny_patch16_384`,
    /// `vit_small_patch14_reg4_dinov2`.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        let (size, rest) = name.strip_prefix("vit_")?.split_once("_p")?;
        let (_, size) = VisionTransformerSize::ALL.into_iter().find(|(known, _)| *known == size)?;
        let (is_timms, rest) = match rest.strip_prefix("atch") {
            Some(rest) => (true, rest),
            None => (false, rest),
        };
        let end = rest.find('_').unwrap_or(rest.len());
        let (patch_size, rest) = rest.split_at(end);
        let families = FAMILIES.into_iter().rev();
        let mut families =
            families.filter_map(|(part, family)| Some((rest.strip_prefix(part)?, family)));
        let (rest, family) = families.next()?;
        let image_size = match rest.strip_prefix(if is_timms { "_" } else { "_i" }) {
            Some(side) => pixels(side)?,
            None if rest.is_empty() => STANDARD_IMAGE_SIZE,
            None => return None,
        };
        let config = Self { size, patch_size: pixels(patch_size)?, image_size, family };
        config.check().is_ok().then_some(config)
    }
}

impl fmt::Display for VisionTransformerConfig {
    /// The name that is read.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = VisionTransformerSize::ALL.iter().find(|(_, size)| *size == self.size);
        let size = size.map_or("", |(name, _)| name);
        let family = FAMILIES.iter().find(|(_, family)| *family == self.family);
        let family = family.map_or("", |(name, _)| name);
        write!(f, "vit_{size}_p{}{family}", self.patch_size)?;
        match self.image_size {
            STANDARD_IMAGE_SIZE => Ok(()),
            side => write!(f, "_i{side}"),
        }
    }
}

/// A length of 1 to 65,535 in plain digits: larger images would not fit into memory.
pub(crate) fn pixels(text: &str) -> Option<usize> {
    text.parse::<u16>().ok().filter(|&side| side > 0).map(usize::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_timm_are_read_and_written_as_ours() {
        for (timms, ours) in [
            ("vit_tiny_patch16_224", "vit_tiny_p16"),
            ("vit_base_patch16_384", "vit_base_p16_i384"),
            ("vit_small_patch14_dinov2", "vit_small_p14_dinov2"),
            ("vit_base_patch14_reg4_dinov2", "vit_base_p14_reg4_dinov2"),
            ("vit_small_patch16_dinov3", "vit_small_p16_dinov3"),
            ("vit_base_patch16_dinov3_qkvb", "vit_base_p16_dinov3_qkvb"),
        ] {
            let config = VisionTransformerConfig::from_name(timms).unwrap();
            assert_eq!(config.to_string(), ours);
            assert_eq!(VisionTransformerConfig::from_name(ours), Some(config));
        }
    }

    #[test]
    fn every_family_has_a_name_of_its_own() {
        for (at, (name, family)) in FAMILIES.iter().enumerate() {
            for (other, other_family) in &FAMILIES[at + 1..] {
                assert!(name != other && family != other_family);
            }
        }
    }
}
