//! How many kernels a step's loss takes on wgpu, with its gradient and its ranks. The count is that of the whole process, so
//! that this file holds one test.

use std::sync::{Arc, Mutex};

use burn::cubecl::logging::{LaunchObservation, LaunchObserver};
use burn::tensor::{Device, Distribution, Tensor};
use simclr::loss::{DecoupledNtXent, LossAndRanks, NtXent, SupCon};

#[path = "backend_parity/backends.rs"]
#[expect(dead_code, reason = "the parity suite compares; this test opens a device")]
mod backends;

/// Within one block of rows, whatever the number of images: 16 were found. Each further block takes five more, so that 4,096
/// images, which are two blocks, take 25 at most; the goal was 40.
const MOST_LAUNCHES: usize = 20;

/// Kernels of ours: before and behind the sweep those of the rows' lengths, in it one before and one after the gradient's
/// products.
const OUR_LAUNCHES: usize = 4;

#[derive(Default)]
struct Launched(Mutex<Vec<&'static str>>);

impl LaunchObserver for Launched {
    fn launched(&self, kernel: &'static str) {
        self.0.lock().expect("no panic while it is held").push(kernel);
    }
}

/// Loss, gradient and ranks of two views that are halves of one tensor, as in training.
fn step(z: &Tensor<2>, loss: impl Fn(Tensor<2>, Tensor<2>) -> LossAndRanks) {
    let images = z.dims()[0] / 2;
    let found = loss(z.clone().slice([..images]), z.clone().slice([images..]));
    let gradients = found.loss.backward();
    let gradient = z.grad(&gradients).expect("z is tracked");
    // Reads all three, which runs what fusion has put off.
    let read = [found.loss.inner().into_data(), found.ranks.into_data(), gradient.into_data()];
    assert!(read.iter().all(|data| data.iter::<f64>().all(f64::is_finite)));
}

/// Names of the kernels of a step on `z`, `[2n, d]`, after tuning.
fn launches(
    device: &Device,
    [n, d]: [usize; 2],
    loss: impl Fn(Tensor<2>, Tensor<2>) -> LossAndRanks,
) -> Vec<&'static str> {
    let device = device.clone().autodiff();
    let z = Tensor::<2>::random([2 * n, d], Distribution::Normal(0.0, 1.0), &device);
    let z = z.require_grad();
    // Tunes the products, and shows fusion the step.
    for _ in 0..2 {
        step(&z, &loss);
    }
    let launched = Arc::new(Launched::default());
    let observation = LaunchObservation::new(launched.clone());
    step(&z, &loss);
    drop(observation);
    launched.0.lock().expect("no panic while it was held").clone()
}

#[test]
fn a_step_takes_four_kernels_of_ours_three_products_and_few_launches_around_them() {
    let backend = match backends::Backend::open("wgpu") {
        Ok(backend) => backend,
        Err(reason) => return eprintln!("not run: {reason}"),
    };
    let (n, d) = (96, 32);
    let nt_xent = NtXent::new(0.1).expect("a temperature");
    let decoupled = DecoupledNtXent::new(0.1).expect("a temperature");
    let sup_con = SupCon::new(0.1).expect("a temperature");
    let labels: Vec<usize> = (0..n).map(|image| image % 10).collect();
    for found in [
        launches(&backend.device, [n, d], |a, b| nt_xent.forward_with_ranks(a, b)),
        launches(&backend.device, [n, d], |a, b| decoupled.forward_with_ranks(a, b)),
        launches(&backend.device, [n, d], |a, b| sup_con.forward_with_ranks(&[a, b], &labels)),
    ] {
        let of = |part: &str| found.iter().filter(|name| name.contains(part)).count();
        println!("{} launches", found.len());
        assert_eq!(of("simclr_loss"), OUR_LAUNCHES, "{found:#?}");
        assert_eq!(of("matmul"), 3, "{found:#?}");
        assert!(found.len() <= MOST_LAUNCHES, "{} launches: {found:#?}", found.len());
    }
}
