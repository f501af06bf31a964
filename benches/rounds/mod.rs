//! How benches time what is done for one item after the other.

use std::time::Instant;

use rayon::prelude::*;

/// A figure is the best of so many rounds, since whatever else the machine does only ever takes time away.
const ROUNDS: u64 = 30;
/// How long a round takes at least.
const SECONDS_OF_A_ROUND: f64 = 0.1;
/// Items of the round that tells how many fill the time.
const FIRST_ITEMS: u64 = 16;

/// Does `item` for one number after the other on `threads` threads, and returns items a second of the best round.
pub(crate) fn items_per_second(threads: u32, item: impl Fn(u64) + Sync) -> f64 {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads as usize)
        .build()
        .expect("a pool of a few threads");
    let round = |items: u64, round: u64| {
        let start = Instant::now();
        let range = round * items..(round + 1) * items;
        if threads == 1 {
            range.for_each(&item);
        } else {
            pool.install(|| range.into_par_iter().for_each(&item));
        }
        items as f64 / start.elapsed().as_secs_f64()
    };
    round(FIRST_ITEMS, 0);
    let items = (SECONDS_OF_A_ROUND * round(FIRST_ITEMS, 1)).ceil() as u64;
    (2..2 + ROUNDS).map(|number| round(items, number)).fold(0.0, f64::max)
}
