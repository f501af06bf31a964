//! `simclr groups`.

use std::num::NonZeroUsize;

use anyhow::Result;
use clap::Args;
use serde_json::{Value, json};
use simclr::data::printable;
use simclr::embed::{GroupCount, SphericalKMeans, group_count};

use crate::bar::while_waiting;
use crate::failure::usage;
use crate::output::Output;
use crate::photo_args::PhotoArgs;
use crate::table_args::TableArgs;

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    photos: PhotoArgs,
    /// How many groups; auto takes the number, up to 100, of the highest simplified silhouette
    #[arg(short, long, value_name = "K|auto", default_value = "auto", value_parser = count)]
    count: Count,
    /// For the groups' first centres
    #[arg(long, value_name = "SEED", default_value_t = 0)]
    seed: u64,
    #[command(flatten)]
    table: TableArgs,
}

#[derive(Clone, Copy)]
enum Count {
    Auto,
    Of(NonZeroUsize),
}

fn count(text: &str) -> Result<Count, String> {
    if text == "auto" {
        return Ok(Count::Auto);
    }
    text.parse().map(Count::Of).map_err(|_| "expected a number of at least 1, or auto".to_owned())
}

impl Arguments {
    pub(crate) fn run(&self, output: &Output) -> Result<()> {
        self.table.check()?;
        let photos = self.photos.embed()?;
        let (features, device) = (&photos.embedded.features, photos.embedder.device());
        let images = features.len();
        let chosen = match self.count {
            Count::Of(count) if count.get() > images => {
                return Err(usage(format!(
                    "expected --count to be at most {images}, the number of images, found {count}"
                )));
            }
            Count::Of(count) => GroupCount { count: count.get(), silhouettes: Vec::new() },
            Count::Auto => {
                while_waiting("counting groups", || group_count(features, self.seed, device))?
            }
        };
        let kmeans = SphericalKMeans::new(chosen.count, self.seed)?;
        let groups = while_waiting("grouping", || kmeans.fit(features, device))?;

        let names = photos.names();
        let mut results = Vec::new();
        for group in 0..groups.len() {
            let members = groups.members(group);
            let medoid = &names[groups.medoids()[group]];
            let (number, size) = (group + 1, members.len());
            let images = if size == 1 { "image" } else { "images" };
            output.line(format!("group {number}: {size} {images} such as {}", printable(medoid)));
            let members: Vec<&String> = members.iter().map(|&row| &names[row]).collect();
            results
                .push(json!({ "group": number, "size": size, "medoid": medoid, "names": members }));
        }
        if groups.len() < chosen.count {
            output.line(format!(
                "{} images differ, too few for {} groups",
                groups.len(),
                chosen.count
            ));
        }
        let silhouette =
            |&(count, value): &(usize, f64)| json!({ "count": count, "silhouette": value });
        let row = |row: usize| {
            let group = groups.of()[row];
            let is_medoid = groups.medoids()[group] == row;
            [
                names[row].clone(),
                (group + 1).to_string(),
                groups.cosines()[row].to_string(),
                u8::from(is_medoid).to_string(),
            ]
        };
        let result = json!({
            "images": images,
            "skipped_images": photos.embedded.skipped.len(),
            "count": groups.len(),
            "silhouettes": chosen.silhouettes.iter().map(silhouette).collect::<Vec<Value>>(),
            "groups": results,
        });
        self.table.write(
            ["name", "group", "cosine", "medoid"],
            (0..images).map(row),
            output,
            result,
        )
    }
}
