//! Kernel launches of this process, by kernel.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use burn::cubecl::logging::{LaunchObservation, LaunchObserver};

/// The launches that [`count`] saw, by the name of the kernel.
pub(crate) type Launches = BTreeMap<String, u64>;

#[derive(Default)]
struct Counter(Mutex<BTreeMap<&'static str, u64>>);

impl LaunchObserver for Counter {
    fn launched(&self, kernel: &'static str) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(kernel).or_default() += 1;
    }
}

/// Runs `work`, and counts the launches on any thread meanwhile.
pub(crate) fn count<T>(work: impl FnOnce() -> T) -> (T, Launches) {
    let counter = Arc::new(Counter::default());
    let observation = LaunchObservation::new(counter.clone());
    let result = work();
    drop(observation);
    let counts = counter.0.lock().unwrap_or_else(PoisonError::into_inner);
    let mut launches = Launches::new();
    for (kernel, count) in counts.iter() {
        *launches.entry(short(kernel)).or_default() += count;
    }
    (result, launches)
}

/// The kernel's own name, without paths and type parameters.
fn short(kernel: &str) -> String {
    let name = kernel.split('<').next().unwrap_or(kernel);
    let parts: Vec<&str> = name.rsplit("::").take(2).collect();
    parts.into_iter().rev().collect::<Vec<_>>().join("::")
}

/// What `more` has beyond `less`, divided by `steps`.
pub(crate) fn per_step(more: &Launches, less: &Launches, steps: u64) -> BTreeMap<String, f64> {
    let kernels = more.keys().chain(less.keys()).collect::<std::collections::BTreeSet<_>>();
    let of = |launches: &Launches, kernel: &String| *launches.get(kernel).unwrap_or(&0) as f64;
    kernels
        .into_iter()
        .map(|kernel| (kernel.clone(), (of(more, kernel) - of(less, kernel)) / steps as f64))
        .filter(|(_, launches)| *launches != 0.0)
        .collect()
}
