//! `simclr explore`.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use anyhow::Result;
use clap::Args;
use serde_json::json;
use simclr::data::{Opening, WholeSet};
use simclr::embed::Embedder;
use simclr::explore::{Exploration, Server, Stage};
use simclr::train::RunDirectory;

use crate::bar::Bar;
use crate::data_args::{index_of_run, listing_progress, warn};
use crate::device_args::DeviceArgs;
use crate::interrupt::on_ctrl_c;
use crate::output::Output;

#[derive(Args)]
pub(crate) struct Arguments {
    /// Run directory of the encoder; labels, vectors and the map are kept there
    #[arg(long, value_name = "RUN")]
    run: PathBuf,
    /// Folder of photos (in folders of splits and classes or not), of tar shards, or of STL-10's or
    /// CIFAR-10's binary files; or a tar file, or a pattern such as 'train-{000..146}.tar'
    #[arg(long, value_name = "DATA")]
    data: PathBuf,
    /// Port of 127.0.0.1 to listen at; 0 takes a free one
    #[arg(long, value_name = "N", default_value_t = 0)]
    port: u16,
    /// Open the page in the browser
    #[arg(long)]
    open: bool,
    #[command(flatten)]
    device: DeviceArgs,
}

impl Arguments {
    pub(crate) fn run(&self, output: &Output) -> Result<()> {
        let run = RunDirectory::open(&self.run)?;
        let embedder = Embedder::open(&self.run, &self.device.open()?)?;
        let opening = Opening {
            ground: embedder.transform().ground().0,
            index: index_of_run(&run, Some(&self.data)),
            progress: Some(listing_progress()),
            ..Opening::default()
        };
        let images = WholeSet::open_with(&self.data, &opening)?;
        warn(images.warnings());
        let stages = Stages::default();
        let exploration =
            Exploration::open(&self.run, Arc::new(images), embedder, &|stage| stages.tell(stage))?;
        drop(stages);
        let server = Server::bind(exploration, self.port)?;
        // Before the address is printed: whoever has it may already end the command.
        let stopper = server.stopper();
        on_ctrl_c("answer", move || stopper.stop())?;
        let (address, images) = (server.address(), server.exploration().len());
        if server.exploration().skipped() > 0 {
            eprintln!("{} images cannot be read and are left out", server.exploration().skipped());
        }
        output.line(format!("{images} images at {address}"));
        output.line("Ctrl-C ends it; whoever has this address can see the images and label them");
        output.result(&json!({ "address": address, "images": images }));
        if self.open
            && let Err(error) = open::that_detached(&address)
        {
            eprintln!("warning: cannot open a browser: {error}");
        }
        Ok(server.run()?)
    }
}

/// Shows what takes long.
#[derive(Default)]
struct Stages(Mutex<Option<Bar>>);

impl Stages {
    fn tell(&self, stage: Stage) {
        // Another thread that holds the lock is showing it right now.
        let Ok(mut bar) = self.0.try_lock() else { return };
        match stage {
            Stage::Embedding { done, of } => {
                bar.get_or_insert_with(|| Bar::new("embedding", of, "images")).set(done);
            }
            Stage::Doing(what) => {
                *bar = None;
                eprintln!("{what}");
            }
            _ => {}
        }
    }
}
