use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::backend::{Backend, backend_extension};

/// What is the same for all views of a batch, and which steps none of them has.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ViewsOptions {
    /// Width and height of a view.
    pub(crate) size: usize,
    pub(crate) bicubic: bool,
    pub(crate) recolors: bool,
    pub(crate) blurs: bool,
}

#[backend_extension(
    Cube: cfg(feature = "cube"),
    Fusion: cfg(feature = "fusion")
)]
pub(crate) trait ViewsBackend: Backend {
    /// The views `[n, 3, size, size]` of a batch: its words, i32, and its table `[n, COLUMNS]`, f32.
    #[fusion(dtype = table, shape = {
        let [n, _] = table.dims();
        burn::tensor::Shape::new([n, 3, options.size, options.size])
    })]
    fn views(
        words: IntTensor<Self>,
        table: FloatTensor<Self>,
        options: ViewsOptions,
    ) -> FloatTensor<Self>;
}
