//! How large the networks and batches are that a device is measured on.

use std::time::Duration;

use clap::Args;
use simclr::model::EncoderConfig;
use simclr::train::DeviceDescription;

/// Sizes that the user chose. The others suit the device.
#[derive(Args)]
pub(super) struct SizeArgs {
    /// Network of the training step and of embedding [default: resnet50; with --quick: resnet18]
    #[arg(long, value_name = "NAME")]
    encoder: Option<EncoderConfig>,
    /// Width and height of images in pixels [default: 224; with --quick: 64]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    size: Option<u32>,
    /// Images in a step, each in two views [default: 64 on a GPU, 4 elsewhere; with --quick: 16]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    batch_size: Option<u32>,
    /// Images in the loss that is timed, each in two views; several with commas [default: 4096; with
    /// --quick: 1024]
    #[arg(long, value_name = "N", value_delimiter = ',', value_parser = clap::value_parser!(u32).range(2..))]
    loss_n: Vec<u32>,
    /// Small sizes, and no search for the largest batch
    #[arg(long)]
    quick: bool,
    /// Seconds after which what is left is not measured [default: 300 on a GPU, 120 elsewhere]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..))]
    time_limit: Option<u32>,
}

/// The sizes of an examination.
pub(super) struct Sizes {
    pub(super) encoder: EncoderConfig,
    /// Pixels of a side.
    pub(super) size: usize,
    /// Images in a step.
    pub(super) batch_size: usize,
    /// Images in each loss that is timed.
    pub(super) loss_n: Vec<usize>,
    /// Whether the largest batch is looked for.
    pub(super) finds_largest: bool,
    pub(super) time_limit: Duration,
}

impl SizeArgs {
    /// The sizes for a device.
    pub(super) fn on(&self, device: &DeviceDescription) -> Sizes {
        let (encoder, size, batch_size, loss_n) = match (self.quick, device.is_gpu) {
            (true, _) => ("resnet18", 64, 16, 1024),
            (false, true) => ("resnet50", 224, 64, 4096),
            (false, false) => ("resnet50", 224, 4, 4096),
        };
        let usual = || encoder.parse().expect("the name of a network");
        let loss_n = if self.loss_n.is_empty() { &[loss_n][..] } else { &self.loss_n };
        let time_limit = self.time_limit.unwrap_or(if device.is_gpu { 300 } else { 120 });
        Sizes {
            encoder: self.encoder.clone().unwrap_or_else(usual),
            size: self.size.unwrap_or(size) as usize,
            batch_size: self.batch_size.unwrap_or(batch_size) as usize,
            loss_n: loss_n.iter().map(|&n| n as usize).collect(),
            finds_largest: !self.quick,
            time_limit: Duration::from_secs(time_limit.into()),
        }
    }
}
