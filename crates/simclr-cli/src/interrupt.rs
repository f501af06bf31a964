//! Ctrl-C: the first stops after the current step or epoch, the second at once.

use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};
use simclr::train::restore_terminal;

/// Calls `stop`, which ends the work after the current `unit` ("step", "epoch"), at the first Ctrl-C. The second ends the
/// process.
pub(crate) fn on_ctrl_c(unit: &'static str, stop: impl Fn() + Send + 'static) -> Result<()> {
    let asked = AtomicBool::new(false);
    ctrlc::set_handler(move || {
        if asked.swap(true, Ordering::Relaxed) {
            restore_terminal();
            std::process::exit(130);
        }
        stop();
        // The terminal may be gone: that it was closed is such a signal too.
        let _ =
            writeln!(std::io::stderr(), "\nstopping after this {unit}; Ctrl-C again stops at once");
    })
    .context("cannot listen for Ctrl-C")
}
