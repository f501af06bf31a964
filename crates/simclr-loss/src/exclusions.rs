//! The pairs that the denominators leave out.

use std::ops::Range;

use crate::groups::groups;

/// For each anchor, the rows that its denominator leaves out. The anchor itself always does.
///
/// Rows with the same id form a group. Within its group an anchor keeps at most its partners, the other
/// views from its own place in the batch; the others of the group are not negatives.
#[derive(Debug, Clone)]
pub(crate) struct Exclusions {
    image_of: Vec<usize>,
    group_of: Vec<usize>,
    members: Vec<Vec<usize>>,
    partners: Partners,
}

/// Whether the other views of the anchor's image count in its denominator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Partners {
    /// As in NT-Xent.
    Stay,
    /// As in the decoupled loss.
    Leave,
}

impl Exclusions {
    /// For `views` views of images with ids: row `v * ids.len() + i` is a view of image i.
    ///
    /// Images with the same id are the same image, and not negatives of each other.
    pub(crate) fn of_images(ids: &[usize], views: usize, partners: Partners) -> Self {
        let (group_of_image, count) = groups(ids);
        let rows = views * ids.len();
        let image_of: Vec<usize> = (0..rows).map(|row| row % ids.len()).collect();
        let group_of: Vec<usize> = image_of.iter().map(|&image| group_of_image[image]).collect();
        let mut members = vec![Vec::new(); count];
        for (row, &group) in group_of.iter().enumerate() {
            members[group].push(row);
        }
        Self { image_of, group_of, members, partners }
    }

    /// For `views` views of `images` different images.
    pub(crate) fn of_distinct_images(images: usize, views: usize, partners: Partners) -> Self {
        Self::of_images(&(0..images).collect::<Vec<_>>(), views, partners)
    }

    /// The number of rows.
    pub(crate) fn rows(&self) -> usize {
        self.image_of.len()
    }

    /// The excluded (anchor, other) pairs with the anchor in `anchors` and the other in `others`.
    pub(crate) fn within(
        &self,
        anchors: Range<usize>,
        others: Range<usize>,
    ) -> impl Iterator<Item = (usize, usize)> {
        anchors.flat_map(move |anchor| {
            self.leaving(anchor, others.clone()).map(move |other| (anchor, other))
        })
    }

    fn leaving(&self, anchor: usize, among: Range<usize>) -> impl Iterator<Item = usize> {
        let members = &self.members[self.group_of[anchor]];
        let first = members.partition_point(|&row| row < among.start);
        members[first..].iter().copied().take_while(move |&row| row < among.end).filter(
            move |&row| {
                row == anchor
                    || self.partners == Partners::Leave
                    || self.image_of[row] != self.image_of[anchor]
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaving(exclusions: &Exclusions, anchor: usize) -> Vec<usize> {
        exclusions.leaving(anchor, 0..exclusions.rows()).collect()
    }

    #[test]
    fn of_distinct_images_only_the_anchor_leaves() {
        let exclusions = Exclusions::of_distinct_images(3, 2, Partners::Stay);
        for anchor in 0..6 {
            assert_eq!(leaving(&exclusions, anchor), [anchor]);
        }
    }

    #[test]
    fn decoupled_the_partner_leaves_too() {
        let exclusions = Exclusions::of_distinct_images(3, 2, Partners::Leave);
        assert_eq!(leaving(&exclusions, 1), [1, 4]);
        assert_eq!(leaving(&exclusions, 4), [1, 4]);
    }

    #[test]
    fn a_second_copy_of_the_image_leaves_and_the_partner_stays() {
        // Rows 0..3 are view a of images 7, 8, 7; rows 3..6 are view b.
        let exclusions = Exclusions::of_images(&[7, 8, 7], 2, Partners::Stay);
        assert_eq!(leaving(&exclusions, 0), [0, 2, 5]);
        assert_eq!(leaving(&exclusions, 4), [4]);
        assert_eq!(exclusions.within(0..1, 2..6).collect::<Vec<_>>(), [(0, 2), (0, 5)]);
    }
}
