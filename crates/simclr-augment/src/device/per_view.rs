use burn::tensor::{Device, Tensor, TensorData};

/// One number for each view, in a shape that broadcasts to views `[n, y, 3, x]`.
pub(super) fn of_each_view(values: Vec<f32>, device: &Device) -> Tensor<4> {
    let n = values.len();
    Tensor::from_data(TensorData::new(values, [n, 1, 1, 1]), device)
}

/// `then` where the mask is 1, `otherwise` where it is 0; both are finite.
pub(super) fn select(mask: Tensor<4>, then: Tensor<4>, otherwise: Tensor<4>) -> Tensor<4> {
    let not = mask.clone().neg() + 1.0;
    then * mask + otherwise * not
}
