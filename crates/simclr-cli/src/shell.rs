//! Commands to copy into a shell.

use std::path::Path;

use simclr::data::printable;

/// The command by which the run in `run` goes on.
pub(crate) fn resume_command(run: &Path) -> String {
    format!("simclr pretrain --resume {}", quoted(run))
}

/// A path as a shell takes it: in single quotes where it needs them.
pub(crate) fn quoted(path: &Path) -> String {
    let text = printable(&path.to_string_lossy());
    // What begins with a hyphen would be taken for a flag.
    let text = if text.starts_with('-') { format!("./{text}") } else { text };
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+=:,@%".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text;
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_quoted_where_a_shell_would_take_it_apart() {
        let quoted = |path: &str| quoted(Path::new(path));
        assert_eq!(quoted("runs/1"), "runs/1");
        assert_eq!(quoted("my runs/$1"), "'my runs/$1'");
        assert_eq!(quoted("Ann's"), r"'Ann'\''s'");
        assert_eq!(quoted("-run"), "./-run");
        assert_eq!(quoted(""), "''");
    }
}
