//! A file with gaps.

/// `template` with every `{{name}}` replaced by its value. Values are not looked through: a file that is
/// called `{{script}}` stays a file that is called `{{script}}`.
///
/// # Panics
///
/// If the template has a gap that is never closed, or none of the values has its name.
pub(super) fn fill(template: &str, values: &[(&str, String)]) -> String {
    let length = template.len() + values.iter().map(|(_, value)| value.len()).sum::<usize>();
    let mut filled = String::with_capacity(length);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, after) = after.split_once("}}").expect("every gap is closed");
        let value = values.iter().find(|(known, _)| *known == name);
        filled.push_str(before);
        filled.push_str(&value.unwrap_or_else(|| panic!("expected a value for {name}")).1);
        rest = after;
    }
    filled + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_look_like_gaps_stay() {
        let values = [("a", "{{b}}".to_owned()), ("b", "x".to_owned())];
        assert_eq!(fill("<{{a}}|{{b}}|{{a}}>", &values), "<{{b}}|x|{{b}}>");
    }
}
