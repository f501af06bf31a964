//! Which values an activation let pass.

#[cfg(feature = "flex")]
use burn::backend::tensor::FloatTensor;
#[cfg(feature = "cube")]
use burn::backend::tensor::IntTensor;
use burn::backend::{Backend, ExtensionType};

/// How the backward pass of a normalisation finds the values that its activation let pass.
#[derive(Clone, Debug, ExtensionType)]
#[extension_type(fusion: cfg(feature = "fusion"))]
pub(crate) enum Passed<B: Backend> {
    /// It computes them again, from the normalised input, if there was an activation.
    Recomputed,
    /// They are positive in this output, which a residual was added to.
    #[cfg(feature = "flex")]
    PositiveOutput(FloatTensor<B>),
    /// Their bits are set in these words, `[pixels / rows_of_word, channels / channels_together]`, u32.
    #[cfg(feature = "cube")]
    Bits(IntTensor<B>),
}

/// The bits of a word.
#[cfg(feature = "cube")]
const BITS: usize = u32::BITS as usize;

/// So many channels are one vector for a kernel.
#[cfg(feature = "cube")]
pub(crate) fn channels_together(channels: usize) -> usize {
    [4, 2, 1].into_iter().find(|&vector| channels.is_multiple_of(vector)).unwrap_or(1)
}

/// So many consecutive pixels of [`channels_together`] share a word. Their bits follow each other, the first pixel's
/// lowest.
#[cfg(feature = "cube")]
pub(crate) fn rows_of_word(channels: usize) -> usize {
    BITS / channels_together(channels)
}

/// The shape of the words for so many pixels.
#[cfg(feature = "cube")]
pub(crate) fn shape_of_words(pixels: usize, channels: usize) -> [usize; 2] {
    [pixels.div_ceil(rows_of_word(channels)), channels / channels_together(channels)]
}
