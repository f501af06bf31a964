//! The time of a batch: forward alone, and forward with backward.

use std::io::Write;
use std::time::{Duration, Instant};

use anyhow::Result;
use burn::tensor::{Device, Distribution, Tensor};
use simclr::loss::{Temperature, TwoViewLoss};

use crate::forms;

pub(crate) fn print_times(out: &mut impl Write, n: usize) -> Result<()> {
    writeln!(
        out,
        "\n7. The time of a batch of n = {n} images, d = 128, of random numbers: the fastest of some runs.\n\n   \
         Forward is the loss alone. Forward and backward is a training step's share of it: the loss and its\n   \
         gradient. There autodiff records every operation, {} similarities for the naive form: wait for it.\n",
        2 * n * (2 * n - 1)
    )?;
    writeln!(out, "   form           forward               forward and backward")?;
    let mut naive = None;
    for (name, loss) in forms(Temperature::new(0.5)?)? {
        let times = [time(&*loss, n, false), time(&*loss, n, true)];
        let slowest = *naive.get_or_insert(times);
        let speed_up = |i: usize| slowest[i].as_secs_f64() / times[i].as_secs_f64();
        writeln!(
            out,
            "   {name:<11} {:>10.2?} {:>8.0} x   {:>10.2?} {:>8.0} x",
            times[0],
            speed_up(0),
            times[1],
            speed_up(1)
        )?;
    }
    Ok(())
}

/// The fastest of the runs that half a second has room for, at least one.
fn time(loss: &dyn TwoViewLoss, n: usize, with_backward: bool) -> Duration {
    let device = if with_backward { Device::flex().autodiff() } else { Device::flex() };
    let random = || {
        let z = Tensor::<2>::random([n, 128], Distribution::Normal(0.0, 1.0), &device);
        if with_backward { z.require_grad() } else { z }
    };
    let (z_a, z_b) = (random(), random());
    let run = || {
        let start = Instant::now();
        let value = loss.forward(z_a.clone(), z_b.clone());
        if with_backward {
            let gradients = value.backward();
            z_a.grad(&gradients).expect("the views are tracked").into_data();
        } else {
            value.into_scalar::<f64>();
        }
        start.elapsed()
    };
    let start = Instant::now();
    let mut fastest = run();
    while start.elapsed() < Duration::from_millis(500) {
        fastest = fastest.min(run());
    }
    fastest
}
