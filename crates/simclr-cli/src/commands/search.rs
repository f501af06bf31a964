//! `simclr search`.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use serde_json::{Value, json};
use simclr::data::printable;
use simclr::embed::{ImageIndex, Neighbour};

use crate::encoder_args::EncoderArgs;
use crate::failure::usage;
use crate::named_images::NamedImages;
use crate::output::Output;

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    encoder: EncoderArgs,
    /// Images to compare with those of the index; one that cannot be read doesn't lose the others
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
        index.preparation().check(&embedder.preparation()).with_context(|| {
            let path = self.index_file();
            format!(
                "{} is of images prepared in another way; `simclr embed` makes a new one",
                path.display()
            )
        })?;
        let queries = NamedImages::files(&self.queries, embedder.transform().ground().0);
        let embedded = embedder.embed(&queries)?;
        let failures = queries.failures(&embedded);
        let found = if embedded.features.is_empty() {
            Vec::new()
        } else {
            index.nearest(&embedded.features, self.count, embedder.device())?
        };
        let name = |neighbour: &Neighbour| &index.names()[neighbour.row as usize];
        let mut results = Vec::new();
        for (query, found) in embedded.names.iter().zip(&found) {
            output.line(format!("most like {query}:"));
            for neighbour in found {
                output.line(format!("  {:.4}  {}", neighbour.cosine, printable(name(neighbour))));
            }
            let json = |found: &Neighbour| json!({ "name": name(found), "cosine": found.cosine });
            let found: Vec<Value> = found.iter().map(json).collect();
            results.push(json!({ "query": query, "found": found }));
        }
        output.result(&json!({ "results": results, "failed": failures.json() }));
        failures.into_result()
    }

    fn index_file(&self) -> PathBuf {
        self.encoder.index_file(self.index.as_deref())
    }

    fn open_index(&self) -> Result<ImageIndex> {
        let path = self.index_file();
        if self.index.is_none() && !path.is_file() {
            return Err(usage(format!(
                "expected an index at {}, found none; `simclr embed --run {} --data DIR` makes it",
                path.display(),
                self.encoder.name(),
            )));
        }
        Ok(ImageIndex::load(&path)?)
    }
}
