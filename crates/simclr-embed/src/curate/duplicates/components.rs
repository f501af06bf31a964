//! What belongs together, by pairs.

/// The connected components of `0..len` with an edge for each pair: those of two and more, each ascending, in the order of their first.
pub(super) fn components(
    len: usize,
    pairs: impl IntoIterator<Item = (usize, usize)>,
) -> Vec<Vec<usize>> {
    // Each points at a smaller one of its component, or at itself if there is none.
    let mut roots: Vec<usize> = (0..len).collect();
    for (a, b) in pairs {
        let (a, b) = (root(&mut roots, a), root(&mut roots, b));
        roots[a.max(b)] = a.min(b);
    }
    let mut of_root: Vec<Vec<usize>> = vec![Vec::new(); len];
    for at in 0..len {
        of_root[root(&mut roots, at)].push(at);
    }
    of_root.retain(|component| component.len() > 1);
    of_root
}

fn root(roots: &mut [usize], mut at: usize) -> usize {
    while roots[at] != at {
        roots[at] = roots[roots[at]];
        at = roots[at];
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chains_and_rings_are_one_and_the_lonely_are_left_out() {
        let pairs = [(5, 3), (8, 9), (3, 0), (9, 7), (7, 8), (2, 2)];
        assert_eq!(components(10, pairs), [vec![0, 3, 5], vec![7, 8, 9]]);
        assert!(components(3, []).is_empty());
    }
}
