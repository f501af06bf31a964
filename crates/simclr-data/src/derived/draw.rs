//! Which images stand for a whole set.

use std::collections::HashMap;

use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};

use crate::ImageDataset;

/// The indices, in ascending order, of `count` images of the set, or of all if there are fewer. The first of each class
/// come before a second of any; beyond that, each class has its share. Which images of a class they are is drawn, always
/// the same ones for a set, and those for a larger count are these and others.
pub(super) fn draw(images: &dyn ImageDataset, count: usize) -> Vec<usize> {
    if count >= images.len() {
        return (0..images.len()).collect();
    }
    let mut rng = ChaCha8Rng::from_seed(*b"simclr: which images stand for a");
    let mut classes: HashMap<Option<usize>, Vec<(u64, usize)>> = HashMap::new();
    for index in 0..images.len() {
        classes.entry(images.label(index)).or_default().push((rng.next_u64(), index));
    }
    let mut places = Vec::with_capacity(images.len());
    for mut class in classes.into_values() {
        class.sort_unstable();
        let size = class.len() as f64;
        // In place `i` of its class, an image is taken once the share of the images taken exceeds `i / size`.
        let place = |(rank, (drawn, index))| (rank as f64 / size, drawn, index);
        places.extend(class.into_iter().enumerate().map(place));
    }
    places.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)).then(a.2.cmp(&b.2)));
    let mut indices: Vec<usize> = places.into_iter().take(count).map(|(.., index)| index).collect();
    indices.sort_unstable();
    indices
}

#[cfg(test)]
mod tests {
    use image::RgbImage;

    use super::*;
    use crate::DataError;

    /// Images with these labels.
    struct Labels(Vec<Option<usize>>);

    impl ImageDataset for Labels {
        fn len(&self) -> usize {
            self.0.len()
        }
        fn image(&self, index: usize) -> Result<RgbImage, DataError> {
            Err(DataError::IndexOutOfRange { index, len: 0 })
        }
        fn label(&self, index: usize) -> Option<usize> {
            self.0[index]
        }
    }

    /// 700 images of class 0, then 290 of class 1, then 10 of class 2.
    fn long_tail() -> Labels {
        let label = |index| Some(usize::from(index >= 700) + usize::from(index >= 990));
        Labels((0..1000).map(label).collect())
    }

    #[test]
    fn every_class_has_its_share_and_at_least_one_image() {
        let labels = long_tail();
        for (count, expected) in
            [(3, [1, 1, 1]), (10, [7, 2, 1]), (100, [70, 29, 1]), (500, [350, 145, 5])]
        {
            let mut found = [0; 3];
            for index in draw(&labels, count) {
                found[labels.0[index].unwrap()] += 1;
            }
            assert_eq!(found.iter().sum::<usize>(), count);
            for (found, expected) in found.iter().zip(expected) {
                assert!(found.abs_diff(expected) <= 1, "{count}: {found} of {expected}");
            }
            assert!(found.iter().all(|&found| found > 0), "{count}: {found:?}");
        }
    }

    #[test]
    fn the_images_are_from_all_over_the_set_in_its_order_and_among_those_of_a_larger_draw() {
        let labels = Labels(vec![None; 1000]);
        let (few, more) = (draw(&labels, 50), draw(&labels, 60));
        assert!(few.is_sorted() && few.iter().all(|index| more.contains(index)));
        let mean = few.iter().sum::<usize>() / 50;
        assert!((400..600).contains(&mean), "{mean}");
        assert_eq!(few, draw(&labels, 50));
    }

    #[test]
    fn a_draw_of_more_than_there_are_is_the_whole_set() {
        assert_eq!(draw(&Labels(vec![None, Some(1)]), 9), [0, 1]);
        assert_eq!(draw(&long_tail(), 1000), (0..1000).collect::<Vec<_>>());
    }
}
