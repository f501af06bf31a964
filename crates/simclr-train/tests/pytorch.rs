//! 50 steps of SimCLR compared with PyTorch's: the same weights, the same images, the same losses.
//!
//! `golden/simclr_steps.py` trains the same network; both sides compute weights and images by the same formula. Our side
//! calls [`Trainer::train`], so that the test covers the loop, the schedule and the log.

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Device, Tensor, TensorData};
use serde::Deserialize;
use simclr_model::{ResNetConfig, ResNetDepth, Stem};
use simclr_train::{
    LearningRate, MetricsLine, OptimizerConfig, Progress, Recipe, RunDirectory, TrainConfig,
    TrainError, Trainer, ViewBatch, ViewSource, Views, read_metrics,
};

const STEPS: usize = 50;
const IMAGES: usize = 16;
const SIDE: usize = 32;
/// The number of different images, which the steps take in turn.
const POOL: usize = 64;

const WEIGHT_STREAM: u64 = 0;
const PATTERN_STREAM: u64 = 1 << 20;
const NOISE_STREAM: u64 = 1 << 21;

/// `count` multiples of 2^-19 in -1..1: splitmix64 of (stream, index), its top 20 bits.
fn uniform(stream: u64, count: usize) -> Vec<f64> {
    let hash = |index: u64| {
        let x = ((stream << 32) + index + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        x ^ (x >> 31)
    };
    (0..count as u64).map(|index| (hash(index) >> 44) as f64 / f64::from(1 << 19) - 1.0).collect()
}

/// Fills parameter number k from stream k, in the order of the network.
struct Fill {
    path: Vec<String>,
    stream: u64,
}

impl ModuleMapper for Fill {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if !param.is_require_grad() {
            return param;
        }
        let shape = param.lazy_shape();
        let u = uniform(WEIGHT_STREAM + self.stream, shape.num_elements());
        self.stream += 1;
        let path = self.path.join(".");
        let scaled = |u: &[f64], shift: f64, scale: f64| -> Vec<f32> {
            u.iter().map(|u| (shift + u * scale) as f32).collect()
        };
        let values = match shape.as_slice() {
            [out, _, height, width] => {
                scaled(&u, 0.0, (6.0 / (out * height * width) as f64).sqrt())
            }
            // PyTorch holds the transpose, [outputs, inputs].
            &[inputs, outputs] => {
                let u: Vec<f64> = (0..inputs * outputs)
                    .map(|at| u[at % outputs * inputs + at / outputs])
                    .collect();
                scaled(&u, 0.0, (1.0 / inputs as f64).sqrt())
            }
            _ if path == "head.output.bias" => scaled(&u, 0.0, (1.0 / 128.0_f64).sqrt()),
            _ if path.ends_with("body.1.norm.gamma") => scaled(&u, 0.0, 0.25),
            _ if path.ends_with("gamma") => scaled(&u, 1.0, 0.25),
            _ => scaled(&u, 0.0, 0.125),
        };
        param.map(|old| {
            Tensor::from_data(TensorData::new(values, shape), &old.device()).require_grad()
        })
    }
}

/// Step k trains on the images of epoch k, as an epoch is one step.
struct FormulaViews;

impl ViewSource<Tensor<4>> for FormulaViews {
    fn len(&self) -> usize {
        IMAGES
    }

    fn views(
        &self,
        pass: u64,
        indices: &[usize],
        device: &Device,
    ) -> Result<ViewBatch<Tensor<4>>, TrainError> {
        assert_eq!(indices.len(), IMAGES);
        let step = pass as usize - 1;
        let mut pixels = Vec::new();
        for view in 0..2 {
            for i in 0..IMAGES {
                let image = (IMAGES * step + i) % POOL;
                let pattern = uniform(PATTERN_STREAM + image as u64, 3 * 8 * 8);
                let stream = NOISE_STREAM + ((step * 2 + view) * IMAGES + i) as u64;
                let noise = uniform(stream, 3 * SIDE * SIDE);
                pixels.extend(noise.iter().enumerate().map(|(at, noise)| {
                    let (channel, y, x) = (at / SIDE / SIDE, at / SIDE % SIDE, at % SIDE);
                    (pattern[(channel * 8 + y / 4) * 8 + x / 4] + 0.5 * noise) as f32
                }));
            }
        }
        let data = TensorData::new(pixels, [2 * IMAGES, 3, SIDE, SIDE]);
        let input = Tensor::from_data(data, device);
        Ok(ViewBatch { views: Some(Views::new(input, 2, IMAGES)), skipped: Vec::new() })
    }
}

#[derive(Deserialize)]
struct Golden {
    optimizer: String,
    peak: f64,
    weight_decay: f32,
    /// For LARS: large, so that the weights move at a rate that keeps norms and biases steady.
    trust_coefficient: Option<f64>,
    losses: Vec<f64>,
}

/// The losses of our run, step by step.
fn losses(optimizer: OptimizerConfig, peak: f64) -> Vec<f64> {
    let mut config = Recipe::Cifar10Google.config(); // With a temperature of 0.5.
    config.train = TrainConfig {
        epochs: STEPS,
        batch_size: IMAGES,
        learning_rate: LearningRate::unscaled(peak),
        warmup_epochs: 5,
        optimizer,
        ..config.train
    };
    config.images.encoder = ResNetConfig::new(ResNetDepth::ResNet18, 16, Stem::Cifar).into();
    let device = Device::flex().autodiff();
    let mut fill = Fill { path: Vec::new(), stream: 0 };
    let model = config.init_model(&device).unwrap().map(&mut fill);
    assert_eq!(fill.stream, 65, "the network has as many parameters as PyTorch's");

    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("run");
    Trainer::new(config.train)
        .unwrap()
        .with_directory(&dir)
        .with_progress(Progress::Silent)
        .train(model, FormulaViews, None, &device)
        .unwrap();
    let lines = read_metrics(&RunDirectory::open(&dir).unwrap().metrics()).unwrap();
    let losses = lines.into_iter().filter_map(|line| match line {
        MetricsLine::Step { loss, .. } => Some(loss.expect("a finite loss")),
        _ => None,
    });
    losses.collect()
}

/// Compares our losses with PyTorch's in float64.
fn compare(name: &str, optimizer: fn(&Golden) -> OptimizerConfig) {
    let golden: Vec<Golden> =
        serde_json::from_str(include_str!("golden/simclr_steps.json")).unwrap();
    let golden = golden.into_iter().find(|golden| golden.optimizer == name).unwrap();
    let losses = losses(optimizer(&golden), golden.peak);
    assert_eq!(losses.len(), STEPS);
    let apart = |step: usize| (losses[step] / golden.losses[step] - 1.0).abs();
    let worst = (0..STEPS).max_by(|&a, &b| apart(a).total_cmp(&apart(b))).unwrap();
    println!("{name}: {:.1e} at the first step, {:.1e} at most", apart(0), apart(worst));
    assert!(apart(0) < 1e-6, "step 0: {} and {}", losses[0], golden.losses[0]);
    assert!(apart(worst) < 1e-3, "step {worst}: {} and {}", losses[worst], golden.losses[worst]);
}

#[test]
fn adamw_follows_pytorch_for_fifty_steps() {
    compare("adamw", |golden| OptimizerConfig::adamw(golden.weight_decay));
}

#[test]
fn adam_with_weight_decay_in_the_gradient_follows_pytorch_for_fifty_steps() {
    compare("adam", |golden| OptimizerConfig::adam(golden.weight_decay));
}

#[test]
fn sgd_with_nesterov_momentum_follows_pytorch_for_fifty_steps() {
    compare("nesterov", |golden| OptimizerConfig::nesterov(golden.weight_decay));
}

#[test]
fn lars_follows_pytorch_for_fifty_steps() {
    compare("lars", |golden| OptimizerConfig::Lars {
        momentum: 0.9,
        weight_decay: golden.weight_decay,
        trust_coefficient: golden.trust_coefficient.expect("LARS has one"),
    });
}
