//! The colours of a patch.

use super::draws::Draws;

/// Red, green and blue in 0..=1.
pub(super) type Rgb = [f32; 3];

/// Two background colours and a colour for the motif, of independent hues. The motif is lighter than its background, so
/// that the shape stays visible in gray.
///
/// The colours are pale. Two crops of a picture often show the same patch, so a contrastive loss would learn bright
/// colours long before shapes.
pub(super) struct Palette {
    pub(super) background: [Rgb; 2],
    pub(super) motif: Rgb,
}

/// Smallest and largest luma of a background.
const BACKGROUND: (f32, f32) = (0.04, 0.3);
/// Least difference in luma between a motif and its background.
const CONTRAST: f32 = 0.4;
/// Largest luma of a motif.
const LIGHTEST: f32 = 0.97;
/// Largest saturation, as a share of what the luma permits.
const SATURATION: f32 = 0.35;

impl Palette {
    pub(super) fn draw(draws: &mut Draws) -> Self {
        let (darkest, lightest) = BACKGROUND;
        let level = draws.uniform(darkest, lightest);
        // The two background colours are of similar luma. Otherwise their boundary would be the strongest edge.
        let other_level = (level + draws.uniform(-0.1, 0.1)).clamp(darkest, lightest);
        let background = [colour(draws, level), colour(draws, other_level)];
        let level = draws.uniform(level.max(other_level) + CONTRAST, LIGHTEST);
        Self { background, motif: colour(draws, level) }
    }
}

/// A colour of random hue and saturation with the given luma (Rec. 601).
fn colour(draws: &mut Draws, luma: f32) -> Rgb {
    let hue = draws.uniform(0.0, 6.0);
    let saturation = draws.uniform(0.1, 1.0) * SATURATION;
    let pure = [
        ((hue - 3.0).abs() - 1.0).clamp(0.0, 1.0),
        (2.0 - (hue - 2.0).abs()).clamp(0.0, 1.0),
        (2.0 - (hue - 4.0).abs()).clamp(0.0, 1.0),
    ];
    let pure_luma = 0.299 * pure[0] + 0.587 * pure[1] + 0.114 * pure[2];
    let offset = pure.map(|channel| (channel - pure_luma) * saturation);
    // Go from gray towards the hue, at most to where a channel would leave 0..=1.
    let mut room: f32 = 1.0;
    for channel in offset {
        let limit = if channel > 0.0 { 1.0 - luma } else { -luma };
        if channel != 0.0 {
            room = room.min(limit / channel);
        }
    }
    offset.map(|channel| luma + channel * room)
}
