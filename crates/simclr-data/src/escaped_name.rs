//! Names of files, whatever bytes they hold, as text of one line.

use std::{
    ffi::OsString,
    fmt::Write,
    path::{MAIN_SEPARATOR, Path, PathBuf},
};

/// A path as one line of text that leads back to it, by [`unescape_name`]: two paths never have the same text.
///
/// Most paths are their own text. A backslash is doubled; control characters and Unicode's separators of lines are
/// escaped as in Rust (`\n`, `\u{1b}`); a byte that is not part of UTF-8 becomes `\x` and two hexadecimal digits.
/// Folders are divided by `/` on every system.
///
/// ```
/// use std::path::Path;
///
/// use simclr_data::{escape_name, unescape_name};
///
/// assert_eq!(escape_name(Path::new("rings/caf\u{e9} 1.png")), "rings/caf\u{e9} 1.png");
/// let two_lines = Path::new("new\nline.png");
/// assert_eq!(escape_name(two_lines), r"new\nline.png");
/// assert_eq!(unescape_name(r"new\nline.png").as_deref(), Some(two_lines));
/// ```
#[must_use]
pub fn escape_name(path: &Path) -> String {
    let mut text = String::new();
    for (place, part) in
        path.as_os_str().as_encoded_bytes().split(|&byte| byte == MAIN_SEPARATOR as u8).enumerate()
    {
        if place > 0 {
            text.push('/');
        }
        escape_bytes(part, &mut text);
    }
    text
}

/// Appends the text of a part of a path, as [`escape_name`] has it.
pub(crate) fn escape_bytes(part: &[u8], text: &mut String) {
    for chunk in part.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\\' => text.push_str("\\\\"),
                c if breaks_a_line(c) => text.extend(c.escape_default()),
                c => text.push(c),
            }
        }
        for byte in chunk.invalid() {
            // Writing to a string cannot fail.
            let _ = write!(text, "\\x{byte:02X}");
        }
    }
}

/// The path that [`escape_name`] made a text from. `None` for a text that it makes from no path: one with an escape that
/// it doesn't write or, where paths must be Unicode, with a byte that is not.
#[must_use]
pub fn unescape_name(escaped: &str) -> Option<PathBuf> {
    let mut bytes = Vec::new();
    let mut rest = escaped;
    while let Some((plain, escape)) = rest.split_once('\\') {
        bytes.extend(plain.as_bytes());
        let (kind, after) = escape.split_at_checked(1)?;
        rest = after;
        match kind {
            "\\" => bytes.push(b'\\'),
            "n" => bytes.push(b'\n'),
            "r" => bytes.push(b'\r'),
            "t" => bytes.push(b'\t'),
            "x" => {
                let (digits, after) = after.split_at_checked(2)?;
                bytes.push(u8::try_from(hexadecimal(digits)?).ok()?);
                rest = after;
            }
            "u" => {
                let (digits, after) = after.strip_prefix('{')?.split_once('}')?;
                let c = char::from_u32(hexadecimal(digits)?)?;
                bytes.extend(c.encode_utf8(&mut [0; 4]).as_bytes());
                rest = after;
            }
            _ => return None,
        }
    }
    bytes.extend(rest.as_bytes());
    os_string(bytes).map(PathBuf::from)
}

/// Whether a character, in a list with one name a line, breaks the line, or could rewrite a terminal.
pub(crate) fn breaks_a_line(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

/// The value of digits, without the sign that `from_str_radix` takes.
fn hexadecimal(digits: &str) -> Option<u32> {
    let digits = Some(digits).filter(|digits| !digits.starts_with('+'))?;
    u32::from_str_radix(digits, 16).ok()
}

#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "on other systems, not all bytes are names")]
fn os_string(bytes: Vec<u8>) -> Option<OsString> {
    Some(std::os::unix::ffi::OsStringExt::from_vec(bytes))
}

#[cfg(not(unix))]
fn os_string(bytes: Vec<u8>) -> Option<OsString> {
    String::from_utf8(bytes).ok().map(OsString::from)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_text_that_no_path_has_leads_nowhere() {
        for text in
            ["\\", "\\q", "\\x", "\\x4", "\\xg0", "\\x+1", "\\u", "\\u{", "\\u{d800}", "\\\u{e9}"]
        {
            assert_eq!(unescape_name(text), None, "{text}");
        }
    }

    #[test]
    fn usual_names_are_their_own_text() {
        for name in ["cat/1.png", "with space & \u{fc}n\u{ef}code.png", "../a", "/data/x.jpg", ""] {
            assert_eq!(escape_name(Path::new(name)), name);
        }
    }

    #[cfg(unix)]
    #[test]
    fn names_of_any_bytes_differ_and_are_one_line() {
        use std::{ffi::OsStr, os::unix::ffi::OsStrExt};

        let names: [&[u8]; 7] = [
            b"caf\xe9.png",
            b"caf\xe8.png",
            b"a\nb",
            b"a\\nb",
            b"a\\\nb",
            b"\xed\xa0\x80",
            b"\xe2\x80\xa8",
        ];
        let texts = names.map(|name| escape_name(Path::new(OsStr::from_bytes(name))));
        assert_eq!(
            texts,
            [
                r"caf\xE9.png",
                r"caf\xE8.png",
                r"a\nb",
                r"a\\nb",
                r"a\\\nb",
                r"\xED\xA0\x80",
                r"\u{2028}"
            ]
        );
    }

    #[cfg(unix)]
    proptest! {
        #[test]
        fn every_path_comes_back(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let path = PathBuf::from(os_string(bytes).unwrap());
            let text = escape_name(&path);
            prop_assert!(!text.chars().any(breaks_a_line), "{text:?}");
            prop_assert_eq!(unescape_name(&text), Some(path));
        }

        #[test]
        fn every_unicode_path_comes_back(name in any::<String>()) {
            let path = PathBuf::from(name);
            prop_assert_eq!(unescape_name(&escape_name(&path)), Some(path));
        }
    }
}
