//! Drawing one picture: background, stray lines, motifs, light and grain.

use image::{Rgb as Pixel, RgbImage};

use super::{
    background::Background,
    draws::Draws,
    motif::Motif,
    palette::{Palette, Rgb},
};

/// Tries at finding room for one more motif before the picture counts as full.
const PLACEMENTS: usize = 60;
/// Most motifs in a picture.
const MOST_MOTIFS: usize = 14;

/// All that is random in a picture, in units of its side. None of it depends on the class.
pub(super) struct Scene {
    background: Background,
    strays: Vec<Stray>,
    placed: Vec<Placed>,
    light: [f32; 2],
    grain: f32,
}

/// One motif: where, how large, how turned, in which colour.
struct Placed {
    centre: [f32; 2],
    /// Of the disk of equal area.
    radius: f32,
    turn: [f32; 2],
    colour: Rgb,
    /// Change of brightness from one side to the other.
    shading: [f32; 2],
}

/// A thin line from edge to edge.
struct Stray {
    normal: [f32; 2],
    offset: f32,
    half_width: f32,
    colour: Rgb,
}

impl Scene {
    pub(super) fn draw(draws: &mut Draws) -> Self {
        let palette = Palette::draw(draws);
        let background = Background::draw(draws, &palette);
        let strays = (0..draws.below(4)).map(|_| Stray::draw(draws, palette.stray)).collect();
        let placed = place(draws, &palette);
        let [x, y] = draws.direction();
        let strength = draws.uniform(0.0, 0.25);
        Self {
            background,
            strays,
            placed,
            light: [x * strength, y * strength],
            grain: draws.uniform(0.0, 0.05),
        }
    }

    /// The picture of this scene, `size` x `size` pixels, with `motif` at every place.
    pub(super) fn render(&self, motif: Motif, size: u32, draws: &mut Draws) -> RgbImage {
        let side = size as usize;
        let mut canvas = Vec::with_capacity(side * side);
        for row in 0..side {
            for column in 0..side {
                let point = [centre_of(column, side), centre_of(row, side)];
                let mut colour = self.background.colour(point);
                for stray in &self.strays {
                    colour = blend(colour, stray.colour, stray.cover(point, side));
                }
                canvas.push(colour);
            }
        }
        for placed in &self.placed {
            placed.paint(motif, &mut canvas, side);
        }
        self.develop(&canvas, size, draws)
    }

    /// Light from one side, grain, and rounding to bytes.
    fn develop(&self, canvas: &[Rgb], size: u32, draws: &mut Draws) -> RgbImage {
        let side = size as usize;
        let mut grains = [0; 8];
        RgbImage::from_fn(size, size, |x, y| {
            let (column, row) = (x as usize, y as usize);
            let index = row * side + column;
            if index.is_multiple_of(8) {
                grains = draws.bytes();
            }
            let point = [centre_of(column, side) - 0.5, centre_of(row, side) - 0.5];
            let light = 1.0 + self.light[0] * point[0] + self.light[1] * point[1];
            let grain = (f32::from(grains[index % 8]) / 127.5 - 1.0) * self.grain;
            Pixel(
                canvas[index]
                    .map(|channel| ((channel * light + grain).clamp(0.0, 1.0) * 255.0 + 0.5) as u8),
            )
        })
    }
}

/// Fills the picture with motifs that barely touch, each a little larger or smaller than the picture's own size.
fn place(draws: &mut Draws, palette: &Palette) -> Vec<Placed> {
    let typical = draws.uniform(0.085, 0.135);
    let mut placed: Vec<Placed> = Vec::new();
    for _ in 0..PLACEMENTS {
        let radius = typical * draws.uniform(0.8, 1.3);
        let centre = [draws.uniform(0.02, 0.98), draws.uniform(0.02, 0.98)];
        let crowded = placed.iter().any(|other| {
            let [x, y] = [other.centre[0] - centre[0], other.centre[1] - centre[1]];
            // Motifs other than the disk reach further than their radius, hence the gap.
            (x * x + y * y).sqrt() < 1.25 * (radius + other.radius)
        });
        if !crowded && placed.len() < MOST_MOTIFS {
            let [x, y] = draws.direction();
            let strength = draws.uniform(0.0, 0.2);
            let shading = [x * strength, y * strength];
            let colour = palette.motifs[draws.below(palette.used)];
            placed.push(Placed { centre, radius, turn: draws.direction(), colour, shading });
        }
    }
    placed
}

impl Placed {
    fn paint(&self, motif: Motif, canvas: &mut [Rgb], side: usize) {
        // Equal area whatever the motif: the class must not show in the coverage.
        let scale = self.radius / (motif.area() / std::f32::consts::PI).sqrt();
        let pixel = 1.0 / side as f32;
        let reach = scale * motif.reach() + pixel;
        let columns = covered(self.centre[0], reach, side);
        for row in covered(self.centre[1], reach, side) {
            for column in columns.clone() {
                let x = centre_of(column, side) - self.centre[0];
                let y = centre_of(row, side) - self.centre[1];
                if x * x + y * y > reach * reach {
                    continue;
                }
                let [cos, sin] = self.turn;
                let local = [(cos * x + sin * y) / scale, (cos * y - sin * x) / scale];
                let cover = (0.5 - motif.signed_distance(local) * scale / pixel).clamp(0.0, 1.0);
                if cover > 0.0 {
                    let shade = 1.0 + (self.shading[0] * x + self.shading[1] * y) / self.radius;
                    let target = &mut canvas[row * side + column];
                    *target = blend(*target, self.colour.map(|channel| channel * shade), cover);
                }
            }
        }
    }
}

impl Stray {
    fn draw(draws: &mut Draws, colour: Rgb) -> Self {
        let normal = draws.direction();
        let through = [draws.uniform(0.1, 0.9), draws.uniform(0.1, 0.9)];
        let offset = normal[0] * through[0] + normal[1] * through[1];
        Self { normal, offset, half_width: draws.uniform(0.003, 0.008), colour }
    }

    /// How much of the pixel at `point` the line covers, 0..=1.
    fn cover(&self, [x, y]: [f32; 2], side: usize) -> f32 {
        let distance = (x * self.normal[0] + y * self.normal[1] - self.offset).abs();
        (0.5 - (distance - self.half_width) * side as f32).clamp(0.0, 1.0)
    }
}

/// Pixel centre in units of the side.
fn centre_of(pixel: usize, side: usize) -> f32 {
    (pixel as f32 + 0.5) / side as f32
}

/// The pixels along one axis that lie within `reach` of `centre`.
fn covered(centre: f32, reach: f32, side: usize) -> std::ops::Range<usize> {
    // A float below zero becomes 0 in the cast.
    let first = ((centre - reach) * side as f32) as usize;
    let last = ((centre + reach) * side as f32).ceil() as usize;
    first..last.min(side)
}

fn blend(under: Rgb, over: Rgb, cover: f32) -> Rgb {
    [
        under[0] + (over[0] - under[0]) * cover,
        under[1] + (over[1] - under[1]) * cover,
        under[2] + (over[2] - under[2]) * cover,
    ]
}
