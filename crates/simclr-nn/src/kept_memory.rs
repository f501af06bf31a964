//! Memory that is kept from one operation to the next.

/// Frees the memory that this crate's kernels keep for later results.
///
/// Fresh memory is slow, so the memory of results that nobody needs any more is kept for results of about the same size:
/// 2 GiB at most, and nothing that lies unused while several times as much is computed. Call this when a network has done
/// its work and the process goes on.
pub fn free_kept_memory() {
    #[cfg(feature = "flex")]
    crate::kernels::free();
}
