//! Lends this machine's devices to training runs on other machines.
//!
//! ```sh
//! export SIMCLR_REMOTE_TOKEN=...    # the same secret on all machines
//! cargo run --release --features remote --example device_server -- --address 192.0.2.7 --device flex
//! ```
//!
//! It prints the name by which the other machines call the device, for their `--device`, and serves until Ctrl-C.
//! `docs/training.md` shows a run over several machines.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Parser;
use simclr::train::{DeviceServer, REMOTE_TOKEN, device_from_name};

/// Lend this machine's devices to training runs elsewhere.
#[derive(Parser)]
#[command(about, long_about = None)]
struct Options {
    /// The devices to lend, with commas, all of one backend: flex, cuda:0,cuda:1, ...
    #[arg(long, value_name = "NAME", default_value = "flex")]
    device: String,
    /// This machine's address as others see it
    #[arg(long, value_name = "IP", default_value = "127.0.0.1")]
    address: String,
    /// The UDP port to listen on
    #[arg(long, value_name = "N", default_value_t = 4433)]
    port: u16,
    /// The file with this server's secret key, made if there is none
    #[arg(long, value_name = "FILE", default_value = "device_server.key")]
    key: PathBuf,
}

fn main() -> Result<()> {
    let options = Options::parse();
    let token = std::env::var(REMOTE_TOKEN)
        .with_context(|| format!("expected a secret in the environment variable {REMOTE_TOKEN}"))?;
    let devices = options.device.split(',').map(device_from_name).collect::<Result<Vec<_>, _>>()?;
    let count = devices.len();
    let server = DeviceServer::new(devices, &options.key, options.port, &token)?;
    let name = server.name(&options.address);
    println!("{name}");
    for index in 1..count {
        println!("{name}/{index}");
    }
    server.serve()?;
    Ok(())
}
