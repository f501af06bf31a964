//! Ctrl-C while the dashboard is up.

/// Lets Ctrl-C raise SIGINT again under burn-train's dashboard.
///
/// The dashboard puts the terminal into raw mode, where Ctrl-C is a key like any other, and doesn't
/// listen to it. It does so from a thread of its own, hence the waiting; leaving raw mode restores what
/// was before it.
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
                // Without it, `q` still stops the run.
                let _ = tcsetattr(&terminal, OptionalActions::Now, &modes);
                return;
            }
            std::thread::sleep(POLL);
        }
    });
}

#[cfg(not(unix))]
pub(crate) fn keep_alive_under_dashboard() {}
