//! How far apart two results are.

use std::iter::zip;

/// The largest difference of any two numbers, as a share of the largest number of their list; NaN where one is, infinite
/// where a list is of another length.
pub(super) fn largest_difference(found: &[Vec<f64>], expected: &[Vec<f64>]) -> f64 {
    if found.len() != expected.len() {
        return f64::INFINITY;
    }
    zip(found, expected).map(|(found, expected)| of_list(found, expected)).fold(0.0, largest)
}

fn of_list(found: &[f64], expected: &[f64]) -> f64 {
    if found.len() != expected.len() {
        return f64::INFINITY;
    }
    let scale = expected.iter().fold(f64::MIN_POSITIVE, |scale, x| scale.max(x.abs()));
    zip(found, expected).map(|(a, b)| (a - b).abs() / scale).fold(0.0, largest)
}

/// The larger one, or NaN if either is.
fn largest(a: f64, b: f64) -> f64 {
    if b > a || b.is_nan() { b } else { a }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_list_is_its_own_measure_and_nan_is_not_lost() {
        let expected = [vec![1.0, -4.0], vec![1e-3]];
        let difference = |found: &[Vec<f64>]| largest_difference(found, &expected);
        assert!((difference(&[vec![1.0, -3.0], vec![1e-3]]) - 0.25).abs() < 1e-12);
        assert!((difference(&[vec![1.0, -4.0], vec![2e-3]]) - 1.0).abs() < 1e-12);
        assert!(difference(&[vec![f64::NAN, -4.0], vec![1e-3]]).is_nan());
        assert!(difference(&[vec![1.0, -4.0]]).is_infinite());
        assert!(difference(&[vec![1.0], vec![1e-3]]).is_infinite());
        assert!(difference(&expected).abs() < 1e-300);
    }
}
