//! Blocks of rows, each with its cosines with all rows.

use std::ops::Range;

/// Rows of a block are a multiple of this, so that blocks begin where a device can bind a buffer and end where a tile of a
/// matrix product does.
const MULTIPLE: usize = 64;

/// Cuts `m` rows into blocks that are about alike and have at most `cosines` cosines with all rows, or one row's.
pub(crate) fn blocks(m: usize, cosines: usize) -> impl Iterator<Item = Range<usize>> {
    let most = (cosines / m).max(1);
    // Without the rounding where it would leave nothing.
    let most = if most > MULTIPLE { most / MULTIPLE * MULTIPLE } else { most };
    let alike = m.div_ceil(m.div_ceil(most));
    let rows = alike.next_multiple_of(MULTIPLE).min(most);
    (0..m).step_by(rows).map(move |start| start..(start + rows).min(m))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_hold_every_row_once_and_no_more_cosines_than_asked_for() {
        for m in [1, 2, 63, 64, 65, 130, 1060, 8192, 10_000, 131_072] {
            for cosines in [1, 500, 1 << 15, 1 << 23, 1 << 25] {
                let found: Vec<_> = blocks(m, cosines).collect();
                assert_eq!(
                    found.iter().cloned().flatten().collect::<Vec<_>>(),
                    (0..m).collect::<Vec<_>>()
                );
                for rows in &found {
                    assert!(
                        rows.len() == 1 || rows.len() * m <= cosines,
                        "{m}, {cosines}: {rows:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn eight_thousand_rows_are_two_blocks_of_128_mib() {
        assert!(blocks(8192, 1 << 25).eq([0..4096, 4096..8192]));
        assert_eq!(blocks(10_000, 1 << 25).count(), 4); // of 2,560 rows, the last of 2,320
    }
}
