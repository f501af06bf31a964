//! Probabilities from scores.

/// Turns logits into probabilities. Returns the largest logit m and the sum of all exp(logit - m), whose logarithm
/// plus m is that of the softmax's denominator.
pub(crate) fn softmax(logits: &mut [f64]) -> (f64, f64) {
    let largest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut sum = 0.0;
    for logit in logits.iter_mut() {
        *logit = (*logit - largest).exp();
        sum += *logit;
    }
    for p in logits {
        *p /= sum;
    }
    (largest, sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_logits_neither_overflow_nor_lose_their_ratio() {
        let mut logits = [1000.0, 1001.0, -1e30];
        let (largest, sum) = softmax(&mut logits);
        let ratio = 1.0 / (1.0 + 1.0_f64.exp());
        assert!((logits[0] - ratio).abs() < 1e-15 && (logits[1] - (1.0 - ratio)).abs() < 1e-15);
        assert_eq!(logits[2].to_bits(), 0);
        assert!((largest + sum.ln() - (1001.0 + (-1.0_f64).exp().ln_1p())).abs() < 1e-12);
    }
}
