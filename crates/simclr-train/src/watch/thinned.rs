//! A log with fewer steps.

use crate::error::TrainError;
use crate::watch::metrics_line::MetricsLine;

/// Where the bytes of lines are counted that stay at any stride; those of others where the exponent of the largest power of two is that divides the
/// step.
const ALWAYS: usize = usize::BITS as usize;

/// Hands `keep` the lines, with every second, fourth or eighth step alone, and so on, of the epochs before `kept_from`: the fewest left out with
/// which all lines are at most `most_bytes` long, as far as steps can do it. Each step says how many were left out before it.
///
/// An epoch keeps its last step, and steps that overflowed. The steps that are left have the same distance in all those epochs, however often they
/// were thinned before. `lines` is asked twice, so that they never are in memory together.
///
/// # Errors
///
/// Those of the lines and of `keep`.
pub(crate) fn thinned<L: Iterator<Item = Result<MetricsLine, TrainError>>>(
    lines: impl Fn() -> Result<L, TrainError>,
    kept_from: usize,
    most_bytes: u64,
    mut keep: impl FnMut(MetricsLine) -> Result<(), TrainError>,
) -> Result<(), TrainError> {
    let mut bytes = [0_u64; ALWAYS + 1];
    judged(lines()?, kept_from, |line, stays| {
        bytes[place(&line, stays)] += line.json().len() as u64;
        Ok(())
    })?;
    // Beyond this exponent there is nothing more to leave out.
    let longest = bytes[..ALWAYS].iter().rposition(|&bytes| bytes > 0).map_or(0, |last| last + 1);
    let is_enough = |exponent: &usize| bytes[*exponent..].iter().sum::<u64>() <= most_bytes;
    let exponent = (0..longest).find(is_enough).unwrap_or(longest);
    let mut gone = 0;
    judged(lines()?, kept_from, |mut line, stays| {
        let stays = place(&line, stays) >= exponent;
        if let MetricsLine::Step { left_out, .. } = &mut line {
            *left_out += gone;
            gone = if stays { 0 } else { *left_out + 1 };
        }
        if stays { keep(line) } else { Ok(()) }
    })
}

/// Hands on each line with whether it stays at any stride.
fn judged(
    lines: impl Iterator<Item = Result<MetricsLine, TrainError>>,
    kept_from: usize,
    mut tell: impl FnMut(MetricsLine, bool) -> Result<(), TrainError>,
) -> Result<(), TrainError> {
    // The last step, of which the next one tells whether it is the last of its epoch, and the lines after it.
    let mut waiting: Vec<MetricsLine> = Vec::new();
    let mut tell_waiting = |waiting: &mut Vec<MetricsLine>, next_epoch: Option<usize>| {
        waiting.drain(..).try_for_each(|line| {
            let stays = match line {
                MetricsLine::Step { epoch, overflowed, .. } => {
                    overflowed || epoch >= kept_from || next_epoch != Some(epoch)
                }
                _ => true,
            };
            tell(line, stays)
        })
    };
    for line in lines {
        let line = line?;
        if let MetricsLine::Step { epoch, .. } = line {
            tell_waiting(&mut waiting, Some(epoch))?;
        }
        waiting.push(line);
    }
    tell_waiting(&mut waiting, None)
}

/// Where a line's bytes are counted.
fn place(line: &MetricsLine, stays: bool) -> usize {
    match line {
        MetricsLine::Step { step, .. } if !stays => step.trailing_zeros() as usize,
        _ => ALWAYS,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watch::metrics_line::step_line;

    /// In epoch 1, the third step overflowed.
    fn step(epoch: usize, step: usize) -> MetricsLine {
        let mut line = step_line(epoch, step);
        if let MetricsLine::Step { overflowed, .. } = &mut line {
            *overflowed = (epoch, step) == (1, 3);
        }
        line
    }

    fn warning() -> MetricsLine {
        MetricsLine::Warning { epoch: 1, text: "hot".to_owned() }
    }

    /// Epochs of ten steps.
    fn log(epochs: usize) -> Vec<MetricsLine> {
        let mut lines: Vec<_> =
            (1..=epochs).flat_map(|epoch| (1..=10).map(move |n| step(epoch, n))).collect();
        lines.insert(5, warning());
        lines
    }

    fn thinned(lines: &[MetricsLine], kept_from: usize, most_bytes: u64) -> Vec<MetricsLine> {
        let mut left = Vec::new();
        let all = || Ok(lines.iter().cloned().map(Ok));
        super::thinned(all, kept_from, most_bytes, |line| {
            left.push(line);
            Ok(())
        })
        .unwrap();
        left
    }

    fn bytes(lines: &[MetricsLine]) -> u64 {
        lines.iter().map(|line| line.json().len() as u64).sum()
    }

    /// Epoch, step, and how many were left out before it.
    fn steps(lines: &[MetricsLine]) -> Vec<[usize; 3]> {
        let of = |line: &MetricsLine| match *line {
            MetricsLine::Step { epoch, step, left_out, .. } => Some([epoch, step, left_out]),
            _ => None,
        };
        lines.iter().filter_map(of).collect()
    }

    #[test]
    fn a_log_that_is_short_enough_stays_as_it_is() {
        let lines = log(3);
        assert_eq!(thinned(&lines, 3, bytes(&lines)), lines);
    }

    #[test]
    fn steps_leave_at_a_stride_and_are_counted() {
        let lines = log(3);
        let half = thinned(&lines, 3, bytes(&lines) - 1);
        let expected: [[usize; 3]; 21] = [
            // Steps that overflowed stay.
            [1, 2, 1],
            [1, 3, 0],
            [1, 4, 0],
            [1, 6, 1],
            [1, 8, 1],
            [1, 10, 1],
            [2, 2, 1],
            [2, 4, 1],
            [2, 6, 1],
            [2, 8, 1],
            [2, 10, 1],
            [3, 1, 0],
            [3, 2, 0],
            [3, 3, 0],
            [3, 4, 0],
            [3, 5, 0],
            [3, 6, 0],
            [3, 7, 0],
            [3, 8, 0],
            [3, 9, 0],
            [3, 10, 0],
        ];
        assert_eq!(steps(&half), expected);
        assert!(half.contains(&warning()));
        // What was thinned before gets no other distance than what is thinned for the first time.
        let fourth = |lines: &[MetricsLine]| steps(&thinned(lines, 4, 2500));
        assert_eq!(fourth(&half), fourth(&lines));
        assert_eq!(
            fourth(&lines),
            [
                [1, 3, 2],
                [1, 4, 0],
                [1, 8, 3],
                [1, 10, 1],
                [2, 4, 3],
                [2, 8, 3],
                [2, 10, 1],
                [3, 4, 3],
                [3, 8, 3],
                [3, 10, 1]
            ]
        );
    }

    #[test]
    fn the_last_step_of_each_epoch_stays_where_nothing_is_short_enough() {
        let left = thinned(&log(3), 4, 0);
        assert_eq!(steps(&left), [[1, 3, 2], [1, 10, 6], [2, 10, 9], [3, 10, 9]]);
    }
}
