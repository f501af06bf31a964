//! Numbers as the page writes them.

/// A share in 0..=1 as a percentage; a dash for none.
pub(crate) fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "–".to_owned(), |share| format!("{:.1} %", 100.0 * share))
}

/// A count and what it counts: `1 image`, `2,000 images`.
pub(crate) fn counted(count: usize, noun: &str) -> String {
    let s = if count == 1 { "" } else { "s" };
    format!("{} {noun}{s}", grouped(&count.to_string()))
}

/// A number in decimals with a comma between thousands.
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

/// At most two digits, and an exponent: `1.5e-3`.
pub(crate) fn scientific(value: f64) -> String {
    format!("{value:.1e}").replace(".0e", "e")
}

/// Three digits, or [`scientific`] for a small number.
pub(crate) fn short(value: f64) -> String {
    if value != 0.0 && value.abs() < 1e-3 {
        return scientific(value);
    }
    format!("{value:.2e}").parse::<f64>().unwrap_or(value).to_string()
}

/// Rounded to a tenth: finer than a pixel of any picture here.
pub(crate) fn tenth(value: f64) -> f64 {
    (10.0 * value).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_grouped() {
        for (plain, expected) in
            [("7", "7"), ("123456", "123,456"), ("-1234.25", "-1,234.25"), ("999", "999")]
        {
            assert_eq!(grouped(plain), expected);
        }
    }

    #[test]
    fn one_is_singular_and_none_is_plural() {
        let images = [0, 1, 2000].map(|count| counted(count, "image"));
        assert_eq!(images, ["0 images", "1 image", "2,000 images"]);
    }

    #[test]
    fn a_share_that_is_not_known_is_a_dash() {
        assert_eq!([percent(Some(0.4469)), percent(None)], ["44.7 %", "–"]);
    }
}
