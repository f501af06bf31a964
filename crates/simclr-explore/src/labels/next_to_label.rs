//! The images whose labels would teach most.

use simclr_embed::Features;

use super::guesses::Guesses;

/// Labels for each class, on average, from which on undecided images come first; before, typical ones do.
const ENOUGH: usize = 10;
/// Undecided images that are looked at for each that is chosen.
const LOOKED_AT: usize = 20;
/// Cosine of two images, without the mean of all, from which on the second one would teach what the first one does.
const SAME: f64 = 0.8;

/// What is known of the images that are labelled and of those that may be.
pub(super) struct Candidates<'a> {
    /// Unit vectors.
    pub(super) features: &'a Features,
    /// Whether an image needs no label: it has one, or is set aside.
    pub(super) done: &'a dyn Fn(usize) -> bool,
    /// How many have one.
    pub(super) labels: usize,
    /// Of how many classes.
    pub(super) classes: usize,
    /// Typical images, in the order to label them.
    pub(super) typical: &'a [usize],
    /// What the classifier makes of each.
    pub(super) guesses: Option<&'a Guesses>,
}

impl Candidates<'_> {
    /// `count` images to label, the most useful first.
    pub(super) fn choose(&self, count: usize) -> Vec<usize> {
        match self.guesses {
            Some(guesses) if self.labels >= ENOUGH * self.classes => self.undecided(guesses, count),
            _ => {
                let typical = self.typical.iter().copied().filter(|&row| !(self.done)(row));
                let mut chosen: Vec<usize> = typical.take(count).collect();
                if let Some(guesses) = self.guesses
                    && chosen.len() < count
                {
                    let more = self.undecided(guesses, 2 * count);
                    chosen.extend(more.into_iter().filter(|row| !self.typical.contains(row)));
                    chosen.truncate(count);
                }
                chosen
            }
        }
    }

    /// Those of the smallest margins that are not like each other.
    fn undecided(&self, guesses: &Guesses, count: usize) -> Vec<usize> {
        let mut rows: Vec<usize> =
            (0..self.features.len()).filter(|&row| !(self.done)(row)).collect();
        let by_margin = |a: &usize, b: &usize| {
            guesses.margins[*a].total_cmp(&guesses.margins[*b]).then(a.cmp(b))
        };
        let looked_at = count.saturating_mul(LOOKED_AT);
        if rows.len() > looked_at {
            rows.select_nth_unstable_by(looked_at, by_margin);
            rows.truncate(looked_at);
        }
        rows.sort_unstable_by(by_margin);
        let mut chosen: Vec<usize> = Vec::new();
        for &row in &rows {
            if chosen.len() == count {
                break;
            }
            if chosen.iter().all(|&other| self.cosine(row, other) < SAME) {
                chosen.push(row);
            }
        }
        // Too few differ: the next ones by their margin.
        for row in rows {
            if chosen.len() == count {
                break;
            }
            if !chosen.contains(&row) {
                chosen.push(row);
            }
        }
        chosen
    }

    fn cosine(&self, a: usize, b: usize) -> f64 {
        let pairs = self.features.row(a).iter().zip(self.features.row(b));
        pairs.map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
    }
}
