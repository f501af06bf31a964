//! Ctrl-C: the first stops after the current step, the second at once.

use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};

/// Calls `stop` at the first Ctrl-C; the second ends the process.
pub(crate) fn on_ctrl_c(stop: impl Fn() + Send + 'static) -> Result<()> {
    let asked = AtomicBool::new(false);
    ctrlc::set_handler(move || {
        if asked.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
        eprintln!("\nstopping after this step; Ctrl-C again stops at once");
        stop();
    })
    .context("cannot listen for Ctrl-C")
}
