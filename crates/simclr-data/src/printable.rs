//! Names of files and classes on a terminal.

use crate::escaped_name::breaks_a_line;

/// The name with each control character and separator of lines replaced by its escape. A control character could rewrite
/// a terminal. It is for reading: only [`escape_name`](crate::escape_name) leads back to a file.
///
/// ```
/// assert_eq!(simclr_data::printable("caf\u{e9}\u{1b}[2J\n.jpg"), "caf\u{e9}\\u{1b}[2J\\n.jpg");
/// ```
#[must_use]
pub fn printable(name: &str) -> String {
    let escape = |c: char| {
        if breaks_a_line(c) { c.escape_default().collect() } else { String::from(c) }
    };
    name.chars().map(escape).collect()
}
