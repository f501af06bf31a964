//! What a search for copies finds.

/// Images that are copies of each other, maybe by way of a third.
#[derive(Debug, Clone, PartialEq)]
pub struct DuplicateGroup {
    /// At least two. First comes the best copy: that of the most pixels, or of those the one that takes the most bytes, or else the first of the set. The
    /// others follow by the same rule.
    pub members: Vec<Duplicate>,
}

/// An image of a group.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Duplicate {
    /// Its index in the set.
    pub index: usize,
    /// What it is to another of the group.
    pub relation: Relation,
}

/// What an image is to another of its group.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Relation {
    /// The best copy.
    Best,
    /// Its file holds the same bytes.
    SameBytes {
        /// The index of the other image.
        of: usize,
    },
    /// Its pixels are the same ones, and its file is another, or it lies in no file of its own.
    SamePixels {
        /// The index of the other image.
        of: usize,
    },
    /// It was resized, compressed, cropped or mirrored, or the other one was.
    Near {
        /// The index of the other image.
        of: usize,
        /// How the gradients of their brightness correlate, in 0.87..=1.
        likeness: f64,
        /// Whether one shows the other in a mirror.
        mirrored: bool,
    },
}
