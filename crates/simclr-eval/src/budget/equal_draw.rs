//! A bounded draw of labelled images, equal for all classes.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

/// Draws the rows of at most `images` labels, ascending, as many of each class as of any other. A class that has fewer
/// gives all, and the others share what it leaves. Where that cannot be equal to the last image, chance decides which
/// classes give one more; with fewer images than classes, which classes give one.
///
/// The seed decides, and nothing else: not the number of threads, nor what was drawn before.
///
/// ```
/// use simclr_eval::draw_equally;
///
/// let labels = [0, 0, 0, 0, 1, 0, 0, 2, 2, 2];
/// let rows = draw_equally(&labels, 7, 1);
/// let of_class = |class| rows.iter().filter(|&&row| labels[row] == class).count();
/// assert_eq!([0, 1, 2].map(of_class), [3, 1, 3]);
/// assert_eq!(draw_equally(&labels, 100, 1).len(), 10);
/// ```
#[must_use]
pub fn draw_equally(labels: &[usize], images: usize, seed: u64) -> Vec<usize> {
    if labels.len() <= images {
        return (0..labels.len()).collect();
    }
    let classes = labels.iter().max().map_or(0, |&label| label + 1);
    let mut members = vec![Vec::new(); classes];
    for (row, &label) in labels.iter().enumerate() {
        members[label].push(row);
    }
    let sizes: Vec<usize> = members.iter().map(Vec::len).collect();
    let level = level(&sizes, images);
    let mut left = images - filled(&sizes, level);

    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut order: Vec<usize> = (0..classes).collect();
    order.shuffle(&mut random);
    let mut drawn = Vec::with_capacity(images);
    for class in order {
        let rows = &mut members[class];
        let gives_more = left > 0 && rows.len() > level;
        left -= usize::from(gives_more);
        let wanted = (level + usize::from(gives_more)).min(rows.len());
        drawn.extend_from_slice(rows.partial_shuffle(&mut random, wanted).0);
    }
    drawn.sort_unstable();
    drawn
}

/// Images of all classes, if each gives `level` or all that it has.
fn filled(sizes: &[usize], level: usize) -> usize {
    sizes.iter().map(|&size| size.min(level)).sum()
}

/// The most images of each class of which no more than `images` are in all.
fn level(sizes: &[usize], images: usize) -> usize {
    let (mut low, mut high) = (0, images);
    while low < high {
        let middle = low + (high - low).div_ceil(2);
        if filled(sizes, middle) <= images {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn classes_are_equal_but_for_one_image_unless_they_have_no_more(
            labels in prop::collection::vec(0_usize..6, 1..120),
            images in 1_usize..90,
            seed in any::<u64>(),
        ) {
            let drawn = draw_equally(&labels, images, seed);
            prop_assert!(drawn.windows(2).all(|pair| pair[0] < pair[1]));
            prop_assert_eq!(drawn.len(), images.min(labels.len()));
            let count = |rows: &[usize], class| rows.iter().filter(|&&row| labels[row] == class).count();
            let all: Vec<usize> = (0..labels.len()).collect();
            let most = (0..6).map(|class| count(&drawn, class)).max().unwrap();
            for class in 0..6 {
                let (found, size) = (count(&drawn, class), count(&all, class));
                prop_assert!(found == size || found + 1 >= most, "class {}: {} of {}, most {}", class, found, size, most);
            }
        }
    }

    #[test]
    fn the_seed_decides() {
        let labels: Vec<usize> = (0..1000).map(|row| row % 7).collect();
        assert_eq!(draw_equally(&labels, 70, 3), draw_equally(&labels, 70, 3));
        assert_ne!(draw_equally(&labels, 70, 3), draw_equally(&labels, 70, 4));
    }

    #[test]
    fn fewer_images_than_classes_are_of_different_classes() {
        let labels: Vec<usize> = (0..100).map(|row| row / 2).collect();
        let drawn = draw_equally(&labels, 20, 0);
        assert!(drawn.windows(2).all(|pair| labels[pair[0]] < labels[pair[1]]), "{drawn:?}");
        assert!(drawn.last() > Some(&60), "not only the first classes: {drawn:?}");
    }
}
