//! Names of many images in one piece of memory.

/// Texts, one after the other.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Names {
    text: String,
    /// Where each text ends.
    ends: Vec<u64>,
}

impl Names {
    /// The texts of `text` that end at `ends`; `None` if those are not in order, or within a character.
    pub(crate) fn from_parts(text: String, ends: Vec<u64>) -> Option<Self> {
        let legal = |end: u64| usize::try_from(end).is_ok_and(|end| text.is_char_boundary(end));
        let all = ends.is_sorted() && ends.iter().all(|&end| legal(end));
        let last = ends.last().copied().unwrap_or_default();
        (all && last == text.len() as u64).then_some(Self { text, ends })
    }

    pub(crate) fn parts(&self) -> (&str, &[u64]) {
        (&self.text, &self.ends)
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(crate) fn get(&self, index: usize) -> &str {
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[start as usize..self.ends[index] as usize]
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).map(|index| self.get(index))
    }

    pub(crate) fn push(&mut self, name: &str) {
        self.text.push_str(name);
        self.ends.push(self.text.len() as u64);
    }

    pub(crate) fn append(&mut self, other: &Self) {
        let before = self.text.len() as u64;
        self.text.push_str(&other.text);
        self.ends.extend(other.ends.iter().map(|end| before + end));
    }

    pub(crate) fn shrink(&mut self) {
        self.text.shrink_to_fit();
        self.ends.shrink_to_fit();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_back_one_by_one() {
        let mut names = Names::default();
        for name in ["a/1.jpg", "", "caf\u{e9}"] {
            names.push(name);
        }
        names.append(&names.clone());
        let all: Vec<_> = names.iter().collect();
        assert_eq!(all, ["a/1.jpg", "", "caf\u{e9}", "a/1.jpg", "", "caf\u{e9}"]);
        let (text, ends) = names.parts();
        assert_eq!(Names::from_parts(text.to_owned(), ends.to_vec()), Some(names));
    }

    #[test]
    fn ends_that_are_none_are_refused() {
        let of = |ends: &[u64]| Names::from_parts("caf\u{e9}".to_owned(), ends.to_vec());
        assert!(of(&[2, 5]).is_some());
        for ends in [&[][..], &[4, 5], &[3, 2, 5], &[3], &[5, 6], &[u64::MAX]] {
            assert!(of(ends).is_none(), "{ends:?}");
        }
    }
}
