//! The two views' projections: shape checks, precision and l2 normalisation.

use burn::tensor::{DType, Tensor};

/// A projection shorter than 1e-12 (`eps` of PyTorch's `F.normalize`) has no direction.
pub(crate) const SMALLEST_SQUARED_NORM: f32 = 1e-24;

/// Both views as unit vectors, `[n, d]` each, in f32 unless they came in f64.
pub(crate) struct UnitViews {
    pub(crate) a: Tensor<2>,
    pub(crate) b: Tensor<2>,
}

impl UnitViews {
    /// Checks the shapes as [`images`] does, and normalises.
    #[track_caller]
    pub(crate) fn new(z_a: Tensor<2>, z_b: Tensor<2>) -> Self {
        images(&z_a, &z_b);
        Self { a: normalize(z_a), b: normalize(z_b) }
    }

    /// All 2n rows, view a before view b: row i and row (i + n) mod 2n show the same image.
    pub(crate) fn concat(&self) -> Tensor<2> {
        Tensor::cat(vec![self.a.clone(), self.b.clone()], 0)
    }
}

/// Checks that row i of `z_a` and row i of `z_b` can be two views of image i, and returns how many images there are.
#[track_caller]
pub(crate) fn images(z_a: &Tensor<2>, z_b: &Tensor<2>) -> usize {
    let ([n_a, d_a], [n_b, d_b]) = (z_a.dims(), z_b.dims());
    assert!(
        n_a == n_b && d_a == d_b,
        "expected two views of the same shape [n, d], found [{n_a}, {d_a}] and [{n_b}, {d_b}]"
    );
    assert!(
        n_a > 0 && d_a > 0,
        "expected at least one image and one dimension, found [{n_a}, {d_a}]"
    );
    n_a
}

/// Checks that row i of each view can come from sample i, and returns how many samples there are.
#[track_caller]
pub(crate) fn samples(views: &[Tensor<2>]) -> usize {
    let shapes: Vec<[usize; 2]> = views.iter().map(Tensor::dims).collect();
    assert!(
        shapes.first().is_some_and(|first| shapes.iter().all(|shape| shape == first)),
        "expected at least one view, and all of the same shape [n, d], found {shapes:?}"
    );
    let [n, d] = shapes[0];
    assert!(n > 0 && d > 0, "expected at least one image and one dimension, found [{n}, {d}]");
    n
}

/// The rows of all views as unit vectors, one view after the other, in f32 unless they came in f64.
///
/// # Shapes
///
/// - `views`: `[n, d]` each, as [`samples`] checks
/// - output: `[views * n, d]`
pub(crate) fn unit_rows(views: &[Tensor<2>]) -> Tensor<2> {
    normalize(Tensor::cat(views.to_vec(), 0))
}

/// Scales each row to length one. A row without a direction becomes zero, so that its cosine with
/// anything is 0 and so is its gradient. A division by `eps` would multiply its gradient by 1e12.
pub(crate) fn normalize(z: Tensor<2>) -> Tensor<2> {
    let z = in_f32_or_f64(z);
    let squared_norm = z.clone().square().sum_dim(1); // [n, 1]
    let directionless = squared_norm.clone().lower_elem(SMALLEST_SQUARED_NORM);
    let inverse_norm = squared_norm.clamp_min(SMALLEST_SQUARED_NORM).sqrt().recip();
    z * inverse_norm.mask_fill(directionless, 0.0)
}

/// In half precision a sum of hundreds of squares would have 3 digits.
pub(crate) fn in_f32_or_f64(z: Tensor<2>) -> Tensor<2> {
    if matches!(z.dtype(), DType::F16 | DType::BF16) { z.cast(DType::F32) } else { z }
}
