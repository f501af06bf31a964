//! What crosses between host and device, as wgpu logs it, whoever asks for it: Burn and CubeCL included.

use std::collections::HashMap;
use std::sync::{Mutex, Once, PoisonError};

use log::{LevelFilter, Log, Metadata, Record};

/// Reads and writes of this process.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Calls {
    /// Buffers that the host asked for, each of which somebody waits for.
    pub(crate) reads: u64,
    pub(crate) bytes_down: u64,
    /// Buffers that the host wrote, those with the kernels' own sizes and strides included.
    pub(crate) writes: u64,
}

/// What wgpu said so far.
#[derive(Default)]
struct Said {
    calls: Calls,
    /// The size of the last copy into each buffer, by its name.
    copies: HashMap<String, u64>,
}

struct Listener(Mutex<Option<Said>>);

static LISTENER: Listener = Listener(Mutex::new(None));

impl Log for Listener {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("wgpu_core")
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        if let Some(said) = &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            said.take(&record.args().to_string());
        }
    }

    fn flush(&self) {}
}

impl Said {
    /// Takes in one of wgpu-core's messages about calls of its interface.
    fn take(&mut self, message: &str) {
        let (call, rest) = message.split_once(' ').unwrap_or((message, ""));
        match call {
            "Queue::write_buffer" | "Queue::create_staging_buffer" => self.calls.writes += 1,
            "CommandEncoder::copy_buffer_to_buffer" => {
                // "SOURCE -> DESTINATION Some(SIZE)bytes"
                if let Some((_, rest)) = rest.split_once(" -> ")
                    && let Some((destination, size)) = rest.split_once(' ')
                {
                    let digits = size.chars().filter(char::is_ascii_digit).collect::<String>();
                    self.copies.insert(destination.to_owned(), digits.parse().unwrap_or(0));
                }
            }
            // "BUFFER offset ..."
            "Buffer::map_async" => {
                let buffer = rest.split(' ').next().unwrap_or("");
                self.calls.reads += 1;
                self.calls.bytes_down += self.copies.remove(buffer).unwrap_or(0);
            }
            _ => {}
        }
    }
}

/// Runs `work`, and counts what crosses meanwhile. On a backend without wgpu that is nothing.
pub(crate) fn count<T>(work: impl FnOnce() -> T) -> (T, Calls) {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        log::set_logger(&LISTENER).expect("no other logger");
        log::set_max_level(LevelFilter::Trace);
    });
    let listener = || LISTENER.0.lock().unwrap_or_else(PoisonError::into_inner);
    *listener() = Some(Said::default());
    let result = work();
    let said = listener().take().unwrap_or_default();
    (result, said.calls)
}
