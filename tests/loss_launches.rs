//! How many kernels a step's loss takes on wgpu, with its gradient and its ranks. The count is that of the whole process, so
//! that its tests run one at a time.

use std::sync::{Arc, Mutex};

use burn::cubecl::logging::{LaunchObservation, LaunchObserver};
use burn::tensor::{Device, Distribution, Tensor};
use simclr::loss::{LossAndRanks, NtXent, SupCon};

#[path = "backend_parity/backends.rs"]
#[expect(dead_code, reason = "the parity suite compares; this test opens a device")]
mod backends;

/// What is asked for at 4,096 images: two blocks of rows.
const MOST_LAUNCHES: usize = 40;
/// Three products and two kernels of ours.
const LAUNCHES_OF_A_BLOCK: usize = 5;

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

/// The launches of NT-Xent, and those of SupCon, are at most `most`.
fn check([n, d]: [usize; 2], most: usize) {
    let backend = match backends::Backend::open("wgpu") {
        Ok(backend) => backend,
        Err(reason) => return eprintln!("not run: {reason}"),
    };
    let nt_xent = NtXent::new(0.1).expect("a temperature");
    let sup_con = SupCon::new(0.1).expect("a temperature");
    let labels: Vec<usize> = (0..n).map(|image| image % 10).collect();
    let found = [
        launches(&backend.device, [n, d], |a, b| nt_xent.forward_with_ranks(a, b)),
        launches(&backend.device, [n, d], |a, b| sup_con.forward_with_ranks(&[a, b], &labels)),
    ];
    println!("n = {n}: NT-Xent {} launches, SupCon {}", found[0].len(), found[1].len());
    for found in found {
        assert!((1..=most).contains(&found.len()), "{} launches: {found:#?}", found.len());
    }
}

/// What 4,096 images take beside this is one more block. To tune their products takes a software driver minutes.
#[test]
fn loss_gradient_and_ranks_of_one_block_leave_room_for_the_second_of_4096_images() {
    check([256, 128], MOST_LAUNCHES - LAUNCHES_OF_A_BLOCK);
}

#[test]
#[ignore = "minutes on a software driver, and to be run alone"]
fn loss_gradient_and_ranks_of_4096_images_take_at_most_40_launches() {
    check([4096, 128], MOST_LAUNCHES);
}
