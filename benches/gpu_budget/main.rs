//! What a training step and an embedding batch ask of a GPU, counted and not timed: any driver will do, a software one
//! included.
//!
//! ```text
//! cargo bench --features wgpu --bench gpu_budget                          every case, as a table
//! cargo bench --features wgpu --bench gpu_budget -- --check               fails where a count exceeds its budget
//! cargo bench --features wgpu --bench gpu_budget -- resnet18 --small      with slim networks, and 4 images of 32 pixels instead of 8 of 64
//! cargo bench --features wgpu --bench gpu_budget -- resnet50 f16 --kernels    one case, with its launches by kernel
//! cargo bench --features wgpu --bench gpu_budget -- --convolutions            the kernels of a ResNet-50's convolutions
//! ```
//!
//! Counted are kernel launches, by CubeCL's observer; reads of the host and their bytes, and buffers that it writes, by what wgpu logs;
//! the bytes that the library sends, by `simclr-traffic`; and the most memory that buffers hold at once, by looking every millisecond.
//!
//! A training step is the library's own: two views of each image made on the device, encoder, head, loss, gradients and
//! optimiser. Counts are the difference between a run of three steps and one of two, after another run: what belongs to a
//! run's begin and end, to the first step, to compilation and to autotune isn't in them.

mod cases;
mod convolutions;
mod counts;
mod launches;
mod memory;
mod wgpu_calls;

use std::process::ExitCode;

use burn::tensor::{Device, FloatDType};
use serde_json::json;
use simclr::train::{Precision, device_from_name};

use cases::{Case, Sizes, Work};
use counts::Counts;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let has = |flag: &str| arguments.iter().any(|argument| argument == flag);
    let words: Vec<&str> =
        arguments.iter().map(String::as_str).filter(|a| !a.starts_with("--")).collect();
    let name = std::env::var("SIMCLR_BUDGET_DEVICE").unwrap_or_else(|_| "wgpu".to_owned());
    let device = device_from_name(&name).expect("a device of this build");
    let sizes = if has("--small") { Sizes::SMALL } else { Sizes::USUAL };
    if has("--convolutions") {
        let dtype = if words.contains(&"f16") { FloatDType::F16 } else { FloatDType::F32 };
        convolutions::print(sizes, &device, dtype);
        return ExitCode::SUCCESS;
    }
    let mut exceeded = Vec::new();
    println!("{HEADER}");
    for case in cases::CASES {
        let named = case.to_string();
        if !words.iter().all(|word| named.split(' ').any(|part| part == *word)) {
            continue;
        }
        if !supports(&device, case.precision) {
            println!("| {named:<28} | not on this device |");
            continue;
        }
        let counts = case.count(sizes, &device);
        println!("{}", row(&named, &counts));
        exceeded.extend(case.exceeded(sizes, &counts));
        if has("--kernels") {
            kernels(&counts);
        }
        if has("--json") {
            println!("{}", record(case, sizes, &counts));
        }
    }
    if has("--check") && !exceeded.is_empty() {
        eprintln!("{}", exceeded.join("\n"));
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

const HEADER: &str = "\
| case                         | launches | reads | bytes down | bytes up | host writes | peak MiB |
|------------------------------|----------|-------|------------|----------|-------------|----------|";

fn row(named: &str, counts: &Counts) -> String {
    format!(
        "| {named:<28} | {:>8.1} | {:>5.1} | {:>10.1} | {:>8.1} | {:>11.1} | {:>8.1} |",
        counts.launches(),
        counts.reads,
        counts.bytes_down,
        counts.bytes_up,
        counts.writes,
        counts.peak_mib(),
    )
}

fn supports(device: &Device, precision: Precision) -> bool {
    match precision {
        Precision::F16 => device.supports_dtype(FloatDType::F16),
        Precision::Bf16 => device.supports_dtype(FloatDType::BF16),
        _ => true,
    }
}

/// The launches of each kernel, the most frequent first.
fn kernels(counts: &Counts) {
    let mut kernels: Vec<_> = counts.by_kernel.iter().collect();
    kernels.sort_by(|a, b| b.1.total_cmp(a.1));
    for (kernel, launches) in kernels {
        println!("    {launches:>8.1}  {kernel}");
    }
}

fn record(case: &Case, sizes: Sizes, counts: &Counts) -> serde_json::Value {
    json!({
        "network": case.network,
        "work": match case.work { Work::Step => "step", Work::Embedding => "embedding" },
        "precision": case.precision.to_string(),
        "images": sizes.images,
        "size": sizes.size,
        "launches": counts.launches(),
        "reads": counts.reads,
        "bytes_down": counts.bytes_down,
        "bytes_up": counts.bytes_up,
        "writes": counts.writes,
        "peak_bytes": counts.peak,
        "by_kernel": counts.by_kernel,
    })
}
