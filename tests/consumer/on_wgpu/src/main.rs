//! Trains nothing: asks whether losses on wgpu are those on flex, with the features that Burn has by default.

use burn::tensor::{Device, DeviceKind, Tensor, TensorData};
use simclr_loss::{NtXent, SupCon, TiledNtXent};

/// Numbers in -1..1 that look random.
fn numbers(count: usize) -> Vec<f32> {
    (0..count).map(|i| ((i * i * 31 + i * 17) % 1999) as f32 / 999.5 - 1.0).collect()
}

/// Value, and then all gradients, of a loss of two views `[n, d]`.
fn of(
    device: &Device,
    [n, d]: [usize; 2],
    loss: &dyn Fn(Tensor<2>, Tensor<2>) -> Tensor<1>,
) -> Vec<f64> {
    let device = device.clone().autodiff();
    let values = numbers(2 * n * d);
    let view = |start: usize| {
        let values = values[start..start + n * d].to_vec();
        Tensor::<2>::from_data(TensorData::new(values, [n, d]), &device).require_grad()
    };
    let (a, b) = (view(0), view(n * d));
    let value = loss(a.clone(), b.clone());
    let gradients = value.backward();
    let mut found = vec![value.into_scalar::<f64>()];
    for view in [a, b] {
        let gradient = view.grad(&gradients).expect("the views are tracked");
        found.extend(gradient.to_data_as::<f64>().iter::<f64>());
    }
    found
}

fn main() {
    let (wgpu, flex) = (Device::wgpu(DeviceKind::DefaultDevice), Device::flex());
    let labels: Vec<usize> = (0..12).map(|i| i * i % 5).collect();
    for t in [0.02, 0.3] {
        let check = |name: &str, loss: &dyn Fn(Tensor<2>, Tensor<2>) -> Tensor<1>| {
            let (found, expected) = (of(&wgpu, [12, 16], loss), of(&flex, [12, 16], loss));
            let scale = expected.iter().fold(0.0_f64, |most, x| most.max(x.abs()));
            let worst = found.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            println!("{name:<12} t = {t:<4}  {:.5} on wgpu, {:.5} on flex", found[0], expected[0]);
            assert!(worst <= 1e-4 * scale, "{name}: found {found:?}, expected {expected:?}");
        };
        let nt_xent = NtXent::new(t).expect("a temperature");
        let tiled = TiledNtXent::new(t).expect("a temperature");
        let sup_con = SupCon::new(t).expect("a temperature");
        check("NtXent", &|a, b| nt_xent.forward(a, b));
        check("TiledNtXent", &|a, b| tiled.forward(a, b));
        check("SupCon", &|a, b| sup_con.forward(&[a, b], &labels));
    }
}
