//! A part of the examination in a process of its own: whatever a driver does, the other parts go on.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde::de::DeserializeOwned;

use super::outcome::Fault;
use super::task::Task;

/// What a process said before it ended.
pub(super) struct Said<T> {
    pub(super) results: Vec<T>,
    /// Why it ended early, if it did.
    pub(super) fault: Option<Fault>,
}

/// Runs `task` in a process of its own, and stops that after the task's limit.
pub(super) fn run<T: DeserializeOwned>(task: &Task) -> Result<Said<T>> {
    let program = std::env::current_exe().context("cannot find this program's own file")?;
    let mut child = Command::new(program)
        .args(["doctor", "--part", &serde_json::to_string(task)?])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("cannot start a process to measure in")?;
    let errors = all_of(child.stderr.take().expect("it is piped"));
    let lines = lines_of(child.stdout.take().expect("it is piped"));
    let deadline = Instant::now() + task.limit;
    let mut results = Vec::new();
    let mut ended = collect(&lines, deadline, |line| results.extend(serde_json::from_str(line)));
    while ended && Instant::now() < deadline && child.try_wait()?.is_none() {
        sleep(Duration::from_millis(10));
    }
    let status = child.try_wait()?;
    ended = status.is_some();
    if !ended {
        stop(&mut child)?;
    }
    let errors = errors.join().unwrap_or_default();
    let fault = match status {
        Some(status) if status.success() => None,
        // A driver that has no room may hang rather than fail.
        _ if tells_of_memory(&errors) => Some(Fault::OutOfMemory(reason(&errors))),
        Some(status) => Some(of_status(status, &errors)),
        None => {
            let limit = task.limit.as_secs_f64();
            Some(Fault::OutOfTime(format!("stopped after {limit:.0} s")))
        }
    };
    Ok(Said { results, fault })
}

/// Hands out the lines until there are no more, or until `deadline`; false for that.
fn collect(lines: &Receiver<String>, deadline: Instant, mut each: impl FnMut(&str)) -> bool {
    loop {
        match lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(line) => each(&line),
            Err(RecvTimeoutError::Disconnected) => return true,
            Err(RecvTimeoutError::Timeout) => return false,
        }
    }
}

fn lines_of(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, lines) = channel();
    spawn(move || {
        let lines = BufReader::new(stream).lines().map_while(std::result::Result::ok);
        lines.map(|line| sender.send(line)).take_while(std::result::Result::is_ok).count()
    });
    lines
}

fn all_of(mut stream: impl Read + Send + 'static) -> JoinHandle<String> {
    spawn(move || {
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

fn stop(child: &mut Child) -> Result<()> {
    child.kill().context("cannot stop a process that measures")?;
    child.wait()?;
    Ok(())
}

/// Why a process failed that printed `errors`.
fn of_status(status: ExitStatus, errors: &str) -> Fault {
    #[cfg(unix)]
    if std::os::unix::process::ExitStatusExt::signal(&status) == Some(9) {
        // Nobody else kills it.
        return Fault::OutOfMemory("the system killed the process".to_owned());
    }
    match reason(errors) {
        reason if reason.is_empty() => Fault::Failed(status.to_string()),
        reason => Fault::Failed(reason),
    }
}

/// Whether a driver, CubeCL or the allocator says that there is no room.
fn tells_of_memory(errors: &str) -> bool {
    let errors = errors.to_lowercase();
    [
        "out of memory",
        "out-of-memory",
        "outofmemory",
        "out of device memory",
        "out_of_device_memory",
        "out_of_host_memory",
        "can't allocate buffer",
        "buffertoobig",
        "memory allocation of",
    ]
    .into_iter()
    .any(|words| errors.contains(words))
}

/// The most telling line: the message of the first panic, or else the last line.
fn reason(errors: &str) -> String {
    let mut lines = errors.lines().map(str::trim).filter(|line| !line.is_empty());
    let panic = lines.clone().skip_while(|line| !line.contains("panicked at")).nth(1);
    let line = panic.or_else(|| lines.next_back()).unwrap_or_default();
    line.trim_start_matches("error: ").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_is_a_panics_message_or_the_last_line() {
        let panic = "thread 'main' (7) panicked at src/a.rs:1:2:\nno room\nnote: run with RUST_BACKTRACE=1\n";
        assert_eq!(reason(panic), "no room");
        assert_eq!(reason("one\nerror: two\n\n"), "two");
        assert_eq!(reason(""), "");
    }

    #[test]
    fn what_drivers_say_about_memory_is_known() {
        for errors in [
            "DriverError(CUDA_ERROR_OUT_OF_MEMORY, \"out of memory\")",
            "memory allocation of 137438953472 bytes failed",
            "can't allocate buffer of size: 9663676416",
            "BufferTooBig { size: 1 }",
            "out of device memory allocating 4096 bytes",
            "An out-of-memory error happened during launch",
        ] {
            assert!(tells_of_memory(errors), "{errors}");
        }
        assert!(!tells_of_memory("thread 'main' panicked at a.rs:1:2:\nindex out of bounds"));
    }
}
