//! Products of vectors on the host.

/// The product of two vectors of one length, in an order of its own that is always the same.
pub(crate) fn dot(a: &[f32], b: &[f32]) -> f32 {
    // Sums of their own, which a compiler turns into one instruction.
    const LANES: usize = 16;
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    let mut sums = [0.0; LANES];
    for (a, b) in a.iter().zip(b) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f32>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_counts_whatever_the_length() {
        for length in [0, 1, 15, 16, 17, 40] {
            let a: Vec<f32> = (0..length).map(|x| x as f32).collect();
            let b: Vec<f32> = (0..length).map(|x| (x % 3) as f32 - 1.0).collect();
            let expected: f32 = (0..length).map(|x| (x * (x % 3 - 1)) as f32).sum();
            assert!((dot(&a, &b) - expected).abs() < 1e-3, "{length}");
        }
    }
}
