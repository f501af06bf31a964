//! Colours of one picture.

use super::draws::Draws;

/// Red, green and blue in 0..=1.
pub(super) type Rgb = [f32; 3];

/// Two background colours and up to four motif colours. Their hues are independent; the motifs are all lighter, or
/// all darker, than the background, so that the shapes stay visible in gray.
pub(super) struct Palette {
    pub(super) background: [Rgb; 2],
    pub(super) motifs: [Rgb; 4],
    /// How many of `motifs` are in use, 2..=4.
    pub(super) used: usize,
    /// Colour of stray lines, unrelated to the rest.
    pub(super) stray: Rgb,
}

impl Palette {
    pub(super) fn draw(draws: &mut Draws) -> Self {
        let light_motifs = draws.chance(0.5);
        let dark = (0.06, 0.40);
        let light = (0.55, 0.95);
        let (behind, front) = if light_motifs { (dark, light) } else { (light, dark) };
        // The two background colours are near to each other, else their boundary would be the strongest edge.
        let level = draws.uniform(behind.0, behind.1);
        let other_level = (level + draws.uniform(-0.12, 0.12)).clamp(behind.0, behind.1);
        let background = [colour(draws, level, 0.6), colour(draws, other_level, 0.6)];
        let mut motifs = [[0.0; 3]; 4];
        for motif in &mut motifs {
            let level = draws.uniform(front.0, front.1);
            *motif = colour(draws, level, 1.0);
        }
        let used = 2 + draws.below(3);
        let level = draws.uniform(0.1, 0.9);
        Self { background, motifs, used, stray: colour(draws, level, 0.8) }
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
