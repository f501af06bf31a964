//! What was found, for people.

use std::fmt::Write as _;

use simclr::train::DeviceDescription;

use super::examined::{Examined, LargestBatch, Parity, difference};
use super::largest_batch::Limit;
use super::outcome::Outcome;
use super::parity::Products;
use super::sizes::Sizes;
use super::speed::Speed;

/// The device, and the sizes that it is measured with.
pub(super) fn heading(device: &DeviceDescription, sizes: &Sizes) -> String {
    let adapter = device.adapter.as_deref().unwrap_or("no GPU");
    let kind = if device.adapter.is_some() && !device.is_gpu { ", a software driver" } else { "" };
    let [bf16, f16] = [device.bf16, device.f16].map(|has| if has { "yes" } else { "no" });
    let mut text = format!("device           {} ({adapter}{kind})\n", device.name);
    if let Some(target) = &device.target {
        line(&mut text, "kernels for", target);
    }
    line(&mut text, "16-bit numbers", &format!("bf16 {bf16}, f16 {f16}"));
    let (encoder, size, images) = (&sizes.encoder, sizes.size, sizes.batch_size);
    let sizes = format!("{encoder}, {size} px, {images} images in a step, each in two views");
    line(&mut text, "sizes", &sizes);
    text
}

/// The comparison with the CPU.
pub(super) fn parity(parity: &Parity) -> String {
    let products = match parity.products {
        Some(Products::F32) => "products of f32 numbers are exact",
        Some(Products::Tf32) => {
            "products of f32 numbers are computed in TF32 (10 of 23 binary digits), which the tolerances allow for"
        }
        Some(Products::Lower) => "products of f32 numbers keep fewer than 10 of 23 binary digits",
        None => "nothing is known about products",
    };
    let mut text = format!("\ncompared with the CPU: {products}\n");
    for check in &parity.checks {
        let passes = if check.passes { "ok    " } else { "DIFFERS" };
        let _ = writeln!(text, "  {passes} {:<42} {}", check.check, difference(check));
    }
    match &parity.outcome {
        Outcome::Ok(_) => {}
        other => {
            let _ = writeln!(text, "  the other checks: {}", other.in_words(|_| String::new()));
        }
    }
    text
}

/// How fast it is.
pub(super) fn speeds(examined: &Examined) -> String {
    let mut text = String::from(
        "\nspeed, after a warm-up: the median of several measurements, each with one wait at its end\n",
    );
    for row in &examined.training {
        let what = format!("training step, {}, {} images", row.precision, row.images);
        line(&mut text, &what, &row.outcome.in_words(|speed| rate(row.images, speed)));
    }
    let row = &examined.embedding;
    let what = format!("embedding, f32, {} images", row.images);
    line(&mut text, &what, &row.outcome.in_words(|speed| rate(row.images, speed)));
    for row in &examined.loss {
        let what = format!("NT-Xent and gradient, n = {}", row.n);
        line(&mut text, &what, &row.outcome.in_words(milliseconds));
    }
    let largest = examined.largest_batch.in_words(largest_batch);
    line(&mut text, "largest batch, f32", &largest);
    let _ = writeln!(text, "it took {:.0} s", examined.seconds);
    text
}

fn line(text: &mut String, what: &str, value: &str) {
    let _ = if text.starts_with('\n') {
        writeln!(text, "  {what:<36} {value}")
    } else {
        writeln!(text, "{what:<16} {value}")
    };
}

fn rate(images: usize, speed: &Speed) -> String {
    format!("{} images/s, {}", Figures(images as f64 / speed.seconds), milliseconds(speed))
}

fn milliseconds(speed: &Speed) -> String {
    format!("{} ms (median of {})", Figures(1e3 * speed.seconds), speed.measurements)
}

/// Prints three figures, and no decimals of a number that has so many before them.
struct Figures(f64);

impl std::fmt::Display for Figures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let decimals = (2.0 - self.0.abs().max(1e-9).log10().floor()).clamp(0.0, 6.0) as usize;
        write!(f, "{:.decimals$}", self.0)
    }
}

fn largest_batch(largest: &LargestBatch) -> String {
    let images = largest.images;
    match largest.limited_by {
        Limit::Memory => format!("{images} images; {} don't fit", 2 * images),
        Limit::Time => format!("at least {images} images; the time didn't allow for more"),
        Limit::Size => format!("at least {images} images; no larger one was tried"),
    }
}
