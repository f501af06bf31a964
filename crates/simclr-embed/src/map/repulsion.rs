//! What pushes the points of a map apart, by way of a grid.

use rayon::prelude::*;

use super::fourier::{Fourier, Plane};

/// The widest spacing of the nodes. The forces change over a distance of about 1. Maps keep as many neighbours with 0.5,
/// which takes three times as long.
const SPACING: f64 = 0.75;
/// The fewest nodes of a side, padding included.
const FEWEST_NODES: usize = 128;
/// So many points are compared pair by pair: that takes less time than a grid, whose size goes with the map's area. Maps of few
/// points may be wide.
const ALL_PAIRS: usize = 512;
/// Nodes at the edges that splines of points inside reach, and some more.
const MARGIN: usize = 4;
/// How much the points may spread before there must be another grid.
const ROOM: f64 = 1.2;
/// The least extent of a grid, for points that are all in one place.
const LEAST_EXTENT: f64 = 1e-9;

/// The repulsion of t-SNE for each point i:
///
/// ```text
/// w_ij = 1 / (1 + |y_i - y_j|²)
/// force_i = sum_j w_ij² (y_i - y_j),  total = sum of w_ij over all pairs of different points
/// ```
///
/// Both are convolutions of the points with a smooth kernel, which is interpolated between the nodes of a grid at both ends: the points are spread over the nodes, the nodes
/// convolved by Fourier transforms, and the result is read at the points (Linderman et al. 2019, who interpolate by polynomials in boxes). By cubic splines here, with the
/// kernel's values exact at the nodes. Where nodes are farthest apart, up to a
/// tenth of a force is wrong (root mean square), and a map keeps as many neighbours as with precise ones; on small maps they are nearer.
#[derive(Debug)]
pub(super) struct Repulsion {
    grid: Option<Grid>,
}

/// Forces on all points, and the sum of all weights.
pub(super) struct Forces {
    pub(super) on: Vec<[f64; 2]>,
    pub(super) total: f64,
}

impl Repulsion {
    pub(super) fn new() -> Self {
        Self { grid: None }
    }

    /// The forces between `places`.
    pub(super) fn forces(&mut self, places: &[[f64; 2]]) -> Forces {
        if places.len() <= ALL_PAIRS { all_pairs(places) } else { self.on_grid(places) }
    }

    fn on_grid(&mut self, places: &[[f64; 2]]) -> Forces {
        let bounds = Bounds::of(places);
        let grid = match self.grid.take() {
            Some(grid) if grid.suits(bounds.extent) => grid,
            _ => Grid::new(bounds.extent),
        };
        self.grid.insert(grid).forces(places, bounds.centre)
    }
}

/// The forces by their definition.
fn all_pairs(places: &[[f64; 2]]) -> Forces {
    let of_point = |(i, a): (usize, &[f64; 2])| {
        let (mut force, mut total) = ([0.0; 2], 0.0);
        for (_, b) in places.iter().enumerate().filter(|(j, _)| *j != i) {
            let (dx, dy) = (a[0] - b[0], a[1] - b[1]);
            let w = 1.0 / (1.0 + dx * dx + dy * dy);
            total += w;
            force[0] += w * w * dx;
            force[1] += w * w * dy;
        }
        (force, total)
    };
    // Summed in the points' order, whatever threads there are.
    let (on, totals): (Vec<[f64; 2]>, Vec<f64>) =
        places.par_iter().enumerate().map(of_point).unzip();
    Forces { on, total: totals.iter().sum() }
}

/// The square around the points.
struct Bounds {
    centre: [f64; 2],
    extent: f64,
}

impl Bounds {
    fn of(places: &[[f64; 2]]) -> Self {
        let range = |axis: usize| {
            let values = || places.iter().map(|place| place[axis]);
            [values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max)]
        };
        let [x, y] = [range(0), range(1)];
        let centre = [f64::midpoint(x[0], x[1]), f64::midpoint(y[0], y[1])];
        Self { centre, extent: (x[1] - x[0]).max(y[1] - y[0]) }
    }
}

/// A grid with its kernels. Points lie on a quarter of it; the rest is the padding of the convolution.
#[derive(Debug)]
struct Grid {
    fourier: Fourier,
    side: usize,
    spacing: f64,
    /// Spectrum of the kernel of the total, which is real.
    weight: Vec<f32>,
    /// Spectrum of the kernel of the forces, along x as the real part and along y as the imaginary one.
    force: Plane,
    /// The points on the nodes, and then the forces there.
    nodes: Plane,
    scratch: Plane,
}

impl Grid {
    /// A grid for points in a square of `extent`, and a little more.
    fn new(extent: f64) -> Self {
        let room = (extent * ROOM).max(LEAST_EXTENT);
        let mut side = FEWEST_NODES;
        while Self::cells(side) * SPACING < room {
            side *= 2;
        }
        let spacing = room / Self::cells(side);
        let fourier = Fourier::new(side);
        let mut scratch = Plane::zeros(side);
        let mut spectrum = |value: &dyn Fn(f64, f64) -> [f64; 2]| {
            let mut plane = Plane::zeros(side);
            for (at, (re, im)) in plane.re.iter_mut().zip(&mut plane.im).enumerate() {
                let [dx, dy] = [at % side, at / side].map(|node| signed(node, side));
                [*re, *im] = value(dx, dy).map(|x| x as f32);
            }
            fourier.forward(&mut plane, side, &mut scratch);
            plane
        };
        let weight = |dx: f64, dy: f64| 1.0 / (1.0 + spacing * spacing * (dx * dx + dy * dy));
        // Splines smooth once where points are spread and once where forces are read.
        let spline = spectrum(&|dx, dy| [node_spline(dx) * node_spline(dy), 0.0]);
        let smoothed = |at: usize| spline.re[at] * spline.re[at];
        let mut total = spectrum(&|dx, dy| [weight(dx, dy), 0.0]);
        let mut force = spectrum(&|dx, dy| {
            // The farthest node is as far to the left as to the right.
            let odd = |d: f64| if d < 0.5 - side as f64 / 2.0 { 0.0 } else { spacing * d };
            [odd(dx), odd(dy)].map(|d| d * weight(dx, dy).powi(2))
        });
        for values in [&mut total.re, &mut force.re, &mut force.im] {
            for (at, value) in values.iter_mut().enumerate() {
                *value /= smoothed(at);
            }
        }
        Self { fourier, side, spacing, weight: total.re, force, nodes: Plane::zeros(side), scratch }
    }

    /// Cells of a side that points may lie in.
    fn cells(side: usize) -> f64 {
        (side / 2 - 2 * MARGIN) as f64
    }

    /// Whether points in a square of `extent` have room here, and would not have it in half of it.
    fn suits(&self, extent: f64) -> bool {
        let room = Self::cells(self.side) * self.spacing;
        extent <= room && (extent * 4.0).max(LEAST_EXTENT) >= room
    }

    fn forces(&mut self, places: &[[f64; 2]], centre: [f64; 2]) -> Forces {
        let (side, spacing) = (self.side, self.spacing);
        let filled = side / 2;
        let middle = MARGIN as f64 + Self::cells(side) / 2.0;
        let stencil = |place: &[f64; 2]| {
            let node = |axis: usize| (place[axis] - centre[axis]) / spacing + middle;
            Stencil::at(node(0), node(1), side)
        };
        self.nodes.re.fill(0.0);
        self.nodes.im.fill(0.0);
        for place in places {
            let Stencil { first, x, y } = stencil(place);
            for (row, weight) in y.iter().enumerate() {
                let start = first + row * side;
                for (node, x) in self.nodes.re[start..start + 4].iter_mut().zip(x) {
                    *node += (weight * x) as f32;
                }
            }
        }
        self.fourier.forward(&mut self.nodes, filled, &mut self.scratch);
        let pairs = self.multiply() / (side * side) as f64;
        self.fourier.backward(&mut self.nodes, filled, &mut self.scratch);

        let scale = 1.0 / (side * side) as f64;
        let on = places.par_iter().map(|place| {
            let Stencil { first, x, y } = stencil(place);
            let read = |nodes: &[f32]| {
                let row = |row: usize| {
                    let nodes = &nodes[first + row * side..][..4];
                    nodes.iter().zip(x).map(|(&node, x)| f64::from(node) * x).sum::<f64>()
                };
                y.iter().enumerate().map(|(at, weight)| weight * row(at)).sum::<f64>() * scale
            };
            [read(&self.nodes.re), read(&self.nodes.im)]
        });
        // Every point has met itself, at a weight of 1.
        Forces { on: on.collect(), total: pairs - places.len() as f64 }
    }

    /// Multiplies the points' spectrum by that of the forces, and returns the sum of all products with the weights' one.
    fn multiply(&mut self) -> f64 {
        let side = self.side;
        let nodes = self.nodes.re.par_chunks_mut(side).zip(self.nodes.im.par_chunks_mut(side));
        let force = self.force.re.par_chunks(side).zip(self.force.im.par_chunks(side));
        let sums: Vec<f64> = nodes
            .zip(force)
            .zip(self.weight.par_chunks(side))
            .map(|(((re, im), (force_re, force_im)), weight)| {
                let mut sum = 0.0;
                for at in 0..side {
                    let (a, b) = (re[at], im[at]);
                    sum += f64::from((a * a + b * b) * weight[at]);
                    re[at] = a * force_re[at] - b * force_im[at];
                    im[at] = a * force_im[at] + b * force_re[at];
                }
                sum
            })
            .collect();
        sums.iter().sum()
    }
}

/// Where a point is on the grid: the first of 4 x 4 nodes, and their shares of it.
struct Stencil {
    first: usize,
    x: [f64; 4],
    y: [f64; 4],
}

impl Stencil {
    /// At a place in units of nodes, at least one node from the edge.
    fn at(x: f64, y: f64, side: usize) -> Self {
        let (column, row) = (x.floor(), y.floor());
        let first = (row as usize - 1) * side + column as usize - 1;
        Self { first, x: spline(x - column), y: spline(y - row) }
    }
}

/// The cubic B-spline at the two nodes before and after a place `t` in 0..1 of the way between nodes.
fn spline(t: f64) -> [f64; 4] {
    let s = 1.0 - t;
    let near = |t: f64| (3.0 * t - 6.0) * t * t + 4.0;
    [s * s * s / 6.0, near(t) / 6.0, near(s) / 6.0, t * t * t / 6.0]
}

/// The cubic B-spline of a node at the node that is `d` away.
fn node_spline(d: f64) -> f64 {
    match d.abs() {
        d if d < 0.5 => 2.0 / 3.0,
        d if d < 1.5 => 1.0 / 6.0,
        _ => 0.0,
    }
}

/// The distance of a node from node 0 around a circle of `side` nodes.
fn signed(node: usize, side: usize) -> f64 {
    if node < side / 2 { node as f64 } else { node as f64 - side as f64 }
}
#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    /// `points` by chance in a square, and a heap in a corner of it.
    fn some(points: usize, extent: f64) -> Vec<[f64; 2]> {
        let mut random = ChaCha8Rng::seed_from_u64(7);
        (0..points)
            .map(|i| {
                let size = if i % 3 == 0 { 0.1 * extent } else { extent };
                [size * random.random::<f64>() - 3.0, size * random.random::<f64>() + 5.0]
            })
            .collect()
    }

    /// The root of the mean squared error of the forces, and the total's error, as shares.
    fn errors(points: usize, extent: f64) -> [f64; 2] {
        let places = some(points, extent);
        let (found, exact) = (Repulsion::new().on_grid(&places), all_pairs(&places));
        let squares = |on: &mut dyn Iterator<Item = [f64; 2]>| {
            on.map(|f| f[0] * f[0] + f[1] * f[1]).sum::<f64>()
        };
        let pairs = found.on.iter().zip(&exact.on);
        let wrong = squares(&mut pairs.map(|(a, b)| [a[0] - b[0], a[1] - b[1]]));
        let force = (wrong / squares(&mut exact.on.iter().copied())).sqrt();
        [force, (found.total / exact.total - 1.0).abs()]
    }

    #[test]
    fn forces_are_those_of_all_pairs() {
        // From all in one cell to a point or two in a unit of area.
        for (extent, most) in
            [(1e-4, 1e-4), (0.1, 1e-4), (4.0, 1e-4), (20.0, 0.01), (60.0, 0.05), (150.0, 0.12)]
        {
            let [force, total] = errors(900, extent);
            assert!(force < most && total < most, "{extent}: {force:e} and {total:e}");
        }
    }

    #[test]
    fn a_grid_that_points_outgrow_is_replaced() {
        let mut repulsion = Repulsion::new();
        for extent in [1.0, 1.1, 30.0, 2.0, 90.0] {
            let places = some(50, extent);
            let (found, exact) = (repulsion.on_grid(&places), all_pairs(&places));
            assert!((found.total / exact.total - 1.0).abs() < 0.02, "{extent}");
        }
    }

    #[test]
    fn points_in_one_place_feel_nothing() {
        let places = [[2.0, 3.0]; 5];
        for forces in [Repulsion::new().on_grid(&places), all_pairs(&places)] {
            assert!(forces.on.iter().flatten().all(|force| force.abs() < 1e-9));
            assert!((forces.total - 20.0).abs() < 1e-3, "{}", forces.total);
        }
    }

    #[test]
    fn forces_push_in_opposite_directions() {
        let places = [[0.0, 0.0], [1.0, 0.0]];
        for Forces { on, total } in [Repulsion::new().on_grid(&places), all_pairs(&places)] {
            assert!((on[0][0] + 0.25).abs() < 1e-3 && (on[1][0] - 0.25).abs() < 1e-3);
            assert!((total - 1.0).abs() < 1e-3);
        }
    }
}
