//! Patterns that stand for the names of many shards.

use crate::DataError;

/// The most names that a pattern may stand for.
const MOST: usize = 1 << 20;

/// The names that a pattern stands for, in its order: `{000..146}` for each number, with as many digits as the ends have,
/// `{a,b}` for each text. A pattern may have several.
///
/// # Errors
///
/// [`DataError::Pattern`] for a brace without its other one, braces within braces, a range that doesn't rise, and more than a
/// million names.
pub(super) fn expand(pattern: &str) -> Result<Vec<String>, DataError> {
    let fault = |reason: &str| DataError::Pattern {
        pattern: pattern.to_owned(),
        reason: reason.to_owned(),
    };
    let mut names = vec![String::new()];
    let mut rest = pattern;
    while let Some(brace) = rest.find(['{', '}']) {
        let (before, after) = rest.split_at(brace);
        let inside = after.strip_prefix('{').ok_or_else(|| fault("a } without its {"))?;
        let (inside, after) = inside.split_once('}').ok_or_else(|| fault("a { without its }"))?;
        if inside.contains('{') {
            return Err(fault("braces within braces"));
        }
        let choices = choices(inside).map_err(|reason| fault(&reason))?;
        if names.len().saturating_mul(choices.len()) > MOST {
            return Err(fault("it stands for more than a million names"));
        }
        names = names
            .iter()
            .flat_map(|name| {
                choices.iter().map(move |choice| [name.as_str(), before, choice].concat())
            })
            .collect();
        rest = after;
    }
    for name in &mut names {
        name.push_str(rest);
    }
    Ok(names)
}

/// What the inside of a pair of braces stands for.
fn choices(inside: &str) -> Result<Vec<String>, String> {
    let Some((first, last)) = inside.split_once("..") else {
        if !inside.contains(',') {
            return Err(format!("{{{inside}}} is neither a range nor a list"));
        }
        return Ok(inside.split(',').map(str::to_owned).collect());
    };
    let number = |digits: &str| -> Result<usize, String> {
        let legal = digits.bytes().all(|byte| byte.is_ascii_digit());
        let number = digits.parse().ok().filter(|_| legal);
        number.ok_or_else(|| format!("`{digits}` is no number"))
    };
    let (from, to) = (number(first)?, number(last)?);
    if from > to {
        return Err(format!("{{{inside}}} doesn't rise"));
    }
    if to - from >= MOST {
        return Err("it stands for more than a million names".to_owned());
    }
    let padded = [first, last].iter().any(|digits| digits.len() > 1 && digits.starts_with('0'));
    let width = if padded { first.len().max(last.len()) } else { 0 };
    Ok((from..=to).map(|number| format!("{number:0width$}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_and_lists_stand_for_names() {
        let of = |pattern| expand(pattern).unwrap();
        assert_eq!(of("t-{008..011}.tar"), ["t-008.tar", "t-009.tar", "t-010.tar", "t-011.tar"]);
        assert_eq!(of("{9..11}"), ["9", "10", "11"]);
        assert_eq!(of("{00..1}"), ["00", "01"]);
        assert_eq!(of("{a,b}/{0..1}.tar"), ["a/0.tar", "a/1.tar", "b/0.tar", "b/1.tar"]);
        assert_eq!(of("plain.tar"), ["plain.tar"]);
        assert_eq!(of("train-{000..146}.tar").len(), 147);
    }

    #[test]
    fn patterns_that_mean_nothing_are_refused_with_the_reason() {
        for (pattern, reason) in [
            ("a{1..", "a { without its }"),
            ("a}", "a } without its {"),
            ("{{1..2},3}", "braces within braces"),
            ("{5..1}", "doesn't rise"),
            ("{1..x}", "`x` is no number"),
            ("{1..+2}", "`+2` is no number"),
            ("{x}", "neither a range nor a list"),
            ("{0..99999999999}", "more than a million"),
            ("{0..1023}{0..1024}", "more than a million"),
        ] {
            let error = expand(pattern).unwrap_err().to_string();
            assert!(error.contains(reason), "{error}");
        }
    }
}
