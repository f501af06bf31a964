//! What Linux counts of this process. Elsewhere all of it is 0.

/// The most memory that it has held, in MiB.
#[allow(dead_code, reason = "not every bench reports it")]
pub(crate) fn peak_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|rest| rest.trim().trim_end_matches(" kB").trim().parse::<f64>().ok())
        .map_or(0.0, |kib| kib / 1024.0)
}

/// How many pages it has been given so far.
#[allow(dead_code, reason = "not every bench reports it")]
pub(crate) fn page_faults() -> u64 {
    number_of_stat(7)
}

/// Seconds for which its threads have computed, of all cores together.
#[allow(dead_code, reason = "not every bench reports it")]
pub(crate) fn user_seconds() -> f64 {
    number_of_stat(11) as f64 / 100.0
}

/// A number of the process's line of state, counted from the one after its name.
fn number_of_stat(place: usize) -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The process's name, in brackets, may hold spaces.
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    after_name.split_whitespace().nth(place).and_then(|number| number.parse().ok()).unwrap_or(0)
}
