//! Contrastive losses from their definition, in f64: the oracle of every form.

/// Which rows an anchor is compared with.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Denominator {
    /// Every other row.
    Others,
    /// Every other row of another class: the decoupled loss.
    Negatives,
}

/// Value, and gradient with respect to the rows, of
///
/// ```text
/// l(i) = ln sum over the denominator's k of exp(s_ik)  -  mean of s_ip over the other rows p of i's class
/// loss = mean of l(i) over the anchors whose class has another row
/// ```
///
/// where s is the cosine over `t`. With one class for each image it is NT-Xent.
pub(crate) fn loss_and_gradient(
    rows: &[Vec<f64>],
    classes: &[usize],
    t: f64,
    denominator: Denominator,
) -> (f64, Vec<f64>) {
    let (count, d) = (rows.len(), rows[0].len());
    let norms: Vec<f64> = rows.iter().map(|row| dot(row, row).sqrt()).collect();
    let unit: Vec<Vec<f64>> =
        rows.iter().zip(&norms).map(|(row, norm)| row.iter().map(|x| x / norm).collect()).collect();
    let positives = |i: usize| (0..count).filter(move |&p| p != i && classes[p] == classes[i]);
    let compared = |i: usize, k: usize| {
        k != i && (denominator == Denominator::Others || classes[k] != classes[i])
    };
    let anchors: Vec<usize> = (0..count).filter(|&i| positives(i).next().is_some()).collect();

    let mut loss = 0.0;
    let mut by_unit = vec![vec![0.0; d]; count];
    for &i in &anchors {
        let s: Vec<f64> = (0..count).map(|k| dot(&unit[i], &unit[k]) / t).collect();
        let of_denominator = || (0..count).filter(|&k| compared(i, k));
        let largest = of_denominator().map(|k| s[k]).fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = of_denominator().map(|k| (s[k] - largest).exp()).sum();
        let share = 1.0 / positives(i).count() as f64;
        loss += sum.ln() + largest - positives(i).map(|p| share * s[p]).sum::<f64>();
        for k in (0..count).filter(|&k| k != i) {
            let pushed = if compared(i, k) { (s[k] - largest).exp() / sum } else { 0.0 };
            let pulled = if classes[k] == classes[i] { share } else { 0.0 };
            let weight = (pushed - pulled) / t;
            for c in 0..d {
                by_unit[i][c] += weight * unit[k][c];
                by_unit[k][c] += weight * unit[i][c];
            }
        }
    }
    // Through z / |z|: the part along z itself has no effect.
    let mut gradient = Vec::with_capacity(count * d);
    for i in 0..count {
        let along = dot(&by_unit[i], &unit[i]);
        let by_row = |c: usize| (by_unit[i][c] - along * unit[i][c]) / norms[i];
        gradient.extend((0..d).map(|c| by_row(c) / anchors.len() as f64));
    }
    (loss / anchors.len() as f64, gradient)
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}
