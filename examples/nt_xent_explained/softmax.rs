//! The guess of one anchor: its softmax over all other views.

use simclr::loss::Explanation;

/// One of the views that an anchor chooses among.
#[derive(Clone, Copy)]
pub(crate) struct Candidate {
    pub(crate) view: usize,
    /// Its cosine with the anchor.
    pub(crate) cosine: f64,
    /// Its share p of the guess: the softmax of the similarities.
    pub(crate) share: f64,
    pub(crate) is_partner: bool,
}

/// The candidates of an anchor, the nearest first.
pub(crate) struct Guess {
    pub(crate) candidates: Vec<Candidate>,
}

impl Guess {
    /// The guess of the view `anchor` at temperature `t`.
    pub(crate) fn new(explained: &Explanation, anchor: usize, t: f64) -> Self {
        let (cosines, partner) = (&explained.cosines[anchor], explained.anchors[anchor].partner);
        let others = || (0..cosines.len()).filter(|&k| k != anchor);
        let largest = others().map(|k| cosines[k]).fold(f64::NEG_INFINITY, f64::max);
        let weight = |k: usize| ((cosines[k] - largest) / t).exp();
        let sum: f64 = others().map(weight).sum();
        let candidate = |k: usize| Candidate {
            view: k,
            cosine: cosines[k],
            share: weight(k) / sum,
            is_partner: k == partner,
        };
        let mut candidates: Vec<Candidate> = others().map(candidate).collect();
        candidates.sort_by(|a, b| b.cosine.total_cmp(&a.cosine));
        Self { candidates }
    }

    /// The partner.
    pub(crate) fn partner(&self) -> Candidate {
        *self.candidates.iter().find(|candidate| candidate.is_partner).expect("an anchor has one")
    }

    /// What each negative gets of the gradient that pushes the negatives away, the nearest first: `p_k / (1 - p_j)`
    /// (Wang and Liu 2021 call it the relative penalty). They add up to one.
    pub(crate) fn pushes(&self) -> Vec<f64> {
        let negatives = || self.candidates.iter().filter(|candidate| !candidate.is_partner);
        let sum: f64 = negatives().map(|negative| negative.share).sum();
        // Where the partner has the whole guess, to the last digit, nothing is pushed.
        negatives().map(|negative| if sum > 0.0 { negative.share / sum } else { 0.0 }).collect()
    }

    /// The number of negatives that the push is spread over: its perplexity, from 1 to all of them.
    pub(crate) fn negatives_that_count(&self) -> f64 {
        let entropy = |p: &f64| if *p > 0.0 { -p * p.ln() } else { 0.0 };
        self.pushes().iter().map(entropy).sum::<f64>().exp()
    }
}
