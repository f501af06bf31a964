//! What a training step's loss asks of a GPU: how many kernels it launches, and how much memory it holds.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, ThreadId};

use burn::cubecl::logging::{LaunchObservation, LaunchObserver};
use burn::tensor::{Device, Distribution, Tensor};
use simclr::loss::{NtXent, SupCon};

use crate::backends::Case;

/// For backends of CubeCL alone.
pub(crate) const CASES: &[Case] = &[
    Case { name: "nt_xent_with_ranks_of_4096_images_takes_at_most_40_launches", run: nt_xent },
    Case { name: "sup_con_with_ranks_of_4096_images_takes_at_most_40_launches", run: sup_con },
];

const IMAGES: usize = 4096;
const MOST_LAUNCHES: usize = 40;

/// Counts the launches of one thread: other cases run beside it.
struct Count {
    of: ThreadId,
    launches: std::sync::Mutex<Vec<String>>,
    all: AtomicUsize,
}

impl LaunchObserver for Count {
    fn launched(&self, kernel: &'static str) {
        self.all.fetch_add(1, Ordering::Relaxed);
        if thread::current().id() == self.of {
            self.launches.lock().unwrap().push(kernel.to_owned());
        }
    }
}

fn nt_xent(device: &Device) -> Result<(), String> {
    let loss = NtXent::new(0.1).expect("a temperature");
    check(device, |a, b| {
        let found = loss.forward_with_ranks(a, b);
        (found.loss, found.ranks)
    })
}

fn sup_con(device: &Device) -> Result<(), String> {
    let loss = SupCon::new(0.1).expect("a temperature");
    let labels: Vec<usize> = (0..IMAGES).map(|image| image % 10).collect();
    check(device, |a, b| {
        let found = loss.forward_with_ranks(&[a, b], &labels);
        (found.loss, found.ranks)
    })
}

/// Loss, gradient and ranks of two views that are halves of one tensor, as in training.
fn check(
    device: &Device,
    loss: impl Fn(Tensor<2>, Tensor<2>) -> (Tensor<1>, Tensor<1>),
) -> Result<(), String> {
    let device = device.clone().autodiff();
    let z = Tensor::<2>::random([2 * IMAGES, 128], Distribution::Normal(0.0, 1.0), &device);
    let z = z.require_grad();
    let step = || {
        let (loss, ranks) = loss(z.clone().slice([..IMAGES]), z.clone().slice([IMAGES..]));
        let gradients = loss.backward();
        let gradient = z.grad(&gradients).expect("z is tracked");
        // One read each, as training has it when it logs.
        (loss.into_scalar::<f64>(), ranks.into_data(), gradient.into_data())
    };
    // Tunes, and lets fusion see the step once.
    step();
    step();
    let count = Arc::new(Count {
        of: thread::current().id(),
        launches: std::sync::Mutex::default(),
        all: AtomicUsize::new(0),
    });
    let observation = LaunchObservation::new(count.clone());
    let start = std::time::Instant::now();
    step();
    drop(observation);
    eprintln!("{:?}, {} in all", start.elapsed(), count.all.load(Ordering::Relaxed));
    let launches = count.launches.lock().unwrap();
    for l in launches.iter() {
        eprintln!("{}", l.chars().take(200).collect::<String>());
    }
    let launches = launches.len();
    if launches == 0 || launches > MOST_LAUNCHES {
        return Err(format!("expected 1 to {MOST_LAUNCHES} launches, found {launches}"));
    }
    Ok(())
}
