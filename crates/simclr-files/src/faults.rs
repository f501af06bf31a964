//! Operations that fail because a test has them fail: at the first operation on a disk, at the second, and so on until there are no more.
//!
//! ```
//! use std::io::Write;
//!
//! use simclr_files::{faults, replace_file};
//!
//! let count = faults::everywhere(
//!     |folder| std::fs::write(folder.join("a.txt"), "old").unwrap(),
//!     |folder| replace_file(folder.join("a.txt"), |file| file.write_all(b"new")).map_err(|error| format!("a.txt: {error}")),
//!     |after| {
//!         let found = std::fs::read_to_string(after.folder.join("a.txt")).unwrap();
//!         assert!(found == "new" || found == "old" && after.outcome.is_err());
//!     },
//! );
//! assert!(count > 10);
//! ```

mod durability;
mod every_operation;

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use self::durability::assert_durable;
pub use self::every_operation::{After, everywhere, everywhere_but};
pub use crate::operation::Operation;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The disk is full (ENOSPC): a write stores half of its bytes and fails, and so does all that needs room afterwards.
    Full,
    /// The disk fails once (EIO).
    Broken,
    /// A write stores one byte, and says so. That is no error.
    ShortWrite,
    /// A signal comes before a write has stored anything (EINTR). That is no error.
    Interrupted,
    /// The process ends, as by SIGKILL: a write stores half of its bytes, and nothing happens any more.
    Stopped,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Full, Self::Broken, Self::ShortWrite, Self::Interrupted, Self::Stopped];

    /// Whether whoever writes must go on as if nothing had happened.
    #[must_use]
    pub fn is_harmless(self) -> bool {
        matches!(self, Self::ShortWrite | Self::Interrupted)
    }

    /// Whether it can happen to an operation.
    fn strikes(self, operation: Operation) -> bool {
        match self {
            Self::Full => needs_room(operation),
            Self::ShortWrite | Self::Interrupted => operation == Operation::Write,
            Self::Broken | Self::Stopped => true,
        }
    }

    /// Whether it goes on once it has happened.
    fn lasts(self) -> bool {
        matches!(self, Self::Full | Self::Stopped)
    }

    fn error(self) -> io::Error {
        match self {
            Self::Full => ErrorKind::StorageFull.into(),
            Self::Interrupted => ErrorKind::Interrupted.into(),
            Self::Broken | Self::ShortWrite => io::Error::other("input/output error"),
            Self::Stopped => io::Error::other("the process has ended"),
        }
    }
}

fn needs_room(operation: Operation) -> bool {
    use Operation::{Link, MakeFolder, Open, Rename, Resize, Sync, Write};
    matches!(operation, Open | Write | Resize | Sync | Rename | Link | MakeFolder)
}

/// One operation on the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// What was asked.
    pub operation: Operation,
    /// Of which file or folder.
    pub path: PathBuf,
    /// The other name, of a rename or a link.
    pub to: Option<PathBuf>,
}

/// What happened in a folder.
#[derive(Debug, Clone, Default)]
pub struct Trace {
    /// The operations, in order; the one that failed first is the last.
    pub events: Vec<Event>,
    /// Whether the fault has happened.
    pub struck: bool,
}

/// What is to happen in a folder.
struct Plan {
    folder: PathBuf,
    /// The fault, and at which of the operations that it strikes it happens, from 1; `None` to look on only.
    fault: Option<(Fault, usize)>,
    /// How many of them there were.
    seen: usize,
    trace: Trace,
}

/// The plans in force. A test has a folder of its own, whichever threads work in it.
static PLANS: Mutex<Vec<Arc<Mutex<Plan>>>> = Mutex::new(Vec::new());

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Does `act`, during which `fault` happens at the `number`-th operation, from 1, in `folder` that it can happen to. Returns what `act`
/// does, and what happened.
pub fn inject<T>(
    folder: &Path,
    fault: Option<(Fault, usize)>,
    act: impl FnOnce() -> T,
) -> (T, Trace) {
    struct InForce(Arc<Mutex<Plan>>);
    impl Drop for InForce {
        fn drop(&mut self) {
            locked(&PLANS).retain(|plan| !Arc::ptr_eq(plan, &self.0));
        }
    }
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let plan = Plan { folder, fault, seen: 0, trace: Trace::default() };
    let plan = InForce(Arc::new(Mutex::new(plan)));
    locked(&PLANS).push(Arc::clone(&plan.0));
    let outcome = act();
    let trace = locked(&plan.0).trace.clone();
    (outcome, trace)
}

fn plan_of(path: &Path) -> Option<Arc<Mutex<Plan>>> {
    let plans = locked(&PLANS);
    plans.iter().find(|plan| path.starts_with(&locked(plan).folder)).map(Arc::clone)
}

impl Plan {
    /// The fault that happens now, if it does.
    fn next(&mut self, operation: Operation, path: &Path, to: Option<&Path>) -> Option<Fault> {
        if !self.trace.struck {
            let (path, to) = (path.to_owned(), to.map(Path::to_owned));
            self.trace.events.push(Event { operation, path, to });
        }
        let (fault, number) = self.fault.filter(|(fault, _)| fault.strikes(operation))?;
        self.seen += 1;
        let now = self.seen == number || self.seen > number && fault.lasts();
        self.trace.struck |= now;
        now.then_some(fault)
    }
}

/// The error of the next operation, if it fails.
pub(crate) fn next(operation: Operation, path: &Path, to: Option<&Path>) -> Option<io::Error> {
    let plan = plan_of(path)?;
    locked(&plan).next(operation, path, to).map(Fault::error)
}

/// How much of what is to be written is written.
pub(crate) enum Part {
    All,
    /// So many bytes, which is no error.
    First(usize),
    /// So many bytes, and then this error.
    Fails(usize, io::Error),
}

pub(crate) fn next_write(path: &Path, length: usize) -> Part {
    let Some(plan) = plan_of(path) else { return Part::All };
    let mut plan = locked(&plan);
    let was_stopped = plan.trace.struck;
    match plan.next(Operation::Write, path, None) {
        None => Part::All,
        Some(Fault::ShortWrite) => Part::First(length.min(1)),
        Some(fault @ (Fault::Full | Fault::Stopped)) if !was_stopped => {
            Part::Fails(length / 2, fault.error())
        }
        Some(fault) => Part::Fails(0, fault.error()),
    }
}

/// Whether operations at `path` are counted.
pub(crate) fn is_watched(path: &Path) -> bool {
    plan_of(path).is_some()
}

/// Whether the process is as good as killed, as far as `path` is concerned.
pub(crate) fn is_stopped(path: &Path) -> bool {
    plan_of(path).is_some_and(|plan| {
        let plan = locked(&plan);
        plan.trace.struck && plan.fault.is_some_and(|(fault, _)| fault == Fault::Stopped)
    })
}
