//! The pairs that the denominators leave out.

#[cfg(any(test, feature = "flex"))]
use std::ops::Range;

use crate::groups::groups;

/// For each anchor, the rows that its denominator leaves out. The anchor itself always does.
///
/// Row `v * images + i` is view v of image i. Images with the same id form a group. Within its group an anchor keeps at
/// most its partners, the other views from its own place in the batch; the others of the group are not negatives.
#[derive(Debug, Clone)]
pub(crate) struct Exclusions {
    images: usize,
    views: usize,
    /// `None` if every image is a group of its own.
    groups: Option<Groups>,
    partners: Partners,
}

#[derive(Debug, Clone)]
struct Groups {
    of_images: Vec<usize>,
    /// The images of each group, in ascending order.
    #[cfg(any(test, feature = "flex"))]
    members: Vec<Vec<usize>>,
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
        let distinct = Self::of_distinct_images(ids.len(), views, partners);
        let (of_images, count) = groups(ids);
        if count == ids.len() {
            return distinct;
        }
        #[cfg(any(test, feature = "flex"))]
        let members = members(&of_images, count);
        let groups = Groups {
            of_images,
            #[cfg(any(test, feature = "flex"))]
            members,
        };
        Self { groups: Some(groups), ..distinct }
    }

    /// For `views` views of `images` different images.
    pub(crate) fn of_distinct_images(images: usize, views: usize, partners: Partners) -> Self {
        Self { images, views, groups: None, partners }
    }

    /// The number of rows.
    pub(crate) fn rows(&self) -> usize {
        self.images * self.views
    }

    /// The number of images, each with one row in every view.
    pub(crate) fn images(&self) -> usize {
        self.images
    }

    /// The group of each image, unless every image is a group of its own.
    pub(crate) fn groups(&self) -> Option<&[usize]> {
        self.groups.as_ref().map(|groups| &groups.of_images[..])
    }

    pub(crate) fn partners(&self) -> Partners {
        self.partners
    }

    /// The excluded (anchor, other) pairs with the anchor in `anchors` and the other in `others`.
    #[cfg(any(test, feature = "flex"))]
    pub(crate) fn within(
        &self,
        anchors: Range<usize>,
        others: Range<usize>,
    ) -> impl Iterator<Item = (usize, usize)> {
        anchors.flat_map(move |anchor| {
            self.leaving(anchor, others.clone()).map(move |other| (anchor, other))
        })
    }

    #[cfg(any(test, feature = "flex"))]
    fn leaving(&self, anchor: usize, among: Range<usize>) -> impl Iterator<Item = usize> {
        let own = anchor % self.images;
        let (alone, members) = match &self.groups {
            None => (Some(own), &[][..]),
            Some(groups) => (None, &groups.members[groups.of_images[own]][..]),
        };
        (0..self.views).flat_map(move |view| {
            // The places of the range in this view.
            let start = view * self.images;
            let from = among.start.saturating_sub(start);
            let to = among.end.saturating_sub(start);
            let first = members.partition_point(|&image| image < from);
            let members = members[first..].iter().copied().take_while(move |&image| image < to);
            let alone = alone.filter(move |image| (from..to).contains(image));
            members.chain(alone).map(move |image| start + image).filter(move |&row| {
                row == anchor || self.partners == Partners::Leave || row != start + own
            })
        })
    }
}

/// The images of each of `count` groups.
#[cfg(any(test, feature = "flex"))]
fn members(of_images: &[usize], count: usize) -> Vec<Vec<usize>> {
    let mut members = vec![Vec::new(); count];
    for (image, &group) in of_images.iter().enumerate() {
        members[group].push(image);
    }
    members
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
