//! Opens a run's folder with any bytes as its config, its figures or its summary. The result is what they say, or an error.

#![no_main]

use libfuzzer_sys::fuzz_target;
use simclr_fuzz::folder_with;
use simclr_train::{RunDirectory, RunOverview, read_metrics};

fuzz_target!(|bytes: &[u8]| {
    let Some((&which, bytes)) = bytes.split_first() else { return };
    let names = ["config.toml", "metrics.jsonl", "summary.json"];
    let folder = folder_with(&[("config.toml", &b""[..]), (names[usize::from(which) % 3], bytes)]);
    let Ok(run) = RunDirectory::open(folder.path()) else { return };
    let _ = (run.config(), run.summary(), read_metrics(&run.metrics()));
    let _ = (run.position(), RunOverview::of(&run), RunDirectory::check_free(folder.path()));
});
