//! What was counted.

use std::collections::BTreeMap;

use simclr_traffic::Traffic;

use crate::launches::{self, Launches};
use crate::wgpu_calls::{self, Calls};

/// What a run did.
pub(crate) struct Counted {
    launches: Launches,
    calls: Calls,
    /// What the library sent and read.
    traffic: Traffic,
}

impl Counted {
    pub(crate) fn of(work: impl FnOnce()) -> Self {
        let before = Traffic::so_far();
        let (((), launches), calls) = wgpu_calls::count(|| launches::count(work));
        Self { launches, calls, traffic: Traffic::so_far() - before }
    }
}

/// What a step, or a batch, was seen to do.
pub(crate) struct Counts {
    /// Launches of each kernel.
    pub(crate) by_kernel: BTreeMap<String, f64>,
    /// Reads that the host waits for, whoever asks for them.
    pub(crate) reads: f64,
    pub(crate) bytes_down: f64,
    /// Bytes that the library sends, without what Burn sends beside each kernel.
    pub(crate) bytes_up: f64,
    /// Buffers that the host writes, those beside kernels included.
    pub(crate) writes: f64,
    /// The most bytes that buffers held at once.
    pub(crate) peak: u64,
}

impl Counts {
    /// What `more` has beyond `less`, for each of `steps`.
    pub(crate) fn between(more: &Counted, less: &Counted, steps: u64, peak: u64) -> Self {
        let each =
            |of: &dyn Fn(&Counted) -> u64| (of(more) as f64 - of(less) as f64) / steps as f64;
        Self {
            by_kernel: launches::per_step(&more.launches, &less.launches, steps),
            reads: each(&|run| run.calls.reads),
            bytes_down: each(&|run| run.calls.bytes_down),
            bytes_up: each(&|run| run.traffic.sent),
            writes: each(&|run| run.calls.writes),
            peak,
        }
    }

    pub(crate) fn peak_mib(&self) -> f64 {
        self.peak as f64 / f64::from(1 << 20)
    }

    pub(crate) fn launches(&self) -> f64 {
        self.by_kernel.values().sum()
    }
}
