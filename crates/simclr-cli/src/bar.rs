//! Progress of what takes longer than two seconds.

use std::io::IsTerminal;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// What takes less time shows no progress.
const PATIENCE: Duration = Duration::from_secs(2);
/// Time between two lines, where there is no terminal to draw a bar on.
const LINE_INTERVAL: Duration = Duration::from_secs(10);

/// A bar on the standard error, with rate and time left; a line now and then where that is no terminal.
pub(crate) struct Bar {
    drawn: ProgressBar,
    what: String,
    terminal: bool,
    started: Instant,
    next: Mutex<Instant>,
}

impl Bar {
    /// A count of units, where nobody knows how many there will be.
    pub(crate) fn uncounted(what: impl Into<String>, unit: &str) -> Self {
        let bar = Self::new(what, 0, unit);
        bar.drawn.unset_length();
        let template = format!("{{spinner}} {{msg}} {{human_pos}} {unit}  {{per_sec}}");
        bar.drawn
            .set_style(ProgressStyle::with_template(&template).expect("the template is valid"));
        bar
    }

    /// A bar over `total` units; `unit` is their name in the plural, such as "images".
    pub(crate) fn new(what: impl Into<String>, total: usize, unit: &str) -> Self {
        let what = what.into();
        let target = ProgressDrawTarget::hidden();
        let bar = ProgressBar::with_draw_target(Some(total as u64), target);
        let template = format!(
            "{{msg}} {{wide_bar}} {{human_pos}}/{{human_len}} {unit}  {{per_sec}}  {{eta}} left"
        );
        bar.set_style(ProgressStyle::with_template(&template).expect("the template is valid"));
        bar.set_message(what.clone());
        let now = Instant::now();
        let terminal = std::io::stderr().is_terminal();
        Self { drawn: bar, what, terminal, started: now, next: Mutex::new(now + PATIENCE) }
    }

    /// Counts `units` more as done.
    pub(crate) fn add(&self, units: usize) {
        self.drawn.inc(units as u64);
        self.show();
    }

    /// Sets how many units are done.
    pub(crate) fn set(&self, units: usize) {
        self.drawn.set_position(units as u64);
        self.show();
    }

    fn show(&self) {
        // Another thread that holds the lock is showing it right now.
        let Ok(mut next) = self.next.try_lock() else { return };
        if Instant::now() < *next {
            return;
        }
        if self.terminal {
            if self.drawn.is_hidden() {
                self.drawn.set_draw_target(ProgressDrawTarget::stderr());
            }
            return;
        }
        *next = Instant::now() + LINE_INTERVAL;
        let done = self.drawn.position();
        let elapsed = self.started.elapsed().as_secs_f64();
        let Some(total) = self.drawn.length() else {
            return eprintln!("{}: {done}, {:.0}/s", self.what, done as f64 / elapsed);
        };
        let left = elapsed * total.saturating_sub(done) as f64 / done.max(1) as f64;
        let rate = done as f64 / elapsed;
        eprintln!("{}: {done} of {total}, {rate:.0}/s, {left:.0} s left", self.what);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.drawn.finish_and_clear();
    }
}

/// Shows a spinner during `work`, whose duration is unknown.
pub(crate) fn while_waiting<T>(what: &'static str, work: impl FnOnce() -> T) -> T {
    let bar = ProgressBar::new_spinner();
    bar.set_style(ProgressStyle::with_template("{spinner} {msg}  {elapsed}").expect("it is valid"));
    bar.set_message(what);
    bar.enable_steady_tick(Duration::from_millis(200));
    let result = work();
    bar.finish_and_clear();
    result
}
