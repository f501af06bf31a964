//! Memory of the device.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use burn::tensor::Device;

/// Runs `work`, and looks every millisecond how many bytes its buffers hold: the most that was seen.
///
/// Buffers are taken and given back in the order in which the host asks for work, so that this is what the work needs at
/// once, without what pools keep in store.
pub(crate) fn peak<T>(device: &Device, work: impl FnOnce() -> T) -> (T, u64) {
    let in_use = || device.memory_pool_usage().map_or(0, |usage| usage.bytes_in_use);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let sampler = scope.spawn(|| {
            let mut peak = 0;
            while !done.load(Ordering::Relaxed) {
                peak = peak.max(in_use());
                std::thread::sleep(Duration::from_millis(1));
            }
            peak
        });
        let result = work();
        done.store(true, Ordering::Relaxed);
        (result, sampler.join().expect("the sampler only looks"))
    })
}
