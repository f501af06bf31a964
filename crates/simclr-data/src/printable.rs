//! Names from files and folders on a terminal.

/// A name without control characters, which could rewrite a terminal or break a list of names, one a line: each
/// stands as its escape.
///
/// ```
/// assert_eq!(simclr_data::printable("caf\u{e9}\u{1b}[2J\n.jpg"), "caf\u{e9}\\u{1b}[2J\\n.jpg");
/// ```
#[must_use]
pub fn printable(name: &str) -> String {
    let escape = |c: char| {
        if c.is_control() { c.escape_default().collect() } else { String::from(c) }
    };
    name.chars().map(escape).collect()
}
