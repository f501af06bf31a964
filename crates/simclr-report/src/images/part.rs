//! How much of a set a figure is measured on.

use crate::numbers::{counted, grouped};

/// Images that were looked at, out of a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) images: usize,
    /// Images that could not be read, and are not among `images`.
    pub(crate) skipped: usize,
    /// Images in the set.
    pub(crate) of: usize,
}

impl Part {
    /// Whether every image of the set was tried.
    pub(crate) fn is_whole(self) -> bool {
        self.images + self.skipped == self.of
    }

    /// `all 500 test images`, or `200 of 500 test images`.
    pub(crate) fn in_words(self, noun: &str) -> String {
        let all = counted(self.of, noun);
        if self.images == self.of {
            format!("all {all}")
        } else {
            format!("{} of {all}", grouped(&self.images.to_string()))
        }
    }
}

/// The images that a classifier of features was measured with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LabelledParts {
    pub(crate) train: Part,
    pub(crate) test: Part,
}

impl LabelledParts {
    pub(crate) fn are_whole(self) -> bool {
        self.train.is_whole() && self.test.is_whole()
    }

    pub(crate) fn in_words(self) -> String {
        let [test, train] =
            [self.test.in_words("test image"), self.train.in_words("training image")];
        format!("{test}, by {train}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_says_of_how_many_images_it_is() {
        let train = Part { images: 2000, skipped: 0, of: 5000 };
        let parts = LabelledParts { train, test: Part { images: 300, skipped: 0, of: 300 } };
        assert_eq!(parts.in_words(), "all 300 test images, by 2,000 of 5,000 training images");
        assert!(!parts.are_whole());
    }

    #[test]
    fn images_that_cannot_be_read_are_not_counted_but_were_tried() {
        let part = Part { images: 299, skipped: 1, of: 300 };
        assert!(part.is_whole());
        assert_eq!(part.in_words("image"), "299 of 300 images");
    }
}
