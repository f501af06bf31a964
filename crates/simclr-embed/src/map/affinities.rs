//! Which points attract each other, and how much.

use rayon::prelude::*;

use crate::search::NeighbourGraph;

/// The joint probabilities p of t-SNE between the neighbours of a graph:
///
/// ```text
/// p(j | i) = 1/k if j is one of the k nearest neighbours of i, else 0
/// p_ij = (p(j | i) + p(i | j)) / 2n
/// ```
#[derive(Debug)]
pub(super) struct Affinities {
    /// Where each point's others begin, and at last where the last one's end: `[n + 1]`.
    starts: Vec<usize>,
    /// For each point the others of which it is a neighbour or which are neighbours of it, by ascending rows; those that
    /// are both are there twice.
    others: Vec<u32>,
    /// p of one entry: `1 / 2nk`.
    share: f64,
}

impl Affinities {
    /// Between the vectors of `graph`, at least two, by the first `k` neighbours of each, at least one.
    pub(super) fn new(graph: &NeighbourGraph, k: usize) -> Self {
        let points = graph.len();
        let near = |i: usize| graph.of(i)[..k].iter().map(|near| near.row as usize);
        let mut starts = vec![0; points + 1];
        for i in 0..points {
            starts[i + 1] += k;
            near(i).for_each(|j| starts[j + 1] += 1);
        }
        for i in 0..points {
            starts[i + 1] += starts[i];
        }
        let mut next = starts.clone();
        let mut others = vec![0; starts[points]];
        let mut add = |to: usize, other: usize| {
            others[next[to]] = other as u32;
            next[to] += 1;
        };
        for i in 0..points {
            for j in near(i) {
                add(i, j);
                add(j, i);
            }
        }
        let mut rest = &mut others[..];
        let rows: Vec<&mut [u32]> = starts
            .array_windows()
            .map(|[start, end]| rest.split_off_mut(..end - start).unwrap_or_default())
            .collect();
        rows.into_par_iter().for_each(<[u32]>::sort_unstable);
        Self { starts, others, share: 1.0 / (2 * points * k) as f64 }
    }

    /// Number of points n.
    pub(super) fn points(&self) -> usize {
        self.starts.len() - 1
    }

    /// What pulls point `i` away: `sum_j p_ij w_ij (y_i - y_j)` with `w_ij = 1 / (1 + |y_i - y_j|²)`.
    pub(super) fn pull(&self, i: usize, places: &[[f64; 2]]) -> [f64; 2] {
        let [x, y] = places[i];
        let mut force = [0.0; 2];
        for &j in &self.others[self.starts[i]..self.starts[i + 1]] {
            let [other_x, other_y] = places[j as usize];
            let (dx, dy) = (x - other_x, y - other_y);
            let w = 1.0 / (1.0 + dx * dx + dy * dy);
            force[0] += w * dx;
            force[1] += w * dy;
        }
        force.map(|force| self.share * force)
    }
}

#[cfg(test)]
impl Affinities {
    /// `p_ij` for all j.
    pub(super) fn dense(&self, i: usize) -> Vec<f64> {
        let mut row = vec![0.0; self.points()];
        for &j in &self.others[self.starts[i]..self.starts[i + 1]] {
            row[j as usize] += self.share;
        }
        row
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::Features;
    use burn::tensor::Device;

    #[test]
    fn affinities_are_a_symmetric_distribution_over_the_neighbours() {
        let angle = |i: usize| (i * i) as f32 / 40.0;
        let values = (0..9).flat_map(|i| [angle(i).cos(), angle(i).sin()]).collect();
        let graph = NeighbourGraph::new(&Features::new(values, 2), 5, 0, &Device::flex()).unwrap();
        let affinities = Affinities::new(&graph, 3);
        let p: Vec<Vec<f64>> = (0..9).map(|i| affinities.dense(i)).collect();
        assert!((p.iter().flatten().sum::<f64>() - 1.0).abs() < 1e-12);
        let near = |i: usize, j: usize| graph.of(i)[..3].iter().any(|near| near.row as usize == j);
        for (i, row) in p.iter().enumerate() {
            for (j, p) in row.iter().enumerate() {
                let expected = f64::from(u8::from(near(i, j)) + u8::from(near(j, i))) / 54.0;
                assert!((p - expected).abs() < 1e-15, "{i} and {j}");
            }
        }
    }
}
