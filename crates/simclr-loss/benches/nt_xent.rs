//! NT-Xent, forward and backward: seconds and memory of each form by batch size, as JSON lines.
//!
//! ```text
//! cargo bench --workspace --bench nt_xent                     every case, one process each
//! cargo bench --workspace --bench nt_xent -- tiled 4096 128   one case: form, n, d
//! ```
//!
//! A case runs in a process of its own, because its memory is the growth of the process's peak.

use std::hint::black_box;
use std::process::Command;
use std::time::Instant;

use burn::tensor::{Device, Distribution, Tensor};
use serde_json::json;
use simclr_loss::{NaiveNtXent, NtXent, TiledNtXent, VectorizedNtXent};

const TEMPERATURE: f64 = 0.5;

/// Each form with its largest batch: naive takes 4 n² steps, vectorized 16 n² bytes for each matrix.
const FORMS: [(&str, usize); 5] =
    [("naive", 64), ("vectorized", 8192), ("tiled", 65_536), ("nt_xent", 8192), ("products", 8192)];
const BATCHES: [usize; 10] = [64, 128, 256, 512, 1024, 2048, 4096, 8192, 16_384, 65_536];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    match arguments.as_slice() {
        [] => every_case(),
        [form, n, d] => {
            let number = |text: &str| text.parse().expect("n and d are whole numbers");
            println!("{}", case(form, number(n), number(d)));
        }
        _ => panic!("expected no argument, or: FORM N D"),
    }
}

fn every_case() {
    let this = std::env::current_exe().expect("the bench knows its own path");
    for (form, largest) in FORMS {
        for n in BATCHES.iter().filter(|&&n| n <= largest) {
            let status = Command::new(&this)
                .args([form, &n.to_string(), "128"])
                .status()
                .expect("the bench can start itself");
            assert!(status.success(), "{form} at n = {n} failed");
        }
    }
}

fn case(form: &str, n: usize, d: usize) -> serde_json::Value {
    let device = Device::flex().autodiff();
    let random = || Tensor::<2>::random([n, d], Distribution::Normal(0.0, 1.0), &device);
    let (z_a, z_b) = (random().require_grad(), random().require_grad());
    let before = peak_mib();

    let step = || {
        let start = Instant::now();
        let gradients = forward(form, z_a.clone(), z_b.clone()).backward();
        black_box((z_a.grad(&gradients), z_b.grad(&gradients)));
        start.elapsed().as_secs_f64()
    };
    let first = step();
    // The first step also touches new memory: it counts only where further ones would take too long.
    let mut seconds = if first > 3.0 {
        vec![first]
    } else {
        (0..(1.0 / first).clamp(5.0, 200.0) as usize).map(|_| step()).collect()
    };
    seconds.sort_by(f64::total_cmp);
    json!({
        "form": form,
        "n": n,
        "d": d,
        "seconds": seconds[seconds.len() / 2],
        "extra_mib": peak_mib() - before,
        "peak_mib": peak_mib(),
    })
}

fn forward(form: &str, z_a: Tensor<2>, z_b: Tensor<2>) -> Tensor<1> {
    let checked = "the temperature is valid";
    match form {
        "naive" => NaiveNtXent::new(TEMPERATURE).expect(checked).forward(z_a, z_b),
        "vectorized" => VectorizedNtXent::new(TEMPERATURE).expect(checked).forward(z_a, z_b),
        "tiled" => TiledNtXent::new(TEMPERATURE).expect(checked).forward(z_a, z_b),
        "nt_xent" => NtXent::new(TEMPERATURE).expect(checked).forward(z_a, z_b),
        "products" => products(z_a, z_b),
        other => {
            panic!("expected naive, vectorized, tiled, nt_xent or products, found {other}")
        }
    }
}

/// Rows and columns of a tile of [`products`].
const TILE: usize = 1024;

/// Not a loss but the least work of one: z zᵀ twice by Burn's matrix product, in tiles that stay in the
/// cache.
fn products(z_a: Tensor<2>, z_b: Tensor<2>) -> Tensor<1> {
    let sum = (z_a.clone() + z_b.clone()).mean(); // Gives the backward pass a gradient to compute.
    let z = Tensor::cat(vec![z_a, z_b], 0).detach();
    let columns = z.clone().transpose().split(TILE, 1);
    for rows in [z.clone().split(TILE, 0), z.split(TILE, 0)].concat() {
        for columns in &columns {
            black_box(rows.clone().matmul(columns.clone()));
        }
    }
    sum
}

/// The peak memory of this process in MiB: `VmHWM` of Linux; 0 elsewhere.
fn peak_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|rest| rest.trim().trim_end_matches(" kB").trim().parse::<f64>().ok())
        .map_or(0.0, |kib| kib / 1024.0)
}
