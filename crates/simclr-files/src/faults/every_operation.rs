//! A fault at each operation in turn.

use std::path::Path;

use super::durability::assert_durable;
use super::{Fault, Trace, inject};

/// What is found after an operation has failed.
#[derive(Debug)]
pub struct After<'a> {
    /// The folder.
    pub folder: &'a Path,
    /// What happened.
    pub fault: Fault,
    /// At which of the operations that it can happen to, from 1.
    pub number: usize,
    /// What `act` returned.
    pub outcome: &'a Result<(), String>,
    /// Whether it has happened: in the last call for each fault it has not.
    pub struck: bool,
}

/// Most operations that are tried.
const MOST: usize = 10_000;

/// Prepares a new folder, and has `act` do in it what is tested: with each [`Fault`] at the first operation on the disk, in another folder at
/// the second, and so on until `act` makes fewer. `check` looks at each folder afterwards. Returns how many faults have happened.
///
/// Whatever the fault, an error's text must name a file in the folder. Faults that are harmless must not be errors, nor may it be an error if
/// none happens; and then, what gets its name is on the disk before ([`assert_durable`]).
///
/// # Panics
///
/// If one of these things is not so.
pub fn everywhere(
    prepare: impl Fn(&Path),
    act: impl Fn(&Path) -> Result<(), String>,
    check: impl Fn(&After<'_>),
) -> usize {
    everywhere_but(1, prepare, act, check)
}

/// As [`everywhere`], but with a fault at each `step`-th operation alone, for what takes long.
///
/// # Panics
///
/// As [`everywhere`], and for a step of 0.
pub fn everywhere_but(
    step: usize,
    prepare: impl Fn(&Path),
    act: impl Fn(&Path) -> Result<(), String>,
    check: impl Fn(&After<'_>),
) -> usize {
    let mut count = 0;
    for fault in Fault::ALL {
        for number in (1..=MOST).step_by(step) {
            let folder = tempfile::tempdir().expect("a folder for a test");
            let folder = folder.path().canonicalize().expect("a folder that is there");
            prepare(&folder);
            let (outcome, Trace { events, struck }) =
                inject(&folder, Some((fault, number)), || act(&folder));
            let at = || format!("{fault:?} at {number}, {:?}", events.last());
            if let Err(reason) = &outcome {
                assert!(struck && !fault.is_harmless(), "{}: {reason}", at());
                assert!(names_a_file(reason, &folder), "{}: no file in '{reason}'", at());
            }
            check(&After { folder: &folder, fault, number, outcome: &outcome, struck });
            if !struck {
                assert_durable(&events);
                break;
            }
            assert!(number + step <= MOST, "expected at most {MOST} operations");
            count += 1;
        }
    }
    count
}

/// Whether a text has the name of a file or folder in `folder`.
fn names_a_file(text: &str, folder: &Path) -> bool {
    let is_in = |name: &str| !name.is_empty() && text.contains(name);
    is_in(&folder.display().to_string())
        || folder.read_dir().into_iter().flatten().flatten().any(|entry| {
            let name = entry.file_name();
            is_in(&name.to_string_lossy())
        })
}
