//! What an encoder looks at when it finds two images alike.

mod digits;
mod explanation;
mod heat;
mod picture;

pub use self::explanation::{Explanation, Reason, SimilarityMap};
