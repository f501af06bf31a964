//! A local page on which a folder of images is explored, searched and labelled, by the vectors of an encoder.
//!
//! An [`Exploration`] is a run, its images, and what their vectors tell: a map, groups, odd images, copies, neighbours. A [`Server`] shows it to the browsers of
//! this machine. A [`LabelSession`] is the part that learns: labels in, guesses for every image out, and which image to label next.
//!
//! ```
//! use std::sync::Arc;
//!
//! use burn::tensor::Device;
//! use simclr_augment::SimClrAugmentation;
//! use simclr_data::{Sample, SampleConfig};
//! use simclr_embed::Embedder;
//! use simclr_explore::{Exploration, Server};
//! use simclr_model::EncoderConfig;
//!
//! # let run = tempfile::tempdir()?;
//! let device = Device::flex();
//! // or `Embedder::open("run", &device)?`
//! let encoder: EncoderConfig = "mlp_i8_4".parse()?;
//! let transform = SimClrAugmentation::cifar10().with_size(8)?.evaluation();
//! let embedder = Embedder::new(encoder.init(0, &device)?, transform, &device);
//! // or `WholeSet::open("photos")?`
//! let images = Sample::new(SampleConfig { images: 20, size: 32, ..SampleConfig::default() })?;
//!
//! let exploration = Exploration::open(&run, Arc::new(images), embedder, &|_| ())?;
//! let server = Server::bind(exploration, 0)?;
//! println!("open {}", server.address());
//! let stopper = server.stopper(); // for Ctrl-C
//! stopper.stop();
//! server.run()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Who may ask
//!
//! The server listens at 127.0.0.1 alone. Its address holds a random token of 128 bits; whoever asks without it, by another host's name (as a page that
//! rebinds its name to this machine would), or from a page of another origin, is refused. Images are named by their number, never by a path: nothing but the
//! images of the data set, the page and its answers is served. The page runs no script and loads nothing but its own, names are text and never markup,
//! and it knows no way to change or remove an image.
//!
//! # Where to go next
//!
//! - Guide: [exploring](https://docs.rs/crate/simclr/latest/source/docs/explore.md).
//! - Beside it: [`simclr-embed`](simclr_embed) makes the vectors and answers the questions, [`simclr-eval`](simclr_eval) has the
//!   solver, [`simclr-report`](https://docs.rs/simclr-report) writes a page to keep, and [`simclr`](https://docs.rs/simclr) is all of it under
//!   one roof.

mod background;
mod copies;
mod error;
mod exploration;
mod grouping;
mod images;
mod labels;
mod likeness;
mod map_positions;
mod outlines;
mod preparation;
mod server;
mod uploads;
mod vectors;

pub use error::ExploreError;
pub use exploration::{Exploration, Stage};
pub use labels::{Guesses, HeldOut, LabelSession};
pub use server::{Server, Stopper};
/// The error for a value out of range, the same in every crate.
pub use simclr_range::OutOfRange;

/// The README's code is tested with the crate.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
