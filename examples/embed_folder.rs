//! Turns a folder of images into vectors with an encoder's weights, and finds an image's nearest neighbours.
//!
//! ```sh
//! cargo run --release --example embed_folder -- --weights runs/1/encoder.safetensors \
//!     --encoder resnet18x0.25 --data PHOTOS --image-size 96 --normalize stl10 --out vectors.npy --query PHOTO
//! cargo run --release --example embed_folder -- --weights resnet50-11ad3fa6.pth \
//!     --encoder resnet50 --data PHOTOS --image-size 224 --normalize imagenet --out vectors.safetensors
//! ```
//!
//! Expect one vector for each image, in the order of the files' names, and with `--query` the images that are most
//! alike by cosine. Weights may be ours, torchvision's or timm's, as safetensors, `.pth` or `.pt`.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use burn::tensor::{Device, Tensor, TensorData};
use clap::{Parser, ValueEnum};
use safetensors::Dtype;
use safetensors::tensor::TensorView;
use simclr::augment::{EvaluationTransform, Normalization, ResizeFilter};
use simclr::data::{ImageDataset, ImageFolder, decode_image};
use simclr::model::{Encoder, EncoderConfig, ImageEncoder, WeightFile};
use simclr::train::device_from_name;

/// Images that are encoded at a time.
const BATCH: usize = 32;

/// Embed a folder of images with an encoder's weights.
#[derive(Parser)]
#[command(about, long_about = None)]
struct Options {
    /// Weights of simclr, torchvision or timm: safetensors, .pth or .pt
    #[arg(long, value_name = "FILE")]
    weights: PathBuf,
    /// Only the tensors whose names begin with PREFIX, such as `backbone.`, without it
    #[arg(long, value_name = "PREFIX", default_value = "")]
    prefix: String,
    #[arg(
        long,
        value_name = "NAME",
        help = "resnet50, resnet50x2, efficientnet_b0, vit_small_p16, ..."
    )]
    encoder: EncoderConfig,
    /// Folder of JPEG, PNG or WebP files
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Width and height in pixels that images are cropped and resized to; images of that size are taken as they are
    #[arg(long, value_name = "N")]
    image_size: u32,
    /// What the encoder was trained with: the section `augmentation.normalization` in a run's config.toml
    #[arg(long, value_name = "KIND", default_value = "none")]
    normalize: Normalize,
    /// Where the vectors go: .npy, with the files' names beside it in .txt, or .safetensors, with the names in it
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

#[derive(Clone, Copy, ValueEnum)]
enum Normalize {
    /// `ImageNet`'s means and deviations: torchvision's weights
    Imagenet,
    /// CIFAR-10's: runs of the `cifar10` augmentation, on images of up to 32 pixels
    Cifar10,
    /// Pixels from -1 to 1: runs of the `stl10` augmentation, which `stl10_pretrain` takes for larger images
    Stl10,
    /// Pixels from 0 to 1
    None,
}

fn main() -> Result<()> {
    let options = Options::parse();
    let format = Format::of(&options.out)?;
    let device = device_from_name(&options.device)?;
    options.encoder.check_image_size(options.image_size as usize)?;
    let encoder = options.encoder.init(0, &device)?;
    let weights = WeightFile::open(&options.weights)?.below(&options.prefix);
    let (encoder, report) = weights.load(encoder)?;
    println!("{}: {report}", options.weights.display());

    let normalization = match options.normalize {
        Normalize::Imagenet => Normalization::IMAGENET,
        Normalize::Cifar10 => Normalization::CIFAR10,
        Normalize::Stl10 => Normalization::CENTRED,
        Normalize::None => Normalization::NONE,
    };
    let transform =
        EvaluationTransform::new(options.image_size, ResizeFilter::Bilinear, normalization)?;
    let embedder = Embedder { encoder, transform, device };
    let vectors = embedder.folder(&options.data)?;
    format.write(&vectors, &options.out)?;
    println!(
        "{} vectors of length {} in {}",
        vectors.names.len(),
        vectors.size,
        options.out.display()
    );
    if let Some(query) = &options.query {
        let image = decode_image(query)?;
        let mut pixels = vec![0.0; embedder.transform.view_len()];
        embedder.transform.view_into(&image, &mut pixels)?;
        let vector = embedder.vectors(pixels)?;
        println!("most like {}:", query.display());
        for (cosine, name) in vectors.nearest(&vector, options.neighbours) {
            println!("  {cosine:.4}  {name}");
        }
    }
    Ok(())
}

/// An encoder and what its images are made into.
struct Embedder {
    encoder: ImageEncoder,
    transform: EvaluationTransform,
    device: Device,
}

impl Embedder {
    /// The vectors of all images in a folder, in the order of their names.
    fn folder(&self, dir: &Path) -> Result<Vectors> {
        let folder = ImageFolder::open(dir)?;
        let mut order: Vec<usize> = (0..folder.len()).collect();
        order.sort_by_key(|&index| folder.name(index));
        let len = self.transform.view_len();
        let mut vectors =
            Vectors { names: Vec::new(), values: Vec::new(), size: self.encoder.feature_size() };
        for batch in order.chunks(BATCH) {
            let mut pixels = Vec::with_capacity(batch.len() * len);
            for &index in batch {
                let name = folder.name(index);
                let image = match folder.image(index) {
                    Ok(image) => image,
                    Err(error) if error.is_one_image() => {
                        eprintln!("skipped: {:#}", anyhow::Error::from(error));
                        continue;
                    }
                    Err(error) => return Err(error.into()),
                };
                let start = pixels.len();
                pixels.resize(start + len, 0.0);
                self.transform.view_into(&image, &mut pixels[start..]).context(name.clone())?;
                vectors.names.push(name);
            }
            if !pixels.is_empty() {
                vectors.values.extend(self.vectors(pixels)?);
            }
        }
        if vectors.names.is_empty() {
            bail!("expected an image that can be read in {}, found none", dir.display());
        }
        Ok(vectors)
    }

    /// The vectors of images, one after the other.
    fn vectors(&self, pixels: Vec<f32>) -> Result<Vec<f32>> {
        let side = self.transform.size() as usize;
        let images = pixels.len() / self.transform.view_len();
        let images = TensorData::new(pixels, [images, 3, side, side]);
        let features = self.encoder.encode(Tensor::from_data(images, &self.device));
        features.into_data().try_to_vec::<f32>().context("cannot read the vectors from the device")
    }
}

/// Vectors of named images.
struct Vectors {
    names: Vec<String>,
    /// Row by row.
    values: Vec<f32>,
    /// Length of one.
    size: usize,
}

impl Vectors {
    /// The `count` images with the highest cosine to `query`, the most alike first.
    fn nearest(&self, query: &[f32], count: usize) -> Vec<(f64, &str)> {
        let rows = self.values.chunks_exact(self.size);
        let mut all: Vec<(f64, &str)> =
            rows.map(|row| cosine(row, query)).zip(self.names.iter().map(String::as_str)).collect();
        all.sort_by(|a, b| b.0.total_cmp(&a.0));
        all.truncate(count);
        all
    }

    fn bytes(&self) -> Vec<u8> {
        self.values.iter().flat_map(|value| value.to_le_bytes()).collect()
    }
}

fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let product = |a: &[f32], b: &[f32]| -> f64 {
        a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
    };
    let lengths = (product(a, a) * product(b, b)).sqrt();
    if lengths > 0.0 { product(a, b) / lengths } else { 0.0 }
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

    fn write(&self, vectors: &Vectors, path: &Path) -> Result<()> {
        let written = match self {
            Self::Npy => write_npy(vectors, path),
            Self::Safetensors => write_safetensors(vectors, path),
        };
        written.with_context(|| format!("cannot write {}", path.display()))
    }
}

/// The format of `.npy`, version 1.0: a Python dict of what follows, padded to a multiple of 64 bytes.
fn write_npy(vectors: &Vectors, path: &Path) -> Result<()> {
    const FIXED_BYTES: usize = 10;
    let shape = format!("({}, {})", vectors.names.len(), vectors.size);
    let mut header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}");
    let padded = (FIXED_BYTES + header.len() + 1).next_multiple_of(64) - FIXED_BYTES;
    header.push_str(&" ".repeat(padded - header.len() - 1));
    header.push('\n');
    let mut file = BufWriter::new(File::create(path)?);
    file.write_all(b"\x93NUMPY\x01\x00")?;
    file.write_all(&u16::try_from(header.len())?.to_le_bytes())?;
    file.write_all(header.as_bytes())?;
    file.write_all(&vectors.bytes())?;
    file.flush()?;
    Ok(std::fs::write(path.with_extension("txt"), vectors.names.join("\n") + "\n")?)
}

/// One tensor, `vectors`, and the names as a JSON list in the metadata.
fn write_safetensors(vectors: &Vectors, path: &Path) -> Result<()> {
    let bytes = vectors.bytes();
    let shape = vec![vectors.names.len(), vectors.size];
    let tensor = TensorView::new(Dtype::F32, shape, &bytes)?;
    let names = serde_json::to_string(&vectors.names)?;
    let metadata = [("names".to_owned(), names)].into_iter().collect();
    Ok(safetensors::serialize_to_file([("vectors", tensor)], Some(metadata), path)?)
}
