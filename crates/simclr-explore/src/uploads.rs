//! Images that were dropped on the page, to search by.

use std::collections::VecDeque;

/// Those that are remembered.
const MOST: usize = 32;

/// The vectors of the last images that were dropped.
#[derive(Default)]
pub(crate) struct Uploads {
    next: u64,
    kept: VecDeque<(u64, Vec<f32>)>,
}

impl Uploads {
    /// Remembers a unit vector, and gives it a number.
    pub(crate) fn add(&mut self, vector: Vec<f32>) -> u64 {
        let number = self.next;
        self.next += 1;
        if self.kept.len() == MOST {
            self.kept.pop_front();
        }
        self.kept.push_back((number, vector));
        number
    }

    pub(crate) fn get(&self, number: u64) -> Option<&[f32]> {
        self.kept.iter().find(|kept| kept.0 == number).map(|kept| &kept.1[..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_ones_are_remembered() {
        let mut uploads = Uploads::default();
        for number in 0..40 {
            assert_eq!(uploads.add(vec![number as f32]), number);
        }
        assert_eq!(uploads.get(7), None);
        assert_eq!(uploads.get(8), Some(&[8.0][..]));
    }
}
