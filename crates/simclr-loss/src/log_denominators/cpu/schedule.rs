//! The order in which pairs of blocks are visited.

/// Every unordered pair of `blocks` blocks, in rounds whose pairs have no block in common.
///
/// The first round pairs each block with itself. The others are a round-robin tournament (the
/// "circle method"): one player stays, the others move on by one chair a round. So the tasks of a
/// round own their two blocks, and each block meets the others in an order that doesn't depend on the
/// number of threads: neither does any digit of the sums.
pub(super) fn rounds(blocks: usize) -> impl Iterator<Item = Vec<(usize, usize)>> {
    // With an odd number of players, the one who meets the extra player sits out.
    let chairs = blocks.next_multiple_of(2);
    let circle = chairs - 1;
    let itself = (0..blocks).map(|block| (block, block)).collect();
    let tournament = (0..if blocks > 1 { circle } else { 0 }).map(move |round| {
        let fixed = (chairs - 1, round);
        let others = (1..chairs / 2)
            .map(move |step| ((round + step) % circle, (round + circle - step) % circle));
        std::iter::once(fixed)
            .chain(others)
            .map(|(a, b)| (a.min(b), a.max(b)))
            .filter(|&(_, last)| last < blocks)
            .collect()
    });
    std::iter::once(itself).chain(tournament)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_pair_meets_once_and_no_block_twice_in_a_round() {
        for blocks in 1..12 {
            let mut met = HashSet::new();
            for round in rounds(blocks) {
                let mut busy = HashSet::new();
                for (a, b) in round {
                    assert!(met.insert((a, b)), "{a} and {b} of {blocks} meet twice");
                    assert!(busy.insert(a), "{a} of {blocks} is in two pairs");
                    assert!(a == b || busy.insert(b), "{b} of {blocks} is in two pairs");
                }
            }
            assert_eq!(met.len(), blocks * (blocks + 1) / 2);
        }
    }
}
