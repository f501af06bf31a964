//! Vectors packed into one.

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, ExtensionType, backend_extension};
use burn::tensor::Tensor;

use super::optional::OptionalTensor;

/// Vectors that one launch packs: with the output they are 8 buffers, which every device lets a kernel have.
pub(crate) const MOST_VECTORS: usize = 7;

/// Up to [`MOST_VECTORS`] vectors; those that are there come first.
#[derive(Clone, Debug, ExtensionType)]
#[extension_type(fusion: cfg(feature = "fusion"))]
pub(crate) struct Vectors<B: Backend> {
    first: FloatTensor<B>,
    #[extension_type]
    second: OptionalTensor<B>,
    #[extension_type]
    third: OptionalTensor<B>,
    #[extension_type]
    fourth: OptionalTensor<B>,
    #[extension_type]
    fifth: OptionalTensor<B>,
    #[extension_type]
    sixth: OptionalTensor<B>,
    #[extension_type]
    seventh: OptionalTensor<B>,
}

impl<B: Backend> Vectors<B> {
    /// The first vector, and those after it.
    pub(crate) fn into_parts(self) -> (FloatTensor<B>, [Option<FloatTensor<B>>; 6]) {
        let others = [self.second, self.third, self.fourth, self.fifth, self.sixth, self.seventh];
        (self.first, others.map(OptionalTensor::into_option))
    }
}

/// Packs 1 to [`MOST_VECTORS`] vectors of one type, each from a multiple of `alignment` on, with zeros between.
pub(crate) fn pack(vectors: Vec<Tensor<1>>, alignment: usize) -> Tensor<1> {
    let mut vectors = vectors.into_iter().map(Tensor::into_dispatch);
    let first = vectors.next().expect("there is a vector to pack");
    let mut other = || OptionalTensor::from(vectors.next());
    let vectors = Vectors {
        first,
        second: other(),
        third: other(),
        fourth: other(),
        fifth: other(),
        sixth: other(),
        seventh: other(),
    };
    Tensor::from_dispatch(<Dispatch as PackBackend>::pack(vectors, alignment))
}

#[backend_extension(Cube: cfg(feature = "cube"), Fusion: cfg(feature = "fusion"))]
pub(crate) trait PackBackend: Backend {
    /// The vectors after each other, each from a multiple of `alignment` on, with zeros between and behind.
    #[fusion(meta = |vectors, alignment| described(vectors, *alignment))]
    fn pack(#[extension_type] vectors: Vectors<Self>, alignment: usize) -> FloatTensor<Self>;
}

#[cfg(feature = "fusion")]
fn described(
    vectors: &VectorsMetadata,
    alignment: usize,
) -> burn::backend::fusion::custom::TensorSpec {
    use super::optional::OptionalTensorMetadata;
    let VectorsMetadata { first, second, third, fourth, fifth, sixth, seventh } = vectors;
    let others =
        [second, third, fourth, fifth, sixth, seventh].into_iter().filter_map(
            |other| match other {
                OptionalTensorMetadata::Absent => None,
                OptionalTensorMetadata::Present(vector) => Some(vector),
            },
        );
    let lens = std::iter::once(first).chain(others).map(|vector| vector.shape.num_elements());
    let len: usize = lens.map(|len| len.next_multiple_of(alignment)).sum();
    burn::backend::fusion::custom::TensorSpec::new(burn::tensor::Shape::new([len]), first.dtype)
}
