//! `simclr search`.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use serde_json::{Value, json};
use simclr::data::{decode_image, printable};
use simclr::embed::{Embedder, Features, ImageIndex, Neighbour};

use crate::encoder_args::EncoderArgs;
use crate::failure::usage;
use crate::output::Output;

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    encoder: EncoderArgs,
    /// Images to compare with those of the index
    #[arg(value_name = "IMAGE", required = true)]
    queries: Vec<PathBuf>,
    /// Index that `simclr embed` wrote [default: index.safetensors in the run's folder]
    #[arg(long, value_name = "FILE", required_unless_present = "run")]
    index: Option<PathBuf>,
    /// How many images to find for each
    #[arg(short, long, value_name = "K", default_value_t = 5)]
    count: usize,
}

impl Arguments {
    pub(crate) fn run(&self, output: &Output) -> Result<()> {
        let index = self.open_index()?;
        let embedder = self.encoder.load()?;
        let queries = self.embed_queries(&embedder)?;
        let found = index.nearest(&queries, self.count, embedder.device())?;
        let name = |neighbour: &Neighbour| &index.names()[neighbour.row as usize];
        let mut results = Vec::new();
        for (query, found) in self.queries.iter().zip(&found) {
            let query = query.display().to_string();
            output.line(format!("most like {}:", printable(&query)));
            for neighbour in found {
                let name = printable(name(neighbour));
                output.line(format!("  {:.4}  {name}", neighbour.cosine));
            }
            let json = |found: &Neighbour| json!({ "name": name(found), "cosine": found.cosine });
            let found: Vec<Value> = found.iter().map(json).collect();
            results.push(json!({ "query": query, "found": found }));
        }
        output.result(&json!({ "results": results }));
        Ok(())
    }

    /// The index, if its vectors are by the encoder.
    fn open_index(&self) -> Result<ImageIndex> {
        let path = self.encoder.index_file(self.index.as_deref());
        let encoder = self.encoder.name();
        if self.index.is_none() && !path.is_file() {
            return Err(usage(format!(
                "expected an index at {}, found none; `simclr embed --run {encoder} --data DIR` makes it",
                path.display()
            )));
        }
        let index = ImageIndex::load(&path)?;
        if index.encoder() != self.encoder.checksum()? {
            return Err(usage(format!(
                "expected an index of vectors by the weights of {encoder}, found one by others in {}; \
                 `simclr embed` makes a new one",
                path.display()
            )));
        }
        Ok(index)
    }

    /// A vector for each query, in order. One image at a time is in memory.
    fn embed_queries(&self, embedder: &Embedder) -> Result<Features> {
        let mut vectors = Vec::new();
        for query in &self.queries {
            let vector = embedder.embed_image(&decode_image(query)?)?;
            vectors.extend_from_slice(vector.values());
        }
        Ok(Features::new(vectors, embedder.feature_size()))
    }
}
