//! The k largest of many cosines, as they come.

/// Similarities that are compared with the threshold at once.
const LANE: usize = 32;

/// Candidates beyond k that are collected before the farthest are dropped.
const SLACK: usize = 256;

/// A vector of an index, and how alike it and a query are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Neighbour {
    /// The cosine of the two feature vectors, in -1..=1 but for rounding.
    pub cosine: f32,
    /// The row in the index, from 0.
    pub row: u32,
}

/// The nearest rows so far: at least k of them, and all that may still be among the k nearest.
pub(super) struct Nearest {
    k: usize,
    candidates: Vec<Neighbour>,
    /// Rows that are not nearer than this can't be among the nearest: k earlier ones are as near.
    threshold: f32,
}

impl Nearest {
    /// Looks for the `k` nearest, at least one.
    pub(super) fn new(k: usize) -> Self {
        Self { k, candidates: Vec::new(), threshold: f32::NEG_INFINITY }
    }

    /// Looks at the cosines of the rows from `first` on.
    pub(super) fn offer(&mut self, cosines: &[f32], first: u32) {
        for (lane, first) in cosines.chunks(LANE).zip((first..).step_by(LANE)) {
            // Most lanes hold nothing near. A maximum needs no branch for each value.
            let nearest = lane.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            if nearest > self.threshold {
                let near = lane.iter().zip(first..).filter(|(cosine, _)| **cosine > self.threshold);
                self.candidates.extend(near.map(|(&cosine, row)| Neighbour { cosine, row }));
                if self.candidates.len() >= self.k.saturating_add(SLACK.max(self.k)) {
                    self.drop_the_farthest();
                }
            }
        }
    }

    fn drop_the_farthest(&mut self) {
        let nearer =
            |a: &Neighbour, b: &Neighbour| b.cosine.total_cmp(&a.cosine).then(a.row.cmp(&b.row));
        let (_, last, _) = self.candidates.select_nth_unstable_by(self.k - 1, nearer);
        self.threshold = last.cosine;
        self.candidates.truncate(self.k);
    }

    /// The `k` nearest in the order of their rows; all if there are fewer.
    pub(super) fn finish(mut self) -> Vec<Neighbour> {
        if self.candidates.len() > self.k {
            self.drop_the_farthest();
        }
        self.candidates.sort_unstable_by_key(|neighbour| neighbour.row);
        self.candidates
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_candidates_end_as_the_first_k_of_a_stable_sort(
            // Few distinct values: ties everywhere.
            cosines in prop::collection::vec(0_u8..20, 1..3000),
            k in 1_usize..400,
            cut in 1_usize..1000,
        ) {
            let cosines: Vec<f32> = cosines.into_iter().map(|c| f32::from(c) / 20.0 - 0.5).collect();
            let mut nearest = Nearest::new(k);
            for (start, part) in (0..).step_by(cut).zip(cosines.chunks(cut)) {
                nearest.offer(part, start);
            }
            let found: Vec<usize> = nearest.finish().iter().map(|n| n.row as usize).collect();

            let mut expected: Vec<usize> = (0..cosines.len()).collect();
            expected.sort_by(|&a, &b| cosines[b].total_cmp(&cosines[a]));
            expected.truncate(k);
            expected.sort_unstable();
            prop_assert_eq!(found, expected);
        }
    }
}
