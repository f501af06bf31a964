//! Names that become a part of an address and of a path.

/// Endings of files that hold tensors.
const ENDINGS: [&str; 6] = ["safetensors", "bin", "pth", "pt", "ckpt", "tar"];

/// Longest name.
const MOST: usize = 96;

/// Whether `name` may be a part of an address and of a path: letters, digits, `.`, `_` and `-` alone, not two dots in a
/// row, and neither a dot nor a hyphen at its beginning or a dot at its end. The hub's names of repositories are such.
pub(super) fn is_plain(name: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    (1..=MOST).contains(&name.len())
        && name.bytes().all(legal)
        && !name.contains("..")
        && !name.starts_with(['.', '-'])
        && !name.ends_with('.')
}

/// Whether `path` names a file of tensors: plain names divided by `/`.
pub(super) fn is_weight_file(path: &str) -> bool {
    let ending = path.rsplit_once('.').map(|(_, ending)| ending);
    path.split('/').all(is_plain)
        && path.split('/').count() <= 8
        && ending.is_some_and(|ending| ENDINGS.contains(&ending))
}

/// Whether `name` is a whole commit of git: forty lower-case hexadecimal digits.
pub(super) fn is_commit(name: &str) -> bool {
    name.len() == 40 && name.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// The SHA-256 sum in the tag of a large file on the hub; `None` for another tag.
pub(super) fn sha256_in(tag: &str) -> Option<String> {
    let sum = tag.trim_matches('"').to_ascii_lowercase();
    (sum.len() == 64 && sum.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_lead_elsewhere_are_no_names() {
        for name in ["timm", "resnet18.a1_in1k", "a-b_c.0", "vit--x"] {
            assert!(is_plain(name), "{name}");
        }
        let long = "a".repeat(97);
        for name in [
            "",
            ".",
            "..",
            "a..b",
            ".a",
            "-a",
            "a.",
            "a/b",
            "a\\b",
            "%2e%2e",
            "a b",
            "a?b",
            "a#b",
            "a:b",
            "a@b",
            "caf\u{e9}",
            "a\n",
            "\u{1b}[2J",
            &long,
        ] {
            assert!(!is_plain(name), "{name:?}");
        }
    }

    #[test]
    fn a_weight_file_is_plain_names_and_an_ending() {
        for path in ["model.safetensors", "a/b/pytorch_model.bin", "moco.pth.tar"] {
            assert!(is_weight_file(path), "{path}");
        }
        for path in [
            "model",
            "model.py",
            "../model.bin",
            "a/../model.bin",
            "/model.bin",
            "a//model.bin",
            "model.bin/",
            "a\\model.bin",
            "%2e%2e/model.bin",
            "model.safetensors.sha256",
            "a/b/c/d/e/f/g/h/model.bin",
            "model.bin.part",
            ".bin",
        ] {
            assert!(!is_weight_file(path), "{path}");
        }
    }
}
