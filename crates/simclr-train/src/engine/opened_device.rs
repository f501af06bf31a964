//! Opening a device, to see whether this machine has it.

use std::panic;
use std::sync::{Mutex, PoisonError};

use burn::tensor::{Device, Tensor};

use crate::error::TrainError;
use crate::error::stopped::catch_panic;

/// Computes one number on `device`, which is called `name`: Burn opens a device at its first use, and panics if there is
/// none.
pub(crate) fn opened(name: &str, device: Device) -> Result<Device, TrainError> {
    let inner = device.clone().inner();
    let missing =
        |reason: &str| TrainError::NoDevice { name: name.to_owned(), reason: one_line(reason) };
    let computed = without_panic_messages(|| {
        catch_panic(|| {
            let two = Tensor::<1>::ones([1], &inner) + 1.0;
            two.try_into_scalar::<f32>().map_err(|error| error.to_string())
        })
    });
    match computed {
        Ok(Ok(2.0)) => Ok(device),
        Ok(Ok(found)) => Err(missing(&format!("1 + 1 is {found} there"))),
        Ok(Err(reason)) | Err(reason) => Err(missing(&reason)),
    }
}

/// Runs `work` while no thread of the process prints the message of a panic.
fn without_panic_messages<T>(work: impl FnOnce() -> T) -> T {
    // The hook is the process's: two threads that open devices take turns, so that each puts back what it found.
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let printing = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let result = work();
    panic::set_hook(printing);
    result
}

/// The words of `text`, whose lines may be indented.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
