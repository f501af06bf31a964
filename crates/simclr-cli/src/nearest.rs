//! The known name that a misspelt one probably means.

/// The least Jaro-Winkler similarity, in 0..=1, of a name and the one that it is taken for.
const ALIKE: f64 = 0.75;

/// The name in `known` that is most similar to `name`, if it is similar enough.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let likeness = |other: &str| strsim::jaro_winkler(name, other);
    let best = known.into_iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)))?;
    (likeness(best) >= ALIKE).then_some(best)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_is_understood_and_nonsense_is_not() {
        let known = ["epochs", "batch_size", "learning_rate", "seed"];
        assert_eq!(nearest("epoch", known), Some("epochs"));
        assert_eq!(nearest("batchsize", known), Some("batch_size"));
        assert_eq!(nearest("learing_rate", known), Some("learning_rate"));
        assert_eq!(nearest("zzz", known), None);
        assert_eq!(nearest("epochs", []), None);
    }
}
