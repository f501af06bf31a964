//! Numbers for what is alike.

use std::collections::HashMap;

/// The group of each id, numbered from 0 in the order of first sight, and how many groups there are.
pub(crate) fn groups(ids: &[usize]) -> (Vec<usize>, usize) {
    let mut numbers = HashMap::new();
    let groups = ids
        .iter()
        .map(|&id| {
            let next = numbers.len();
            *numbers.entry(id).or_insert(next)
        })
        .collect();
    (groups, numbers.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_ids_share_a_group_and_any_number_may_be_an_id() {
        assert_eq!(groups(&[7, usize::MAX, 7, 0]), (vec![0, 1, 0, 2], 3));
        assert_eq!(groups(&[]), (vec![], 0));
    }
}
