//! An approximate graph of nearest neighbours: neighbours of neighbours are likely to be neighbours.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::nearest::Neighbour;
use crate::vectors::{Features, dot, unit};

/// Neighbours that are kept while searching, beyond which there are k.
const LEAST_KEPT: usize = 24;
/// The most vectors, of those that have a vector as a neighbour, that are asked for their neighbours.
const MOST_REVERSE: usize = 24;
/// The most rounds, and the share of neighbours whose exchange in a round is too little for another.
const ROUNDS: usize = 20;
const SETTLED: f64 = 0.002;
/// Vectors that a thread takes at a time: marks of all vectors are made for each.
const AT_A_TIME: usize = 1024;

/// A neighbour so far. It is fresh if no round has compared its neighbours yet.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    cosine: f32,
    row: u32,
    fresh: bool,
}

/// An edge of the graph, seen from either end.
#[derive(Debug, Clone, Copy)]
struct Edge {
    row: u32,
    fresh: bool,
}

/// The `k` nearest others of each vector, the nearest first, `[len, k]`: of most vectors, for k below the number of vectors.
///
/// It begins with neighbours by chance. In each round, each vector is compared with the neighbours of its neighbours, in both directions of the
/// graph, as far as an edge on the way is new (Dong, Moses and Li 2011, sections 2.1 to 2.3). All vectors see the graph of the round before, so that
/// the order of their work changes nothing.
pub(super) fn nn_descent(features: &Features, k: usize, seed: u64) -> Vec<Neighbour> {
    let len = features.len();
    let kept = k.max(LEAST_KEPT).min(len - 1);
    let vectors: Vec<f32> = features.rows().flat_map(|row| unit(row).map(|x| x as f32)).collect();
    let vectors = Vectors { values: &vectors, size: features.size() };
    let mut graph: Vec<Vec<Candidate>> =
        (0..len).into_par_iter().map(|row| by_chance(&vectors, row, len, kept, seed)).collect();
    for _ in 0..ROUNDS {
        let edges = both_ways(&graph);
        graph.iter_mut().flatten().for_each(|near| near.fresh = false);
        let exchanged: usize = graph
            .par_chunks_mut(AT_A_TIME)
            .enumerate()
            .map(|(chunk, lists)| {
                let mut seen = vec![u32::MAX; len];
                let rows = (chunk * AT_A_TIME..).zip(lists);
                rows.map(|(row, list)| improve(&vectors, row, list, &edges, &mut seen))
                    .sum::<usize>()
            })
            .sum();
        if (exchanged as f64) < SETTLED * (len * kept) as f64 {
            break;
        }
    }
    let nearest = |list: Vec<Candidate>| {
        list.into_iter().take(k).map(|near| Neighbour { cosine: near.cosine, row: near.row })
    };
    graph.into_iter().flat_map(nearest).collect()
}

/// Vectors of length 1, one after the other.
struct Vectors<'a> {
    values: &'a [f32],
    size: usize,
}

impl Vectors<'_> {
    fn row(&self, row: usize) -> &[f32] {
        &self.values[row * self.size..][..self.size]
    }

    fn cosine(&self, a: usize, b: usize) -> f32 {
        dot(self.row(a), self.row(b))
    }
}

/// Different others by chance, the nearest first.
fn by_chance(vectors: &Vectors, row: usize, len: usize, kept: usize, seed: u64) -> Vec<Candidate> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(row as u64);
    let mut list: Vec<Candidate> = Vec::with_capacity(kept);
    while list.len() < kept {
        let other = random.random_range(0..len);
        if other != row && list.iter().all(|near| near.row as usize != other) {
            let cosine = vectors.cosine(row, other);
            list.push(Candidate { cosine, row: other as u32, fresh: true });
        }
    }
    list.sort_by(nearer);
    list
}

fn nearer(a: &Candidate, b: &Candidate) -> std::cmp::Ordering {
    b.cosine.total_cmp(&a.cosine).then(a.row.cmp(&b.row))
}

/// For each vector its neighbours, and the nearest of those whose neighbour it is.
fn both_ways(graph: &[Vec<Candidate>]) -> Vec<Vec<Edge>> {
    let mut reverse: Vec<Vec<Candidate>> = vec![Vec::new(); graph.len()];
    for (row, list) in graph.iter().enumerate() {
        for near in list {
            reverse[near.row as usize].push(Candidate { row: row as u32, ..*near });
        }
    }
    let edges = graph.par_iter().zip(reverse).map(|(list, mut reverse)| {
        reverse.sort_by(nearer);
        reverse.truncate(MOST_REVERSE);
        list.iter().chain(&reverse).map(|near| Edge { row: near.row, fresh: near.fresh }).collect()
    });
    edges.collect()
}

/// Compares a vector with the neighbours of its neighbours, keeps the nearest, and says how many are new. `seen` has the last row
/// that each vector was compared with.
fn improve(
    vectors: &Vectors,
    row: usize,
    list: &mut Vec<Candidate>,
    edges: &[Vec<Edge>],
    seen: &mut [u32],
) -> usize {
    let kept = list.len();
    let mark = row as u32;
    seen[row] = mark;
    for near in list.iter() {
        seen[near.row as usize] = mark;
    }
    let farthest = list.last().map_or(f32::NEG_INFINITY, |last| last.cosine);
    for near in &edges[row] {
        // Also those whose neighbour it is.
        let next = edges[near.row as usize].iter().map(|next| (next.row, next.fresh || near.fresh));
        for (other, fresh) in next.chain([(near.row, near.fresh)]) {
            if !fresh || seen[other as usize] == mark {
                continue;
            }
            seen[other as usize] = mark;
            let cosine = vectors.cosine(row, other as usize);
            if cosine > farthest {
                list.push(Candidate { cosine, row: other, fresh: true });
            }
        }
    }
    list.sort_by(nearer);
    list.truncate(kept);
    list.iter().filter(|near| near.fresh).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::CosineIndex;
    use burn::tensor::Device;

    /// Points around 40 centres, in 24 dimensions.
    fn clusters(len: usize) -> Features {
        let size = 24;
        let mut random = ChaCha8Rng::seed_from_u64(5);
        let mut normal = move || (0..12).map(|_| random.random::<f32>()).sum::<f32>() - 6.0;
        let centres: Vec<f32> = (0..40 * size).map(|_| normal()).collect();
        let value = |at: usize| centres[at / size % 40 * size + at % size] + 0.7 * normal();
        Features::new((0..len * size).map(value).collect(), size)
    }

    #[test]
    fn nearly_all_neighbours_are_found() {
        let (features, k) = (clusters(4000), 10);
        let found = nn_descent(&features, k, 3);
        let exact = CosineIndex::new(&features, &Device::flex()).unwrap();
        let exact = exact.nearest(&features, k + 1).unwrap();
        let hits: usize = found
            .chunks_exact(k)
            .zip(&exact)
            .map(|(found, exact)| {
                found.iter().filter(|near| exact.iter().any(|other| other.row == near.row)).count()
            })
            .sum();
        let recall = hits as f64 / found.len() as f64;
        assert!(recall > 0.97, "recall {recall}");
        for (row, list) in found.chunks_exact(k).enumerate() {
            assert!(list.is_sorted_by(|a, b| a.cosine >= b.cosine));
            let mut rows: Vec<u32> = list.iter().map(|near| near.row).collect();
            rows.sort_unstable();
            rows.dedup();
            assert!(rows.len() == k && !rows.contains(&(row as u32)));
        }
    }

    #[test]
    fn a_seed_gives_one_graph_on_any_number_of_threads() {
        let features = clusters(1500);
        let on = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| nn_descent(&features, 5, 9))
        };
        let one = on(1);
        assert!(one == on(4) && one == on(7));
    }
}
