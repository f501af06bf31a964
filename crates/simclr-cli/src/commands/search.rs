//! `simclr search`.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use serde_json::{Value, json};
use simclr::data::{decode_image, printable};
use simclr::embed::{ImageIndex, Neighbour};

use crate::commands::embed::INDEX;
use crate::encoder_args::EncoderArgs;
use crate::failure::usage;
use crate::output::Output;

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    encoder: EncoderArgs,
    /// Images to find the likes of
    #[arg(value_name = "IMAGE", required = true)]
    queries: Vec<PathBuf>,
    /// What `simclr embed` wrote [default: index.safetensors in the run's folder]
    #[arg(long, value_name = "FILE", required_unless_present = "run")]
    index: Option<PathBuf>,
    /// How many images to find
    #[arg(short, long, value_name = "K", default_value_t = 5)]
    count: usize,
}

impl Arguments {
    pub(crate) fn run(&self, output: &Output) -> Result<()> {
        let path = match (&self.index, &self.encoder.run) {
            (Some(index), _) => index.clone(),
            (None, Some(run)) => run.join(INDEX),
            (None, None) => return Err(usage("expected --index")),
        };
        if self.index.is_none() && !path.is_file() {
            let run = self.encoder.name();
            let message = format!(
                "expected an index at {}, found none; `simclr embed --run {run} --data DIR` makes it",
                path.display()
            );
            return Err(usage(message));
        }
        let index = ImageIndex::load(&path)?;
        let trained = self.encoder.load()?;
        if index.encoder() != trained.checksum {
            let message = format!(
                "expected an index of vectors by the weights of {}, found one by others in {}; \
                 `simclr embed` makes a new one",
                self.encoder.name(),
                path.display()
            );
            return Err(usage(message));
        }
        let mut results = Vec::new();
        for query in &self.queries {
            let vector = trained.embedder.embed_image(&decode_image(query)?)?;
            let found = index.nearest(&vector, self.count, trained.embedder.device())?;
            output.line(format!("most like {}:", printable(&query.display().to_string())));
            let name = |found: &Neighbour| &index.names()[found.row as usize];
            for found in &found[0] {
                output.line(format!("  {:.4}  {}", found.cosine, printable(name(found))));
            }
            let json = |found: &Neighbour| json!({ "name": name(found), "cosine": found.cosine });
            let found: Vec<Value> = found[0].iter().map(json).collect();
            results.push(json!({ "query": query.display().to_string(), "found": found }));
        }
        output.result(&json!({ "results": results }));
        Ok(())
    }
}
