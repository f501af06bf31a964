//! Opening a device, to see whether this machine has it.

use std::panic;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use burn::tensor::{Device, Tensor};

use crate::error::TrainError;
use crate::error::stopped::catch_panic;

/// Computes one number on `device`, which is called `name`: Burn opens a device at its first use, and panics if there is
/// none.
pub(crate) fn opened(name: &str, device: Device) -> Result<Device, TrainError> {
    let inner = device.clone().inner();
    let (computed, panics) = with_panics_kept(|| {
        catch_panic(|| {
            let two = Tensor::<1>::ones([1], &inner) + 1.0;
            two.try_into_scalar::<f32>().map_err(|error| error.to_string())
        })
    });
    let reason = match computed {
        Ok(Ok(2.0)) => return Ok(device),
        Ok(Ok(found)) => format!("1 + 1 is {found} there"),
        // A device runs on a thread of its own. What this one says of a panic there is that there is no answer.
        Ok(Err(reason)) | Err(reason) => panics.into_iter().next().unwrap_or(reason),
    };
    Err(TrainError::NoDevice { name: name.to_owned(), reason: one_line(&reason) })
}

/// Runs `work` while no thread of the process prints the message of a panic. Returns these messages, in their order.
fn with_panics_kept<T>(work: impl FnOnce() -> T) -> (T, Vec<String>) {
    // The hook is the process's: two threads that open devices take turns, so that each puts back what it found.
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = locked(&TURN);
    let printing = panic::take_hook();
    let messages = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&messages);
    panic::set_hook(Box::new(move |panic| {
        locked(&kept).push(panic.payload_as_str().unwrap_or("unknown reason").to_owned());
    }));
    let result = work();
    panic::set_hook(printing);
    let messages = std::mem::take(&mut *locked(&messages));
    (result, messages)
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The words of `text` up to a backtrace.
fn one_line(text: &str) -> String {
    let is_backtrace = |line: &str| line.starts_with("Backtrace") || line.starts_with("0: ");
    let lines = text.lines().map(str::trim).take_while(|line| !is_backtrace(line));
    lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_of_a_devices_thread_is_kept_before_that_of_the_caller() {
        let (outcome, panics) = with_panics_kept(|| {
            catch_panic(|| std::thread::spawn(|| panic!("no adapter")).join().expect("an answer"))
        });
        assert!(outcome.unwrap_err().starts_with("an answer"));
        // Other tests may panic meanwhile.
        let place = |words: &str| panics.iter().position(|panic| panic.starts_with(words)).unwrap();
        assert!(place("no adapter") < place("an answer"), "{panics:?}");
    }

    #[test]
    fn a_device_that_computes_is_opened() {
        assert_eq!(opened("flex", Device::flex()).unwrap(), Device::flex());
    }

    #[test]
    fn a_reason_ends_before_its_backtrace() {
        assert_eq!(
            one_line("no memory\n  for 3 bytes\nBacktrace\n   0: core::f"),
            "no memory for 3 bytes"
        );
        assert_eq!(one_line("no room\n   0: core::f\n   1: main"), "no room");
    }
}
