//! serde's reasons in the words of everyone else.

/// What serde's "invalid type", "invalid value" and "unknown variant" mean: what was expected, then what was found. Other
/// reasons stay as they are.
pub(crate) fn plain_reason(reason: &str) -> String {
    let reason = reason.trim();
    let found = ["invalid type: ", "invalid value: ", "unknown variant "]
        .into_iter()
        .find_map(|start| reason.strip_prefix(start));
    match found.and_then(|rest| rest.rsplit_once(", expected ")) {
        Some((found, expected)) => format!("expected {}, found {found}", plain_type(expected)),
        None => reason.to_owned(),
    }
}

/// A type of Rust or serde as those call it who write config files.
fn plain_type(expected: &str) -> &str {
    match expected {
        "usize" | "u64" | "u32" => "a whole number of at least 0",
        "i64" | "i32" => "a whole number",
        "f64" | "f32" => "a number",
        "a boolean" => "true or false",
        "a sequence" => "a list",
        "a map" => "a table",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_says_what_was_expected_and_then_what_was_found() {
        for (reason, plain) in [
            (
                "invalid type: string \"x, expected\", expected usize",
                "expected a whole number of at least 0, found string \"x, expected\"",
            ),
            (
                "invalid value: integer `-1`, expected u32",
                "expected a whole number of at least 0, found integer `-1`",
            ),
            (
                "invalid type: integer `3`, expected a string\n",
                "expected a string, found integer `3`",
            ),
            (
                "unknown variant `nt`, expected `nt-xent` or `custom`",
                "expected `nt-xent` or `custom`, found `nt`",
            ),
            (
                "unknown variant `nt`, expected one of `nt-xent`, `custom`",
                "expected one of `nt-xent`, `custom`, found `nt`",
            ),
            ("missing field `momentum`", "missing field `momentum`"),
        ] {
            assert_eq!(plain_reason(reason), plain);
        }
    }
}
