//! The map of a set of vectors: user seconds of its three steps, as a JSON line.
//!
//! ```text
//! cargo bench --workspace --bench map -- VECTORS SIZE PLACES.npy
//! ```
//!
//! `VECTORS` holds little-endian f32, `SIZE` for each vector. `benches/curate/map.py` calls it, and compares the places with those of scikit-learn and umap-learn.

#[path = "process/mod.rs"]
mod process;

use std::path::Path;

use burn::tensor::Device;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde_json::json;
use simclr::embed::{Features, NeighbourGraph, PrincipalComponents, Tsne};

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    match arguments.as_slice() {
        [] => Ok(()),
        [vectors, size, places] => map(&read(vectors, size.parse()?)?, places.as_ref()),
        _ => anyhow::bail!("expected VECTORS SIZE PLACES.npy"),
    }
}

fn read(path: &str, size: usize) -> anyhow::Result<Features> {
    let bytes = std::fs::read(path)?;
    let values = bytes.as_chunks().0.iter().map(|&value| f32::from_le_bytes(value)).collect();
    Ok(Features::new(values, size))
}

fn map(features: &Features, out: &Path) -> anyhow::Result<()> {
    let tsne = Tsne::default();
    let start = process::user_seconds();
    let graph = NeighbourGraph::new(features, tsne.neighbours, 0, &Device::flex())?;
    let found = process::user_seconds();
    let components = PrincipalComponents::new(features, &mut ChaCha8Rng::seed_from_u64(0))?;
    let begun = process::user_seconds();
    let places = tsne.places(&graph, &components.places)?;
    let done = process::user_seconds();
    Features::new(places.concat(), 2).write_npy(out)?;
    let result = json!({
        "vectors": features.len(),
        "graph": found - start,
        "components": begun - found,
        "layout": done - begun,
    });
    println!("{result}");
    Ok(())
}
