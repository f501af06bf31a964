//! The cases, and how each is run.

use std::fmt;

use burn::tensor::Device;
use simclr::augment::SimClrAugmentation;
use simclr::data::{Sample, SampleConfig, Splits};
use simclr::embed::Embedder;
use simclr::model::EncoderConfig;
use simclr::train::{
    MonitorEvery, Precision, PretrainConfig, Pretraining, Progress, Recipe, ViewPath,
};

use crate::counts::{Counted, Counts};
use crate::memory;

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

    fn is_small(self) -> bool {
        self.size < Self::USUAL.size
    }
}

/// Steps of the longer and of the shorter run.
const STEPS: [usize; 2] = [3, 2];

/// Bytes that a view of a training step takes besides its pixels: 38 numbers for the kernels that make it, and for the loss a
/// weight and half of its image's group and class.
const PARAMETERS: usize = 38 * 4 + 8;

#[derive(Clone, Copy)]
pub(crate) enum Work {
    /// A training step.
    Step,
    /// A batch of an embedding.
    Embedding,
}

/// What is counted, and what it may take.
pub(crate) struct Case {
    pub(crate) network: &'static str,
    pub(crate) work: Work,
    pub(crate) precision: Precision,
    budget: Budget,
}

/// With `--small`, a tenth above what was found on software Vulkan. What a read or an upload may be follows from the case.
#[derive(Clone, Copy)]
struct Budget {
    launches: f64,
    /// The most memory at once, in MiB, with `--small` alone; a quarter above what was found, since it is looked at and not
    /// counted.
    peak: f64,
}

const fn budget(launches: f64, peak: f64) -> Budget {
    Budget { launches, peak }
}

const fn step(network: &'static str, precision: Precision, budget: Budget) -> Case {
    Case { network, work: Work::Step, precision, budget }
}

const fn embedding(network: &'static str, precision: Precision, budget: Budget) -> Case {
    Case { network, work: Work::Embedding, precision, budget }
}

pub(crate) const CASES: &[Case] = &[
    step("resnet18", Precision::F32, budget(750.0, 22.0)),
    step("resnet18", Precision::F16, budget(750.0, 16.0)),
    step("resnet50", Precision::F32, budget(1040.0, 84.0)),
    step("resnet50", Precision::F16, budget(1310.0, 55.0)),
    step("vit_small_p16_i64", Precision::F32, budget(1700.0, 108.0)),
    step("vit_small_p16_i64", Precision::F16, budget(2150.0, 108.0)),
    embedding("resnet18", Precision::F32, budget(67.0, 4.0)),
    embedding("resnet50", Precision::F32, budget(142.0, 8.0)),
    embedding("vit_small_p16_i64", Precision::F32, budget(355.0, 27.0)),
];

/// Counts until two in a row agree, at most: autotune may meet a shape late, and try its kernels in the midst of one.
const MOST_COUNTS: usize = 4;

impl Case {
    /// What a step or a batch takes.
    pub(crate) fn count(&self, sizes: Sizes, device: &Device) -> Counts {
        self.run(STEPS[1], sizes, device);
        let mut counts = self.count_once(sizes, device);
        for _ in 1..MOST_COUNTS {
            let again = self.count_once(sizes, device);
            let agree = again.launches() == counts.launches();
            counts = again;
            if agree {
                break;
            }
        }
        counts
    }

    /// The difference of a longer and of a shorter run.
    fn count_once(&self, sizes: Sizes, device: &Device) -> Counts {
        let (more, peak) =
            memory::peak(device, || Counted::of(|| self.run(STEPS[0], sizes, device)));
        let less = Counted::of(|| self.run(STEPS[1], sizes, device));
        Counts::between(&more, &less, (STEPS[0] - STEPS[1]) as u64, peak)
    }

    /// So many steps or batches.
    fn run(&self, steps: usize, sizes: Sizes, device: &Device) {
        let images = steps * sizes.images;
        match self.work {
            Work::Step => self.train(images, sizes, device),
            Work::Embedding => self.embed(images, sizes, device),
        }
    }

    /// What takes more than it may, a sentence each.
    pub(crate) fn exceeded(&self, sizes: Sizes, counts: &Counts) -> Vec<String> {
        [
            ("launches", counts.launches(), self.budget.launches),
            ("reads", counts.reads, 1.0),
            ("bytes up", counts.bytes_up, self.bytes_up(sizes)),
            (
                "MiB of memory",
                counts.peak_mib(),
                if sizes.is_small() { self.budget.peak } else { f64::INFINITY },
            ),
        ]
        .into_iter()
        .filter(|(_, found, most)| found > most)
        .map(|(what, found, most)| format!("{self}: expected at most {most} {what}, found {found}"))
        .collect()
    }

    /// The most bytes that a step or a batch may send: of each view the u8 pixels of a whole image, four in a word, and
    /// its parameters; of an image to embed its pixels in f32.
    pub(crate) fn bytes_up(&self, sizes: Sizes) -> f64 {
        let values = 3 * (sizes.size as usize).pow(2);
        let bytes = match self.work {
            Work::Step => 2 * (values.next_multiple_of(4) + PARAMETERS),
            Work::Embedding => values * size_of::<f32>(),
        };
        (sizes.images * bytes) as f64
    }

    fn encoder(&self, sizes: Sizes) -> EncoderConfig {
        let small = sizes.is_small();
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
        // The runs that are compared have other numbers of images to look at.
        config.train.monitor_every = MonitorEvery::Never;
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
