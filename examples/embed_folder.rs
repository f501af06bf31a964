//! Turns a folder of images into vectors with an encoder's weights, and finds an image's nearest neighbours.
//!
//! ```sh
//! cargo run --release --example embed_folder -- --weights runs/1/encoder.safetensors \
//!     --encoder resnet18x0.25_gamma1 --data PHOTOS --image-size 96 --out vectors.npy --query PHOTO
//! cargo run --release --example embed_folder -- --weights resnet50-11ad3fa6.pth \
//!     --encoder resnet50 --data PHOTOS --image-size 224 --out vectors.safetensors
//! ```
//!
//! Expect one vector for each image, split by split and class by class in the order of names, and with `--query` the images
//! that are most alike by cosine. Weights may be ours, torchvision's or timm's, as safetensors, `.pth` or `.pt`. Pixels are
//! normalised as in the weights' training: as the file says, else by ImageNet's mean and deviation.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Parser;
use simclr::augment::{EvaluationTransform, Normalization, ResizeFilter};
use simclr::data::{WholeSet, decode_image};
use simclr::embed::{Embedder, EmbedderFile, ImageIndex};
use simclr::model::{EncoderConfig, WeightFile};
use simclr::train::device_from_name;

/// Embed a folder of images with an encoder's weights.
#[derive(Parser)]
#[command(about, long_about = None)]
struct Options {
    /// Weights of simclr, torchvision, timm or a training script: safetensors, .pth, .pt or .ckpt
    #[arg(long, value_name = "FILE")]
    weights: PathBuf,
    /// Where in the file the encoder is, such as `teacher.backbone`, if it is there more than once
    #[arg(long, value_name = "PREFIX")]
    prefix: Option<String>,
    #[arg(
        long,
        value_name = "NAME",
        help = "resnet50, resnet50x2, efficientnet_b0, vit_small_p16, ..."
    )]
    encoder: EncoderConfig,
    /// Folder of photos (in folders of splits and classes or not), or of STL-10's or CIFAR-10's binary files
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Width and height in pixels that images are cropped and resized to; images of that size are taken as they are
    #[arg(long, value_name = "N")]
    image_size: u32,
    /// How pixels were normalised in the weights' training: imagenet, cifar10, centred, none or stl10 [default: as the
    /// file says, else imagenet]
    #[arg(long, value_name = "NAME")]
    normalize: Option<Normalization>,
    /// Where the vectors go: .npy, with the files' names beside it in .txt, or .safetensors, with the names in it; names,
    /// splits and classes are beside in .labels.csv
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Print the images that are most like this one
    #[arg(long, value_name = "IMAGE")]
    query: Option<PathBuf>,
    /// How many of them
    #[arg(long, value_name = "K", default_value_t = 5)]
    neighbours: usize,
    /// flex, ndarray, wgpu, wgpu:N, cuda:N, ..., as far as they are built in
    #[arg(long, value_name = "NAME", default_value = "flex")]
    device: String,
}

fn main() -> Result<()> {
    let options = Options::parse();
    let format = Format::of(&options.out)?;
    let device = device_from_name(&options.device)?;
    options.encoder.check_image_size(options.image_size as usize)?;
    let encoder = options.encoder.init(0, &device)?;
    let weights = WeightFile::open(&options.weights)?;
    let normalization = match &options.normalize {
        Some(asked) => asked.clone(),
        None => EmbedderFile::normalization_of(&weights)?,
    };
    let weights = match &options.prefix {
        Some(prefix) => weights.below(prefix),
        None => weights,
    };
    let (encoder, report) = weights.load(encoder)?;
    println!("{}: {report}; normalisation: {normalization}", options.weights.display());

    let transform =
        EvaluationTransform::new(options.image_size, ResizeFilter::Bilinear, normalization)?;
    let images = WholeSet::open(&options.data)?;
    for warning in images.warnings() {
        eprintln!("warning: {warning}");
    }
    let embedder = Embedder::new(encoder, transform, &device);
    let embedded = embedder.embed(&images)?;
    embedded.write_table(&images, options.out.with_extension("labels.csv"))?;
    for error in embedded.skipped {
        eprintln!("skipped: {:#}", anyhow::Error::from(error));
    }
    let index = ImageIndex::new(embedded.names, embedded.features, embedder.preparation())
        .with_context(|| format!("no vectors of {}", options.data.display()))?;
    match format {
        Format::Npy => index.save_npy(&options.out)?,
        Format::Safetensors => index.save(&options.out)?,
    }
    let (count, size) = (index.names().len(), index.features().size());
    println!("{count} vectors of length {size} in {}", options.out.display());

    if let Some(path) = &options.query {
        let query = embedder.embed_image(&decode_image(path)?)?;
        println!("most like {}:", path.display());
        for found in &index.nearest(&query, options.neighbours, &device)?[0] {
            println!("  {:.4}  {}", found.cosine, index.names()[found.row as usize]);
        }
    }
    Ok(())
}

/// How vectors are written.
enum Format {
    Npy,
    Safetensors,
}

impl Format {
    fn of(path: &Path) -> Result<Self> {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("npy") => Ok(Self::Npy),
            Some("safetensors") => Ok(Self::Safetensors),
            _ => bail!("expected --out to end in .npy or .safetensors, found {}", path.display()),
        }
    }
}
