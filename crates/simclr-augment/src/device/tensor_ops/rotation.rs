use burn::tensor::Tensor;

use super::on_device::OnDevice;
use crate::device::table::{TURN_A, TURN_B};

/// Turns the views `[n, y, 3, x]` that are to be turned; the others turn by 0 degrees.
pub(super) fn rotate(views: Tensor<4>, batch: &OnDevice) -> Tensor<4> {
    if batch.params().all(|params| params.rotation.is_none()) {
        return views;
    }
    let [n, size, ..] = views.dims();
    let side = i64::from(size as u32);
    let last = (size - 1) as f32;
    let [a, b] = [TURN_A, TURN_B].map(|column| batch.number(column).reshape([n, 1, 1]));

    let offsets = batch.count(0, size).float() - last / 2.0;
    let dx = offsets.clone().reshape([1, 1, size]);
    let dy = offsets.reshape([1, size, 1]);
    let place = |value: Tensor<3>| (value + last / 2.0).clamp(0.0, last); // [n, y, x]
    let x = place(a.clone() * dx.clone() - b.clone() * dy.clone());
    let y = place(b * dx + a * dy);
    let (left, top) = (x.clone().floor(), y.clone().floor());
    let (to_right, to_bottom) = (x - left.clone(), y - top.clone());
    let right = (left.clone() + 1.0).clamp_max(last);
    let bottom = (top.clone() + 1.0).clamp_max(last);

    let planes = views.swap_dims(1, 2).reshape([n, 3, size * size]);
    let pixel = |y: &Tensor<3>, x: &Tensor<3>| {
        let index = y.clone().int() * side + x.clone().int();
        let index = index.reshape([n, 1, size * size]).repeat_dim(1, 3);
        planes.clone().gather(2, index)
    };
    let share = |value: Tensor<3>| value.reshape([n, 1, size * size]);
    let (to_right, to_bottom) = (share(to_right), share(to_bottom));
    let along = |y: &Tensor<3>| {
        let (a, b) = (pixel(y, &left), pixel(y, &right));
        a.clone() + to_right.clone() * (b - a)
    };
    let (above, below) = (along(&top), along(&bottom));
    let turned = above.clone() + to_bottom * (below - above);
    turned.reshape([n, 3, size, size]).swap_dims(1, 2)
}
