//! Feature vectors at length 1.

/// `row` at length 1; a row of zeros stays as it is.
pub(crate) fn unit(row: &[f32]) -> impl Iterator<Item = f64> {
    let norm = row.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>().sqrt();
    let norm = if norm > 0.0 { norm } else { 1.0 };
    row.iter().map(move |&x| f64::from(x) / norm)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_get_length_one_and_zeros_stay() {
        assert_eq!(unit(&[3.0, 4.0]).collect::<Vec<_>>(), [0.6, 0.8]);
        assert_eq!(unit(&[0.0, 0.0]).collect::<Vec<_>>(), [0.0, 0.0]);
    }
}
