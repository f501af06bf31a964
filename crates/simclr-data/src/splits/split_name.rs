//! What the name of a folder says of its images.

/// What images are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Split {
    Train,
    Test,
    Validation,
    Unlabelled,
}

impl Split {
    /// The name that stands for all of its names.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Test => "test",
            Self::Validation => "val",
            Self::Unlabelled => "unlabelled",
        }
    }
}

/// Words that a folder's name may hold beside the split and mean nothing.
const FILLERS: [&str; 12] = [
    "set", "sets", "split", "data", "dataset", "folder", "image", "images", "img", "imgs", "jpg",
    "png",
];

/// The name of a folder that is called after a split.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct SplitName {
    pub(crate) split: Split,
    /// The other words of the name, in lower case: `seg` for `seg_train`. The splits of a data set have the same.
    pub(crate) rest: String,
}

impl SplitName {
    /// What `name` says: `train`, `Training`, `valid`, `test_images`, `seg_train`, `val2017`, `unlabelled`, ... `None`
    /// if it holds no split's word, or several.
    pub(crate) fn of(name: &str) -> Option<Self> {
        let name = name.to_lowercase();
        let words = name.split(|letter: char| !letter.is_alphabetic());
        let words = words.filter(|word| !word.is_empty() && !FILLERS.contains(word));
        let (mut split, mut rest) = (None, Vec::new());
        for word in words {
            match split_word(word.strip_suffix("set").unwrap_or(word)) {
                Some(found) if split.is_none() => split = Some(found),
                Some(_) => return None,
                None => rest.push(word),
            }
        }
        Some(Self { split: split?, rest: rest.join(" ") })
    }
}

fn split_word(word: &str) -> Option<Split> {
    match word {
        "train" | "training" => Some(Split::Train),
        "val" | "valid" | "validation" | "dev" => Some(Split::Validation),
        "test" | "testing" => Some(Split::Test),
        "unlabeled" | "unlabelled" | "extra" => Some(Split::Unlabelled),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_people_give_to_splits_are_understood() {
        for (name, split, rest) in [
            ("train", Split::Train, ""),
            ("Training", Split::Train, ""),
            ("TRAIN_SET", Split::Train, ""),
            ("trainset", Split::Train, ""),
            ("valid", Split::Validation, ""),
            ("dev", Split::Validation, ""),
            ("val2017", Split::Validation, ""),
            ("testing", Split::Test, ""),
            ("test-images", Split::Test, ""),
            ("Unlabelled", Split::Unlabelled, ""),
            ("extra", Split::Unlabelled, ""),
            ("seg_train", Split::Train, "seg"),
            ("DIV2K_valid_HR", Split::Validation, "div k hr"),
        ] {
            let found = SplitName::of(name).unwrap_or_else(|| panic!("{name}"));
            assert_eq!((found.split, found.rest.as_str()), (split, rest), "{name}");
        }
    }

    #[test]
    fn other_names_are_none() {
        for name in ["", "cat", "trainer", "retrained", "attest", "train_test", "images", "2017"] {
            assert_eq!(SplitName::of(name), None, "{name}");
        }
    }
}
