//! `simclr odd`.

use anyhow::Result;
use clap::Args;
use serde_json::{Value, json};
use simclr::data::printable;
use simclr::embed::{NeighbourGraph, outlier_scores};

use crate::output::Output;
use crate::photo_args::PhotoArgs;
use crate::table_args::TableArgs;

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    photos: PhotoArgs,
    /// How many images to name; the table has all
    #[arg(short, long, value_name = "N", default_value_t = 20)]
    count: usize,
    /// Nearest images whose mean distance, 1 - cosine, says how odd an image is
    #[arg(long, value_name = "K", default_value_t = 10)]
    neighbours: usize,
    /// For sets of 20,000 images and more, whose nearest images are searched by chance
    #[arg(long, value_name = "SEED", default_value_t = 0)]
    seed: u64,
    #[command(flatten)]
    table: TableArgs,
}

impl Arguments {
    pub(crate) fn run(&self, output: &Output) -> Result<()> {
        self.table.check()?;
        let photos = self.photos.embed()?;
        let (features, device) = (&photos.embedded.features, photos.embedder.device());
        let graph = NeighbourGraph::new(features, self.neighbours, self.seed, device)?;
        let scores = outlier_scores(&graph);
        let mut ranked: Vec<(f32, &String)> = scores.into_iter().zip(photos.names()).collect();
        // Of equals the first of the set comes first.
        ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
        let named = &ranked[..self.count.min(ranked.len())];
        for (distance, name) in named {
            output.line(format!("{distance:.4}  {}", printable(name)));
        }
        let json =
            |(distance, name): &(f32, &String)| json!({ "name": name, "distance": distance });
        let rows = ranked.iter().map(|(distance, name)| [(*name).clone(), distance.to_string()]);
        let result = json!({
            "images": ranked.len(),
            "skipped_images": photos.embedded.skipped.len(),
            "neighbours": graph.k(),
            "odd": named.iter().map(json).collect::<Vec<Value>>(),
        });
        self.table.write(["name", "distance"], rows, output, result)
    }
}
