//! Whether a run still learns, told without labels.

use crate::watch::metrics_line::MetricsLine;

/// A rise of less than this share is none.
const LEAST_RISE: f64 = 0.001;

/// Whether the contrastive top-1, averaged over each epoch, was no higher in the last `epochs` epochs of `lines` than before
/// them, or by less than a tenth of a point.
pub(crate) fn is_flat<'a>(lines: impl IntoIterator<Item = &'a MetricsLine>, epochs: usize) -> bool {
    let figures: Vec<f64> = contrastive_top1(lines).map(|(figure, _)| figure).collect();
    let Some(before) = figures.len().checked_sub(epochs).filter(|&before| before > 0) else {
        return false;
    };
    let highest = |figures: &[f64]| figures.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let (before, last) = figures.split_at(before);
    highest(last) < highest(before) + LEAST_RISE
}

/// The contrastive top-1 of each epoch that has been trained, with the epoch's number.
pub(crate) fn contrastive_top1<'a>(
    lines: impl IntoIterator<Item = &'a MetricsLine>,
) -> impl Iterator<Item = (f64, usize)> {
    lines.into_iter().filter_map(|line| match *line {
        MetricsLine::Epoch { epoch: epoch @ 1.., contrastive_top1: Some(figure), .. } => {
            Some((figure, epoch))
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(figures: &[f64]) -> Vec<MetricsLine> {
        let line = |(number, &figure): (usize, &f64)| MetricsLine::Epoch {
            epoch: number + 1,
            loss: None,
            knn_top1: None,
            images_per_second: None,
            waiting_share: None,
            contrastive_top1: Some(figure),
            representation: None,
            monitor: None,
        };
        let before = MetricsLine::before_training(None, None);
        [before].into_iter().chain(figures.iter().enumerate().map(line)).collect()
    }

    #[test]
    fn a_run_is_flat_when_none_of_the_last_epochs_is_above_those_before() {
        let flat = |figures: &[f64], epochs| is_flat(&lines(figures), epochs);
        assert!(flat(&[0.1, 0.5, 0.5, 0.499], 2));
        assert!(!flat(&[0.1, 0.5, 0.5, 0.502], 2));
        assert!(!flat(&[0.1, 0.5, 0.503, 0.4], 2));
        assert!(flat(&[0.1, 0.5, 0.503, 0.4], 1));
        assert!(flat(&[0.5, 0.4, 0.4], 2));
        assert!(!flat(&[0.5, 0.4], 2), "there is nothing before them");
        assert!(!flat(&[], 1));
    }
}
