//! A table of text in columns.

use std::fmt::{self, Write};

use simclr::data::printable;

/// Rows of as many cells as the head has, in columns that are as wide as their longest cell. Cells may hold other people's
/// text: each is one line.
pub(crate) struct TextTable {
    rows: Vec<Vec<String>>,
}

impl TextTable {
    pub(crate) fn new(head: &[&str]) -> Self {
        Self { rows: vec![head.iter().map(|&cell| cell.to_owned()).collect()] }
    }

    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().map(|cell| printable(&cell)).collect());
    }
}

/// A line a row. The last column has no spaces at its end.
impl fmt::Display for TextTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = self.rows[0].len();
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        for row in &self.rows {
            let mut line = String::new();
            for (cell, width) in row.iter().zip(&widths) {
                write!(line, "{cell:width$}  ")?;
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_longest_cell_and_every_cell_is_one_line() {
        let mut table = TextTable::new(&["a", "long name", "c"]);
        table.row(["hostile\u{1b}[2J\n".to_owned(), "x".to_owned(), String::new()]);
        let expected = "a                   long name  c\nhostile\\u{1b}[2J\\n  x\n";
        assert_eq!(table.to_string(), expected);
    }
}
