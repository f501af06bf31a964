//! Colours of one patch.

use super::draws::Draws;

/// Red, green and blue in 0..=1.
pub(super) type Rgb = [f32; 3];

/// Two background colours and the motif's, of independent hues. The motif is lighter than the background, so that the
/// shape stays visible in gray; how light either is varies so widely that a light background outshines many a motif.
pub(super) struct Palette {
    pub(super) background: [Rgb; 2],
    pub(super) motif: Rgb,
}

/// Least difference in luma between a motif and its background.
const CONTRAST: f32 = 0.3;

impl Palette {
    pub(super) fn draw(draws: &mut Draws) -> Self {
        let level = draws.uniform(0.04, 0.6);
        // The two background colours are near to each other, else their boundary would be the strongest edge.
        let other_level = (level + draws.uniform(-0.1, 0.1)).clamp(0.02, 0.65);
        let background = [colour(draws, level, 0.6), colour(draws, other_level, 0.6)];
        let level = draws.uniform(level.max(other_level) + CONTRAST, 0.97);
        Self { background, motif: colour(draws, level, 1.0) }
    }
}

/// A colour of random hue with the given luma (Rec. 601), as saturated as the luma and `saturation` permit.
fn colour(draws: &mut Draws, luma: f32, saturation: f32) -> Rgb {
    let hue = draws.uniform(0.0, 6.0);
    let saturation = draws.uniform(0.15, 1.0) * saturation;
    let pure = [
        ((hue - 3.0).abs() - 1.0).clamp(0.0, 1.0),
        (2.0 - (hue - 2.0).abs()).clamp(0.0, 1.0),
        (2.0 - (hue - 4.0).abs()).clamp(0.0, 1.0),
    ];
    let pure_luma = 0.299 * pure[0] + 0.587 * pure[1] + 0.114 * pure[2];
    let offset = pure.map(|channel| (channel - pure_luma) * saturation);
    // Walk from gray towards the hue, stopping where a channel would leave 0..=1.
    let mut room: f32 = 1.0;
    for channel in offset {
        let limit = if channel > 0.0 { 1.0 - luma } else { -luma };
        if channel != 0.0 {
            room = room.min(limit / channel);
        }
    }
    offset.map(|channel| luma + channel * room)
}
