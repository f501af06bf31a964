//! Names of files and classes on a terminal.

/// The name with each control character replaced by its escape. A control character could rewrite a terminal, or break
/// a list with one name per line.
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
