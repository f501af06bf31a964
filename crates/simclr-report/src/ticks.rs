//! Round numbers for an axis.

/// Round numbers in `low..=high`, some `about` of them: steps of 1, 2, 2.5 or 5 times a power of ten.
pub(crate) fn ticks(low: f64, high: f64, about: usize) -> Vec<f64> {
    let step = step(high - low, about);
    let first = (low / step - 1e-9).ceil();
    let count = ((high / step + 1e-9).floor() - first).max(0.0) as usize;
    (0..=count).map(|index| (first + index as f64) * step).collect()
}

fn step(range: f64, about: usize) -> f64 {
    let rough = range.max(f64::MIN_POSITIVE) / about as f64;
    let power = 10_f64.powf(rough.log10().floor());
    let factor = [1.0, 2.0, 2.5, 5.0].into_iter().find(|factor| factor * power >= rough * 0.999);
    factor.unwrap_or(10.0) * power
}

/// `value` as text, with the digits that tell it from its neighbour `step` away.
pub(crate) fn label(value: f64, step: f64) -> String {
    if value.abs() < step / 2.0 {
        return "0".to_owned();
    }
    if step < 1e-3 {
        return scientific(value);
    }
    let is_whole = |decimals: &i32| {
        let scaled = step * 10_f64.powi(*decimals);
        (scaled - scaled.round()).abs() < 1e-6 * scaled
    };
    let decimals = (0..4).find(is_whole).unwrap_or(4) as usize;
    grouped(&format!("{value:.decimals$}"))
}

/// Two digits at most and an exponent: `1.5e-3`.
pub(crate) fn scientific(value: f64) -> String {
    format!("{value:.1e}").replace(".0e", "e")
}

/// A whole number with a comma between thousands.
pub(crate) fn grouped(number: &str) -> String {
    let whole = number.find('.').unwrap_or(number.len());
    let first = usize::from(number.starts_with('-'));
    let mut grouped = String::with_capacity(number.len() + 4);
    for (at, character) in number.char_indices() {
        if at > first && at < whole && (whole - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(character);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn labels(low: f64, high: f64) -> Vec<String> {
        let ticks = ticks(low, high, 4);
        let step = ticks[1] - ticks[0];
        ticks.into_iter().map(|tick| label(tick, step)).collect()
    }

    #[test]
    fn ticks_are_numbers_one_would_choose() {
        assert_eq!(labels(0.0, 1.0), ["0", "0.25", "0.50", "0.75", "1.00"]);
        assert_eq!(labels(3.41, 5.02), ["3.5", "4.0", "4.5", "5.0"]);
        assert_eq!(labels(0.0, 3e-3), ["0", "0.001", "0.002", "0.003"]);
        assert_eq!(labels(0.0, 86.0), ["0", "25", "50", "75"]);
        assert_eq!(labels(0.0, 0.9), ["0", "0.25", "0.50", "0.75"]);
        assert_eq!(labels(0.0, 1e-3), ["0", "2.5e-4", "5e-4", "7.5e-4", "1e-3"]);
        assert_eq!(labels(0.0, 4100.0), ["0", "2,000", "4,000"]);
    }

    #[test]
    fn thousands_are_grouped() {
        for (plain, expected) in
            [("7", "7"), ("123456", "123,456"), ("-1234.25", "-1,234.25"), ("999", "999")]
        {
            assert_eq!(grouped(plain), expected);
        }
    }

    proptest! {
        #[test]
        fn ticks_lie_in_their_range(low in -1e6..1e6_f64, length in 1e-6..1e6_f64, about in 2..8_usize) {
            let high = low + length;
            let ticks = ticks(low, high, about);
            let slack = length * 1e-6 + low.abs() * 1e-9;
            prop_assert!(ticks.len() <= about + 1);
            prop_assert!(ticks.iter().all(|t| *t >= low - slack && *t <= high + slack), "{:?}", ticks);
        }
    }
}
