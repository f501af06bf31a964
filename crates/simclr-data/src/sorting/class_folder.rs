//! Classes as names of folders.

use crate::splits::SplitName;

/// The longest name of a file or folder, in bytes, that usual file systems take.
const LONGEST: usize = 255;

/// Why a folder cannot be called after this class, if it cannot: a folder that every system takes, and that a data set reads as a class.
pub(super) fn unfit(class: &str) -> Option<&'static str> {
    let reserved = |c: char| c.is_control() || "/\\<>:\"|?*".contains(c);
    if class.is_empty() {
        Some("it is empty")
    } else if class.len() > LONGEST {
        Some("it has more than 255 bytes")
    } else if class.starts_with('.') {
        Some("it begins with a dot, as hidden folders and the folders above do")
    } else if class.ends_with(['.', ' ']) {
        Some("it ends in a dot or a space, which some systems leave out")
    } else if class.contains(reserved) {
        Some("it has a control character or one of / \\ < > : \" | ? *")
    } else if is_device(class) {
        Some("it is the name of a device on Windows")
    } else if SplitName::of(class).is_some() {
        Some("a folder of this name is taken for a split, such as a test set, and not for a class")
    } else {
        None
    }
}

/// Names that Windows takes for devices, whatever follows a dot.
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or(name).trim_end().to_uppercase();
    let is_numbered = |kind| {
        let number = stem.strip_prefix(kind).and_then(|number: &str| number.parse::<u8>().ok());
        number.is_some_and(|number| (1..=9).contains(&number))
    };
    matches!(&stem[..], "CON" | "PRN" | "AUX" | "NUL") || is_numbered("COM") || is_numbered("LPT")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_classes_are_folders() {
        for class in [
            "cat",
            "t-shirt",
            "caf\u{e9} au lait",
            "console",
            "COM10",
            "No. 5",
            "retrained",
            "\u{732b}",
        ] {
            assert_eq!(unfit(class), None, "{class}");
        }
    }

    #[test]
    fn names_that_lead_elsewhere_or_mean_something_else_are_none() {
        let long = "x".repeat(256);
        for class in [
            "",
            ".",
            "..",
            "../up",
            "a/b",
            "/etc",
            "a\\b",
            ".hidden",
            "a\nb",
            "a\0b",
            "\u{1b}[2J",
            "C:",
            "what?",
            "end.",
            "end ",
            "con",
            "NUL",
            "Aux.txt",
            "COM1",
            "lpt9 ",
            "test",
            "Train",
            "unlabeled",
            "val2017",
            &long,
        ] {
            assert!(unfit(class).is_some(), "{class}");
        }
    }
}
