//! How far a download is.

use simclr::data::{DownloadProgress, DownloadStage};

use crate::bar::Bar;

/// Shows how far a download is, a bar for each of its stages.
#[derive(Default)]
pub(crate) struct DownloadBar {
    shown: Option<(DownloadStage, Bar)>,
}

impl DownloadBar {
    pub(crate) fn show(&mut self, progress: DownloadProgress) {
        let stage = progress.stage;
        if self.shown.as_ref().is_none_or(|(old, _)| *old != stage) {
            let what = match stage {
                DownloadStage::Waiting => {
                    eprintln!("waiting for another process, which fetches the same file");
                    "waiting"
                }
                DownloadStage::Fetching => "fetching",
                DownloadStage::Verifying => "checking",
                _ => "unpacking",
            };
            let megabytes = progress.total.unwrap_or(0) / 1_000_000;
            self.shown = Some((stage, Bar::new(what, megabytes as usize, "MB")));
        }
        if let Some((_, bar)) = &self.shown {
            bar.set((progress.bytes / 1_000_000) as usize);
        }
    }
}
