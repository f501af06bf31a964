//! Drawing one picture: a patchwork, a motif on every patch, and grain.

use image::{Rgb as Pixel, RgbImage};

use super::{
    background::Background,
    draws::Draws,
    motif::Motif,
    palette::{Palette, Rgb},
};

/// Smallest and largest side of a patch, as a share of the picture's.
const PATCH: [f32; 2] = [0.25, 0.38];

/// Sine of the largest turn to either side, about 12 degrees.
const LARGEST_TURN: f32 = 0.2;

/// Everything random in a picture, with lengths in units of its side. None of it depends on the class.
///
/// Each patch draws everything but the motif anew. So, apart from the motif, two crops of one picture have no more in
/// common than two crops of different pictures, and a contrastive loss can learn nothing but the class.
pub(super) struct Scene {
    patches: Vec<Patch>,
    grain: f32,
}

/// A rectangle with a background and a motif of its own.
struct Patch {
    columns: [f32; 2],
    rows: [f32; 2],
    background: Background,
    placed: Placed,
}

/// One motif: its place, size, turn, colour and lighting.
struct Placed {
    centre: [f32; 2],
    /// Radius of the disk of equal area.
    radius: f32,
    /// Cosine and sine.
    turn: [f32; 2],
    colour: Rgb,
    /// Change of brightness per radius, across and down.
    shading: [f32; 2],
}

impl Scene {
    pub(super) fn draw(draws: &mut Draws) -> Self {
        let rows = cuts(draws);
        let mut patches = Vec::new();
        for row in rows.windows(2) {
            let columns = cuts(draws);
            for column in columns.windows(2) {
                let (columns, rows) = ([column[0], column[1]], [row[0], row[1]]);
                patches.push(Patch::draw(draws, columns, rows));
            }
        }
        Self { patches, grain: draws.uniform(0.0, 0.05) }
    }

    /// The picture of this scene with `motif` on every patch, `size` x `size` pixels.
    pub(super) fn render(&self, motif: Motif, size: u32, draws: &mut Draws) -> RgbImage {
        let side = size as usize;
        let mut canvas = vec![[0.0; 3]; side * side];
        for patch in &self.patches {
            patch.fill(&mut canvas, side);
        }
        for patch in &self.patches {
            patch.placed.paint(motif, &mut canvas, side);
        }
        self.develop(&canvas, size, draws)
    }

    /// Adds grain and rounds to bytes.
    fn develop(&self, canvas: &[Rgb], size: u32, draws: &mut Draws) -> RgbImage {
        let mut grains = [0; 8];
        RgbImage::from_fn(size, size, |x, y| {
            let index = y as usize * size as usize + x as usize;
            if index.is_multiple_of(8) {
                grains = draws.bytes();
            }
            let grain = (f32::from(grains[index % 8]) / 127.5 - 1.0) * self.grain;
            Pixel(
                canvas[index]
                    .map(|channel| ((channel + grain).clamp(0.0, 1.0) * 255.0 + 0.5) as u8),
            )
        })
    }
}

/// The edges of the patches along one side. They start before the picture and end beyond it, so that no place in the
/// picture is likelier than another to be near a patch's middle.
fn cuts(draws: &mut Draws) -> Vec<f32> {
    let mut cuts = vec![-draws.uniform(0.0, PATCH[1])];
    let mut last = cuts[0];
    while last < 1.0 {
        last += draws.uniform(PATCH[0], PATCH[1]);
        cuts.push(last);
    }
    cuts
}

impl Patch {
    fn draw(draws: &mut Draws, columns: [f32; 2], rows: [f32; 2]) -> Self {
        let palette = Palette::draw(draws);
        let background = Background::draw(draws, &palette);
        let (width, height) = (columns[1] - columns[0], rows[1] - rows[0]);
        let radius = width.min(height) * draws.uniform(0.24, 0.36);
        // Near the middle of the shorter side, anywhere along the longer one.
        let mut place = |range: [f32; 2]| {
            let slack = ((range[1] - range[0]) / 2.0 - 1.1 * radius).max(0.0);
            f32::midpoint(range[0], range[1]) + draws.uniform(-1.0, 1.0) * slack
        };
        let centre = [place(columns), place(rows)];
        let sine = draws.uniform(-LARGEST_TURN, LARGEST_TURN);
        let [x, y] = draws.direction();
        let strength = draws.uniform(0.0, 0.2);
        let shading = [x * strength, y * strength];
        let turn = [(1.0 - sine * sine).sqrt(), sine];
        Self {
            columns,
            rows,
            background,
            placed: Placed { centre, radius, turn, colour: palette.motif, shading },
        }
    }

    fn fill(&self, canvas: &mut [Rgb], side: usize) {
        for row in pixels(self.rows, side) {
            for column in pixels(self.columns, side) {
                let point = [centre_of(column, side), centre_of(row, side)];
                canvas[row * side + column] = self.background.colour(point);
            }
        }
    }
}

/// The pixels whose centres lie in a range of one axis.
fn pixels([start, end]: [f32; 2], side: usize) -> std::ops::Range<usize> {
    let first = |edge: f32| (edge * side as f32 + 0.5) as usize;
    first(start)..first(end).min(side)
}

impl Placed {
    fn paint(&self, motif: Motif, canvas: &mut [Rgb], side: usize) {
        // All motifs cover the same area, so that coverage does not give the class away.
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

/// The centre of a pixel, in units of the side.
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
