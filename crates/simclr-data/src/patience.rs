//! Reading again what a disk or a network failed to give.

use std::{io, thread, time::Duration};

/// How long to wait before each further try.
const WAITS: [Duration; 2] = [Duration::from_millis(50), Duration::from_millis(200)];

/// What `read` gives, tried up to three times within a quarter of a second, as the hiccup of a network share or too many
/// open files may pass. A file that is not there or not allowed is not tried again.
pub(crate) fn patiently<T>(mut read: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    for wait in WAITS {
        match read() {
            Err(error) if may_pass(error.kind()) => thread::sleep(wait),
            outcome => return outcome,
        }
    }
    read()
}

fn may_pass(kind: io::ErrorKind) -> bool {
    use io::ErrorKind::{
        InvalidFilename, InvalidInput, IsADirectory, NotADirectory, NotFound, PermissionDenied,
    };
    !matches!(
        kind,
        NotFound | PermissionDenied | IsADirectory | NotADirectory | InvalidInput | InvalidFilename
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The outcome of a read that fails `failures` times, and how often it was tried.
    fn tries(failures: usize, kind: io::ErrorKind) -> (bool, usize) {
        let mut tries = 0;
        let outcome = patiently(|| {
            tries += 1;
            if tries > failures { Ok(()) } else { Err(kind.into()) }
        });
        (outcome.is_ok(), tries)
    }

    #[test]
    fn a_hiccup_is_waited_out_and_a_fault_that_lasts_is_an_error() {
        for kind in
            [io::ErrorKind::Other, io::ErrorKind::TimedOut, io::ErrorKind::StaleNetworkFileHandle]
        {
            assert_eq!(tries(0, kind), (true, 1));
            assert_eq!(tries(2, kind), (true, 3));
            assert_eq!(tries(100, kind), (false, 3));
        }
    }

    #[test]
    fn what_is_not_there_or_not_allowed_is_not_tried_again() {
        for kind in [io::ErrorKind::NotFound, io::ErrorKind::PermissionDenied] {
            assert_eq!(tries(2, kind), (false, 1));
        }
    }
}
