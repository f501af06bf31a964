//! Encoders and whole training steps on each backend, against the same steps on flex.

use burn::tensor::{Device, FloatDType, Tensor};
use simclr::data::{SampleConfig, Splits};
use simclr::model::{
    Encoder, EncoderConfig, ProjectionHeadConfig, ResNetConfig, ResNetDepth, Stem,
};
use simclr::train::{
    LearningRate, MetricsLine, OptimizerConfig, Precision, Pretraining, Progress, Recipe,
    RunDirectory, TrainConfig, read_metrics,
};

use crate::backends::{Case, compare, of_products};

pub(crate) const CASES: &[Case] = &[
    Case { name: "a_new_efficient_nets_features_match_flex", run: efficient_net },
    Case { name: "a_new_vision_transformers_features_and_gradients_match_flex", run: transformer },
    Case { name: "a_new_mlps_features_and_gradients_match_flex", run: mlp },
    Case { name: "a_new_encoders_features_match_flex", run: features },
    Case { name: "the_losses_of_the_first_steps_match_flex", run: first_steps },
    Case { name: "sixteen_bits_learn_as_f32_or_are_refused", run: sixteen_bits },
];

fn features(device: &Device) -> Result<(), String> {
    let encode = |device: &Device| -> Vec<f64> {
        let config = ResNetConfig::new(ResNetDepth::ResNet50, 2, Stem::Standard);
        let encoder = config.init(5, device).expect("a valid config");
        let ramp = Tensor::<1, burn::tensor::Int>::arange(0..2 * 3 * 24 * 24, device).float();
        let images = (ramp * 0.37).sin().reshape([2, 3, 24, 24]);
        encoder.encode(images).to_data_as::<f64>().iter::<f64>().collect()
    };
    // 50 layers of f32 sums in another order.
    compare("features", &encode(device), &encode(&Device::flex()), of_products(device, 1e-4))
}

fn efficient_net(device: &Device) -> Result<(), String> {
    // In training mode its stochastic depth rests on the last digits of the images' means.
    let encode = |device: &Device| -> Vec<f64> {
        let config: EncoderConfig = "efficientnet_b0".parse().expect("a known name");
        let encoder = config.init(5, device).expect("a valid config");
        encoder.encode(ramp(16, device)).to_data_as::<f64>().iter::<f64>().collect()
    };
    compare("features", &encode(device), &encode(&Device::flex()), of_products(device, 1e-4))
}

fn transformer(device: &Device) -> Result<(), String> {
    features_and_gradient("vit_tiny_p8_i16", 16, device)
}

fn mlp(device: &Device) -> Result<(), String> {
    features_and_gradient("mlp_i8_16_8", 8, device)
}

/// Two images of `size` pixels.
fn ramp(size: usize, device: &Device) -> Tensor<4> {
    let count = i64::try_from(2 * 3 * size * size).expect("a small image");
    let ramp = Tensor::<1, burn::tensor::Int>::arange(0..count, device).float();
    (ramp * 0.37).sin().reshape([2, 3, size, size])
}

/// Compares features in training mode, and their gradient by the images.
fn features_and_gradient(name: &str, size: usize, device: &Device) -> Result<(), String> {
    let run = |device: &Device| -> Result<[Vec<f64>; 2], String> {
        let device = device.clone().autodiff();
        let config: EncoderConfig = name.parse().map_err(|error| format!("{error}"))?;
        let encoder = config.init(5, &device).map_err(|error| error.to_string())?;
        let images = ramp(size, &device).require_grad();
        let features = encoder.encode(images.clone());
        let gradients = features.clone().powi_scalar(3).sum().backward();
        let gradient = images.grad(&gradients).ok_or("the images have no gradient")?;
        Ok([
            features.to_data_as::<f64>().iter::<f64>().collect(),
            gradient.to_data_as::<f64>().iter::<f64>().collect(),
        ])
    };
    let ([features, gradient], [of_flex, gradient_of_flex]) = (run(device)?, run(&Device::flex())?);
    compare("features", &features, &of_flex, of_products(device, 1e-4))?;
    compare("the images' gradient", &gradient, &gradient_of_flex, of_products(device, 1e-3))
}

fn first_steps(device: &Device) -> Result<(), String> {
    for (optimizer, rate) in optimizers() {
        let run = |device: &Device| losses(device, Precision::F32, optimizer, rate);
        let (found, expected) = (run(device)?, run(&Device::flex())?);
        // The first step sees the same weights; each further one what rounding made of the one before.
        let name = format!("{optimizer}: first step's loss");
        compare(&name, &found[..1], &expected[..1], of_products(device, 1e-4))?;
        compare(&format!("{optimizer}: losses"), &found, &expected, of_products(device, 1e-2))?;
    }
    Ok(())
}

/// Optimisers, and rates at which three steps change the loss.
fn optimizers() -> [(OptimizerConfig, f64); 3] {
    let decay = 1e-2;
    [
        (OptimizerConfig::adamw(decay), 1e-3),
        (OptimizerConfig::lars(decay), 20.0),
        (OptimizerConfig::nesterov(decay), 0.05),
    ]
}

fn sixteen_bits(device: &Device) -> Result<(), String> {
    let run =
        |device: &Device, precision| losses(device, precision, OptimizerConfig::adamw(1e-4), 1e-3);
    let expected = run(&Device::flex(), Precision::F32)?;
    for (precision, dtype) in
        [(Precision::Bf16, FloatDType::BF16), (Precision::F16, FloatDType::F16)]
    {
        let found = run(device, precision);
        if device.supports_dtype(dtype) {
            compare(
                &format!("losses in {precision}"),
                &found?,
                &expected,
                of_products(device, 5e-2),
            )?;
        } else if !found.as_ref().is_err_and(|error| error.contains("expected precision to be f32"))
        {
            return Err(format!("{precision} should be refused, found {found:?}"));
        }
    }
    Ok(())
}

/// The losses of three steps on the sample.
fn losses(
    device: &Device,
    precision: Precision,
    optimizer: OptimizerConfig,
    rate: f64,
) -> Result<Vec<f64>, String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let sample = SampleConfig { images: 24, size: 16, ..SampleConfig::default() };
    let data = Splits::sample(&sample).map_err(|error| error.to_string())?;
    let mut config = Recipe::Cifar10Google.config();
    config.train = TrainConfig {
        seed: 1,
        precision,
        epochs: 1,
        batch_size: 8,
        learning_rate: LearningRate::unscaled(rate),
        warmup_epochs: 0,
        optimizer,
        ..config.train
    };
    config.images.encoder = ResNetConfig::new(ResNetDepth::ResNet18, 2, Stem::Cifar).into();
    config.images.projection =
        ProjectionHeadConfig { output_size: 8, ..ProjectionHeadConfig::default() };
    let config = config.with_image_size(16).map_err(|error| error.to_string())?;
    let dir = folder.path().join("run");
    Pretraining::new(config)
        .map_err(|error| error.to_string())?
        .with_trainer(|trainer| trainer.with_progress(Progress::Silent).with_directory(&dir))
        .run(&Splits { labelled: None, ..data }, device)
        .map_err(|error| error.to_string())?;
    let run = RunDirectory::open(&dir).map_err(|error| error.to_string())?;
    let lines = read_metrics(&run.metrics()).map_err(|error| error.to_string())?;
    let losses = lines.iter().filter_map(|line| match line {
        MetricsLine::Step { loss, .. } => *loss,
        _ => None,
    });
    Ok(losses.collect())
}
