//! A log with fewer steps.

use crate::watch::metrics_line::MetricsLine;

/// The lines, with every second, fourth or eighth step alone, and so on, of the epochs before `kept_from`: the fewest left out with which all
/// lines are at most `most_bytes` long, as far as steps can do it. Each step says how many were left out before it.
///
/// An epoch keeps its last step, and steps that overflowed. The steps that are left have the same distance in all those epochs, however often they
/// were thinned before.
pub(crate) fn thinned(
    lines: Vec<MetricsLine>,
    kept_from: usize,
    most_bytes: u64,
) -> Vec<MetricsLine> {
    let lengths: Vec<u64> = lines.iter().map(|line| line.json().len() as u64).collect();
    let must_stay = must_stay(&lines, kept_from);
    let longest = lines.iter().filter_map(step_of).max().unwrap_or(0);
    let stays = |index: usize, stride: usize| {
        must_stay[index] || step_of(&lines[index]).is_some_and(|step| step.is_multiple_of(stride))
    };
    let mut stride = 1;
    while stride <= longest {
        let left = (0..lines.len()).filter(|&index| stays(index, stride));
        if left.map(|index| lengths[index]).sum::<u64>() <= most_bytes {
            break;
        }
        stride *= 2;
    }
    let stays: Vec<bool> = (0..lines.len()).map(|index| stays(index, stride)).collect();
    let mut gone = 0;
    let left = lines.into_iter().zip(stays).filter_map(|(mut line, stays)| {
        if let MetricsLine::Step { left_out, .. } = &mut line {
            *left_out += gone;
            gone = if stays { 0 } else { *left_out + 1 };
        }
        stays.then_some(line)
    });
    left.collect()
}

fn step_of(line: &MetricsLine) -> Option<usize> {
    match line {
        MetricsLine::Step { step, .. } => Some(*step),
        _ => None,
    }
}

/// Which lines are no steps, or steps that stay at any stride.
fn must_stay(lines: &[MetricsLine], kept_from: usize) -> Vec<bool> {
    let mut later_epoch = None;
    let mut must_stay: Vec<bool> = lines
        .iter()
        .rev()
        .map(|line| match *line {
            MetricsLine::Step { epoch, overflowed, .. } => {
                let is_last = later_epoch != Some(epoch);
                later_epoch = Some(epoch);
                is_last || overflowed || epoch >= kept_from
            }
            _ => true,
        })
        .collect();
    must_stay.reverse();
    must_stay
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(epoch: usize, step: usize) -> MetricsLine {
        MetricsLine::Step {
            epoch,
            step,
            loss: Some(1.0),
            learning_rate: 0.1,
            contrastive_top1: 0.5,
            contrastive_top5: 0.5,
            images_per_second: 1.0,
            waiting_share: 0.0,
            chunks_ready: 2,
            loss_scale: None,
            overflowed: (epoch, step) == (1, 3),
            left_out: 0,
        }
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
        assert_eq!(thinned(lines.clone(), 3, bytes(&lines)), lines);
    }

    #[test]
    fn steps_leave_at_a_stride_and_are_counted() {
        let lines = log(3);
        let half = thinned(lines.clone(), 3, bytes(&lines) - 1);
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
        let fourth = |lines: Vec<MetricsLine>| steps(&thinned(lines, 4, 2500));
        assert_eq!(fourth(half), fourth(lines.clone()));
        assert_eq!(
            fourth(lines),
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
        let left = thinned(log(3), 4, 0);
        assert_eq!(steps(&left), [[1, 3, 2], [1, 10, 6], [2, 10, 9], [3, 10, 9]]);
    }
}
