//! Ctrl-C under the dashboard.

/// Lets Ctrl-C raise SIGINT under burn-train's dashboard.
///
/// The dashboard puts the terminal into raw mode, where Ctrl-C is an ordinary key, which it ignores. It does so on a
/// thread of its own, so that this function has to wait for it. When the dashboard leaves raw mode, it restores the
/// terminal's earlier settings.
#[cfg(unix)]
pub(crate) fn keep_alive_under_dashboard() {
    use std::time::Duration;

    use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

    const POLL: Duration = Duration::from_millis(20);
    const POLLS: usize = 100;

    std::thread::spawn(|| {
        let terminal = std::io::stdin();
        for _ in 0..POLLS {
            let Ok(mut modes) = tcgetattr(&terminal) else { return };
            if !modes.local_modes.contains(LocalModes::ISIG) {
                modes.local_modes.insert(LocalModes::ISIG);
                // If it fails, `q` still stops the run.
                let _ = tcsetattr(&terminal, OptionalActions::Now, &modes);
                return;
            }
            std::thread::sleep(POLL);
        }
    });
}

#[cfg(not(unix))]
pub(crate) fn keep_alive_under_dashboard() {}
