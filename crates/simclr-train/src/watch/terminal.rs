//! The terminal behind the dashboard.

#[cfg(unix)]
use std::sync::{Mutex, PoisonError};

/// The terminal's settings before the dashboard changed them.
#[cfg(unix)]
static BEFORE: Mutex<Option<rustix::termios::Termios>> = Mutex::new(None);

/// What the dashboard turns on: the mouse, a screen of its own, and no cursor.
#[cfg(unix)]
const LEAVE: &[u8] = b"\x1b[?1006l\x1b[?1015l\x1b[?1003l\x1b[?1002l\x1b[?1000l\x1b[?1049l\x1b[?25h";

/// Remembers the terminal's settings, before the dashboard begins.
pub(crate) fn remember_terminal() {
    #[cfg(unix)]
    if let Ok(settings) = rustix::termios::tcgetattr(std::io::stdin()) {
        *BEFORE.lock().unwrap_or_else(PoisonError::into_inner) = Some(settings);
    }
}

/// Gives the terminal back as it was before a run's dashboard, for a process that ends in the middle of the run, as at a
/// second Ctrl-C. A run that ends by itself does so too. Without a dashboard it does nothing.
pub fn restore_terminal() {
    #[cfg(unix)]
    if let Some(before) = BEFORE.lock().unwrap_or_else(PoisonError::into_inner).take() {
        use std::io::Write;

        use rustix::termios::{OptionalActions, tcsetattr};

        // Nobody is left to be told of a failure.
        let mut out = std::io::stdout();
        let _ = out.write_all(LEAVE).and_then(|()| out.flush());
        let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, &before);
    }
}
