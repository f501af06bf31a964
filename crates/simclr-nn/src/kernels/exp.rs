//! The exponential function and what is made of it, as arithmetic without branches and calls: inside a loop that is
//! dispatched by `pulp`, the compiler makes vector code of it.

/// Added to a number below 2^22, this rounds it to a whole one, which then is the sum's lowest bits.
const ROUNDING: f32 = 12_582_912.0; // 1.5 * 2^23
/// ln 2 in two parts. The first has so few digits that whole multiples of it are exact.
const LN_2: [f32; 2] = [355.0 / 512.0, -0.000_212_194_44];
/// (e^r - 1 - r) / r^2 for r in -ln(2)/2..ln(2)/2, lowest power first: a least-squares fit at Chebyshev nodes, reweighted
/// until the largest error of e^r was least, 3e-9 of it.
const REST: [f32; 5] = [0.499_999_94, 0.166_665_2, 0.041_668_393, 0.008_368_781, 0.001_381_446_7];
/// Below this the result is zero: it would be near or below the smallest number of full precision, 1.2e-38.
const LOWEST: f32 = -86.9;
/// Above this the result is infinite, as is that of any number from 88.73 on.
const HIGHEST: f32 = 89.0;

/// e to the power of `x`, within 1.5 units in the last place; zero below -86.9, and NaN for NaN.
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    // NaN passes both: it is neither larger nor smaller.
    let clipped = if x < LOWEST { LOWEST } else { x };
    let clipped = if clipped > HIGHEST { HIGHEST } else { clipped };
    // e^x = 2^n e^r
    let rounded = clipped * std::f32::consts::LOG2_E + ROUNDING;
    let n = rounded - ROUNDING;
    let r = (clipped - n * LN_2[0]) - n * LN_2[1];
    let q = (((REST[4] * r + REST[3]) * r + REST[2]) * r + REST[1]) * r + REST[0];
    let power = (q * (r * r) + r) + 1.0;
    // 2^(n - 1), so that the largest n has a number, too. Its bits are n's above the mantissa; all else is shifted out.
    let half = f32::from_bits(rounded.to_bits().wrapping_add(126) << 23);
    let result = power * half * 2.0;
    if x < LOWEST { 0.0 } else { result }
}

/// 1 / (1 + e^-x), within 2.5 units in the last place for `x` above -86.
#[inline(always)]
pub(crate) fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

#[cfg(test)]
mod tests {
    use pulp::Arch;

    use super::{exp, sigmoid};

    /// `f` of every number, in the vector code of this machine.
    fn all(numbers: &[f32], f: impl Fn(f32) -> f32) -> Vec<f32> {
        let mut results = vec![0.0; numbers.len()];
        Arch::new().dispatch(
            #[inline(always)]
            || {
                for (result, &x) in results.iter_mut().zip(numbers) {
                    *result = f(x);
                }
            },
        );
        results
    }

    /// The numbers between `from` and `to`, some 3 million of them.
    fn between(from: f32, to: f32) -> Vec<f32> {
        let count = 3_000_001_u32;
        let step = f64::from(to - from) / f64::from(count - 1);
        (0..count).map(|i| (f64::from(from) + f64::from(i) * step) as f32).collect()
    }

    /// The distance of `found` from `exact`, in units of the last place of `exact`.
    fn units(found: f32, exact: f64) -> f64 {
        let nearest = (exact as f32).max(f32::MIN_POSITIVE);
        let unit = f32::from_bits(nearest.to_bits() + 1) - nearest;
        (f64::from(found) - exact).abs() / f64::from(unit)
    }

    #[test]
    fn powers_of_e_are_within_one_and_a_half_units_in_the_last_place() {
        for numbers in [between(-86.9, 88.72), between(-1.0, 1.0), between(-1e-3, 1e-3)] {
            let found = all(&numbers, exp);
            for (&x, &found) in numbers.iter().zip(&found) {
                let off = units(found, f64::from(x).exp());
                assert!(off <= 1.5, "exp({x}) is {found}, off by {off} units");
            }
        }
    }

    #[test]
    fn powers_beyond_the_range_of_numbers_are_zero_and_infinite() {
        let numbers = [f32::NEG_INFINITY, f32::MIN, -1000.0, -104.0, -86.91, 88.73, 89.5, 1e9];
        let found = all(&numbers, exp);
        assert_eq!(found[..5], [0.0; 5]);
        assert!(found[5..].iter().all(|&power| power == f32::INFINITY), "{found:?}");
        assert_eq!(all(&[0.0, -0.0, f32::INFINITY], exp), [1.0, 1.0, f32::INFINITY]);
        assert!(all(&[f32::NAN], exp)[0].is_nan());
    }

    #[test]
    fn larger_numbers_have_no_smaller_powers() {
        let numbers = between(-90.0, 89.0);
        let found = all(&numbers, exp);
        let falls = |pair: &[f32]| units(pair[0], f64::from(pair[1])) > 1.0 && pair[1] < pair[0];
        assert!(!found.windows(2).any(falls));
    }

    #[test]
    fn sigmoids_are_within_two_and_a_half_units_in_the_last_place_and_end_at_zero_and_one() {
        let numbers = between(-86.0, 86.0);
        let found = all(&numbers, sigmoid);
        for (&x, &found) in numbers.iter().zip(&found) {
            let off = units(found, 1.0 / (1.0 + (-f64::from(x)).exp()));
            assert!(off <= 2.5, "sigmoid({x}) is {found}, off by {off} units");
        }
        assert_eq!(all(&[f32::NEG_INFINITY, -200.0, 0.0, 200.0], sigmoid), [0.0, 0.0, 0.5, 1.0]);
        assert!(all(&[f32::NAN], sigmoid)[0].is_nan());
    }
}
