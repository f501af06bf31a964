//! Ten steps of SimCLR with an encoder, views and a training loop that are not of `simclr`: it gives the loss alone.

use burn::module::Module;
use burn::nn::{Linear, LinearConfig, Relu};
use burn::optim::{AdamWConfig, GradientsParams, Optimizer};
use burn::tensor::{Device, Distribution, Tensor};
use simclr::loss::{NtXent, OutOfRange};

const STEPS: usize = 10;
const EXAMPLES: usize = 64;
const INPUTS: usize = 32;

/// Inputs `[n, 32]` to projections `[n, 16]`.
#[derive(Module, Debug)]
struct Encoder {
    hidden: Linear,
    projection: Linear,
}

impl Encoder {
    fn new(device: &Device) -> Self {
        Self {
            hidden: LinearConfig::new(INPUTS, 64).init(device),
            projection: LinearConfig::new(64, 16).init(device),
        }
    }

    fn forward(&self, inputs: Tensor<2>) -> Tensor<2> {
        self.projection.forward(Relu::new().forward(self.hidden.forward(inputs)))
    }
}

fn main() -> Result<(), OutOfRange> {
    let device = Device::flex().autodiff();
    device.seed(0);
    let normal = |deviation| {
        Tensor::<2>::random([EXAMPLES, INPUTS], Distribution::Normal(0.0, deviation), &device)
    };
    let loss = NtXent::new(0.2)?;
    let mut encoder = Encoder::new(&device);
    let mut optimizer = AdamWConfig::new().init();
    let examples = normal(1.0);
    let mut losses = Vec::new();
    for step in 0..STEPS {
        // Two views of each example: the example with noise.
        let (view_a, view_b) = (examples.clone() + normal(0.5), examples.clone() + normal(0.5));
        let value = loss.forward(encoder.forward(view_a), encoder.forward(view_b));
        let gradients = GradientsParams::from_grads(value.backward(), &encoder);
        encoder = optimizer.step(3e-3, encoder, gradients);
        losses.push(value.into_scalar::<f64>());
        println!("step {step}: loss {:.4}", losses[step]);
    }
    assert!(losses[STEPS - 1] < 0.9 * losses[0], "the loss does not fall: {losses:?}");
    Ok(())
}
