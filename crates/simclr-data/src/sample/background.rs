//! The background of a patch.

use super::{
    draws::Draws,
    palette::{Palette, Rgb},
};

/// A blend of two colours. A gradient, two octaves of smooth noise and soft stripes, each of random strength, decide
/// the share of each colour.
pub(super) struct Background {
    colours: [Rgb; 2],
    gradient: Wave,
    stripes: Wave,
    octaves: [Noise; 2],
}

impl Background {
    pub(super) fn draw(draws: &mut Draws, palette: &Palette) -> Self {
        let gradient = Wave::draw(draws, (0.2, 0.6), 0.25);
        let striped = draws.chance(0.5);
        let mut stripes = Wave::draw(draws, (3.0, 14.0), 0.15);
        if !striped {
            stripes.strength = 0.0;
        }
        let octaves = [Noise::draw(draws, (2.0, 5.0), 0.4), Noise::draw(draws, (6.0, 14.0), 0.25)];
        Self { colours: palette.background, gradient, stripes, octaves }
    }

    /// The colour at a point of the unit square.
    pub(super) fn colour(&self, point: [f32; 2]) -> Rgb {
        let blend = 0.5
            + self.gradient.at(point)
            + self.stripes.at(point)
            + self.octaves[0].at(point)
            + self.octaves[1].at(point);
        let blend = blend.clamp(0.0, 1.0);
        let [a, b] = self.colours;
        [a[0] + (b[0] - a[0]) * blend, a[1] + (b[1] - a[1]) * blend, a[2] + (b[2] - a[2]) * blend]
    }
}

/// A smoothed triangle wave along a direction.
struct Wave {
    step: [f32; 2],
    phase: f32,
    strength: f32,
}

impl Wave {
    /// `cycles` is the range of the number of periods over the picture.
    fn draw(draws: &mut Draws, cycles: (f32, f32), strength: f32) -> Self {
        let [x, y] = draws.direction();
        let cycles = draws.uniform(cycles.0, cycles.1);
        Self {
            step: [x * cycles, y * cycles],
            phase: draws.uniform(0.0, 1.0),
            strength: strength * draws.uniform(0.2, 1.0),
        }
    }

    /// The value at a point, in -strength..=strength.
    fn at(&self, [x, y]: [f32; 2]) -> f32 {
        let t = self.phase + x * self.step[0] + y * self.step[1];
        let triangle = 2.0 * (t - t.floor() - 0.5).abs();
        (2.0 * smooth(triangle) - 1.0) * self.strength
    }
}

/// Lattice points per side. The finest octave has at most 14 cells per side of the picture.
const LATTICE: usize = 16;

/// Random values on a square lattice, interpolated smoothly.
struct Noise {
    lattice: [[f32; LATTICE]; LATTICE],
    cells: f32,
}

impl Noise {
    /// `cells` is the range of the number of lattice cells over the picture, at most `LATTICE - 2`.
    fn draw(draws: &mut Draws, cells: (f32, f32), strength: f32) -> Self {
        let cells = draws.uniform(cells.0, cells.1);
        let strength = strength * draws.uniform(0.0, 1.0);
        let mut lattice = [[0.0; LATTICE]; LATTICE];
        for value in lattice.as_flattened_mut().chunks_mut(8) {
            for (value, byte) in value.iter_mut().zip(draws.bytes()) {
                *value = (f32::from(byte) / 127.5 - 1.0) * strength;
            }
        }
        Self { lattice, cells }
    }

    fn at(&self, [x, y]: [f32; 2]) -> f32 {
        let (x, y) = (x * self.cells, y * self.cells);
        let (column, row) = (x as usize, y as usize);
        let (across, down) = (smooth(x - column as f32), smooth(y - row as f32));
        let line = |row: usize| {
            let values = &self.lattice[row];
            values[column] + (values[column + 1] - values[column]) * across
        };
        let (above, below) = (line(row), line(row + 1));
        above + (below - above) * down
    }
}

/// The cubic step: from 0 to 1 as `t` goes from 0 to 1.
fn smooth(t: f32) -> f32 {
    t * t * (3.0 - 2.0 * t)
}
