//! The cases, and how each is run.

use std::collections::BTreeMap;
use std::fmt;

use burn::tensor::Device;
use simclr::augment::SimClrAugmentation;
use simclr::data::{Sample, SampleConfig, Splits};
use simclr::embed::Embedder;
use simclr::model::EncoderConfig;
use simclr::train::{Precision, PretrainConfig, Pretraining, Progress, Recipe, ViewPath};

use crate::launches::{self, Launches};

/// How large a batch is.
#[derive(Clone, Copy)]
pub(crate) struct Sizes {
    /// Height and width of a view in pixels.
    pub(crate) size: u32,
    /// The images of a batch.
    pub(crate) images: usize,
}

impl Sizes {
    /// As large as a software driver's buffers of 128 MiB allow.
    pub(crate) const USUAL: Self = Self { size: 64, images: 8 };
    /// With networks of a quarter of the width, in a small part of the time: the launches hardly depend on the sizes.
    pub(crate) const SMALL: Self = Self { size: 32, images: 4 };
}

/// Steps of the longer and of the shorter run.
const STEPS: [usize; 2] = [3, 2];

#[derive(Clone, Copy)]
pub(crate) enum Work {
    /// A training step.
    Step,
    /// A batch of an embedding.
    Embedding,
}

/// What is counted, and how many launches it may take.
pub(crate) struct Case {
    pub(crate) network: &'static str,
    pub(crate) work: Work,
    pub(crate) precision: Precision,
    pub(crate) launches: f64,
}

const fn step(network: &'static str, precision: Precision, launches: f64) -> Case {
    Case { network, work: Work::Step, precision, launches }
}

const fn embedding(network: &'static str, launches: f64) -> Case {
    Case { network, work: Work::Embedding, precision: Precision::F32, launches }
}

const UNCOUNTED: f64 = f64::INFINITY;

/// Budgets are a tenth above what was found with `--small` on software Vulkan; a case without one has not been counted yet.
pub(crate) const CASES: &[Case] = &[
    step("resnet18", Precision::F32, 1000.0),
    step("resnet18", Precision::F16, UNCOUNTED),
    step("resnet50", Precision::F32, 2100.0),
    step("resnet50", Precision::F16, UNCOUNTED),
    step("vit_small_p16_i64", Precision::F32, UNCOUNTED),
    step("vit_small_p16_i64", Precision::F16, UNCOUNTED),
    embedding("resnet18", UNCOUNTED),
    embedding("resnet50", UNCOUNTED),
    embedding("vit_small_p16_i64", UNCOUNTED),
];

/// What a step, or a batch, was seen to do.
pub(crate) struct Counts {
    /// Launches of each kernel.
    pub(crate) by_kernel: BTreeMap<String, f64>,
}

impl Counts {
    pub(crate) fn launches(&self) -> f64 {
        self.by_kernel.values().sum()
    }
}

impl Case {
    pub(crate) fn count(&self, sizes: Sizes, device: &Device) -> Counts {
        self.run(STEPS[1], sizes, device);
        let [more, less] = STEPS.map(|steps| self.run(steps, sizes, device));
        let steps = (STEPS[0] - STEPS[1]) as u64;
        Counts { by_kernel: launches::per_step(&more, &less, steps) }
    }

    /// The launches of so many steps or batches.
    fn run(&self, steps: usize, sizes: Sizes, device: &Device) -> Launches {
        let images = steps * sizes.images;
        match self.work {
            Work::Step => launches::count(|| self.train(images, sizes, device)).1,
            Work::Embedding => launches::count(|| self.embed(images, sizes, device)).1,
        }
    }

    fn encoder(&self, sizes: Sizes) -> EncoderConfig {
        let small = sizes.size < Sizes::USUAL.size;
        // A transformer's positions are for one size.
        let name = match self.network.strip_suffix("_i64") {
            Some(_) if small => format!("vit_tiny_p16_i{}", sizes.size),
            Some(network) => format!("{network}_i{}", sizes.size),
            None if small => format!("{}x0.25", self.network),
            None => self.network.to_owned(),
        };
        name.parse().expect("a known encoder")
    }

    fn train(&self, images: usize, sizes: Sizes, device: &Device) {
        let sample = SampleConfig { images, size: sizes.size, ..SampleConfig::default() };
        let data = Splits::sample(&sample).expect("a valid sample");
        let mut config: PretrainConfig = Recipe::ImageNetGoogle.config();
        config.train.precision = self.precision;
        config.train.epochs = 1;
        config.train.batch_size = sizes.images;
        config.train.warmup_epochs = 0;
        config.images.encoder = self.encoder(sizes);
        config.images.views = ViewPath::Device;
        let config = config.with_image_size(sizes.size).expect("a valid size");
        Pretraining::new(config)
            .expect("a valid config")
            .with_trainer(|trainer| trainer.with_progress(Progress::Silent))
            .run(&Splits { labelled: None, ..data }, device)
            .expect("a run of a few steps");
    }

    fn embed(&self, images: usize, sizes: Sizes, device: &Device) {
        let sample = SampleConfig { images, size: sizes.size, ..SampleConfig::default() };
        let sample = Sample::new(sample).expect("a valid sample");
        let encoder = self.encoder(sizes).init(0, device).expect("a valid encoder");
        let transform = SimClrAugmentation::imagenet()
            .with_size(sizes.size)
            .expect("a valid size")
            .evaluation();
        let embedder = Embedder::new(encoder, transform, device)
            .with_batch_size(sizes.images)
            .expect("a valid batch size");
        embedder.embed(&sample).expect("readable images");
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let work = match self.work {
            Work::Step => "step",
            Work::Embedding => "embedding",
        };
        write!(f, "{} {} {work}", self.network, self.precision)
    }
}
