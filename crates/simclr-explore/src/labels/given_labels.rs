//! Which image has which label, and the way back.

use crate::error::ExploreError;

/// The most bytes of a class's name, that of a file in most systems.
const LONGEST_NAME: usize = 255;
/// The most classes: their numbers travel as 16 bits, of which one value means none.
const MOST_CLASSES: usize = u16::MAX as usize;
/// Changes that can be undone.
const UNDONE: usize = 1000;

/// The class of each row, as far as it has one, and the rows that are set aside.
#[derive(Debug, Clone)]
pub(super) struct GivenLabels {
    /// Names of classes that have or had a label, in the order of their first label.
    classes: Vec<String>,
    of: Vec<Option<u16>>,
    /// Whether a row got its label together with others.
    together: Vec<bool>,
    aside: Vec<bool>,
    changes: Vec<Change>,
}

/// What was there before a change.
#[derive(Debug, Clone)]
enum Change {
    Labels(Vec<(usize, Option<u16>, bool)>),
    Aside(Vec<(usize, bool)>),
}

impl GivenLabels {
    /// No labels, for so many rows.
    pub(super) fn new(rows: usize) -> Self {
        Self {
            classes: Vec::new(),
            of: vec![None; rows],
            together: vec![false; rows],
            aside: vec![false; rows],
            changes: Vec::new(),
        }
    }

    pub(super) fn classes(&self) -> &[String] {
        &self.classes
    }

    pub(super) fn of(&self) -> &[Option<u16>] {
        &self.of
    }

    /// Whether the label of each row was given to several rows at once, as of a group. It is not known of labels of an earlier session.
    pub(super) fn together(&self) -> &[bool] {
        &self.together
    }

    pub(super) fn aside(&self) -> &[bool] {
        &self.aside
    }

    /// How many changes can be undone.
    pub(super) fn undoable(&self) -> usize {
        self.changes.len()
    }

    /// The rows that have a label, ascending, with their classes.
    pub(super) fn given(&self) -> impl Iterator<Item = (usize, usize)> {
        let label = |(row, of): (usize, &Option<u16>)| Some((row, usize::from((*of)?)));
        self.of.iter().enumerate().filter_map(label)
    }

    /// Gives `rows` the label `class`, or takes theirs away. Whether that changed anything.
    ///
    /// # Errors
    ///
    /// [`ExploreError::OutOfRange`] for a row that doesn't exist, [`ExploreError::Class`]. Nothing has changed then.
    pub(super) fn label(
        &mut self,
        rows: &[usize],
        class: Option<&str>,
    ) -> Result<bool, ExploreError> {
        self.check(rows)?;
        let class = class.map(|name| self.number(name)).transpose()?;
        let mut before = Vec::new();
        for &row in rows {
            if self.of[row] != class {
                before.push((row, self.of[row], self.together[row]));
                self.of[row] = class;
                self.together[row] = rows.len() > 1;
            }
        }
        Ok(self.remember(before.is_empty(), Change::Labels(before)))
    }

    /// Sets `rows` aside, or takes them back. Whether that changed anything.
    ///
    /// # Errors
    ///
    /// [`ExploreError::OutOfRange`] for a row that doesn't exist. Nothing has changed then.
    pub(super) fn set_aside(&mut self, rows: &[usize], aside: bool) -> Result<bool, ExploreError> {
        self.check(rows)?;
        let mut before = Vec::new();
        for &row in rows {
            if self.aside[row] != aside {
                before.push((row, self.aside[row]));
                self.aside[row] = aside;
            }
        }
        Ok(self.remember(before.is_empty(), Change::Aside(before)))
    }

    /// Takes the last change back. Whether there was one.
    pub(super) fn undo(&mut self) -> bool {
        match self.changes.pop() {
            // A row may be named twice: the first time counts.
            Some(Change::Labels(before)) => {
                for (row, class, together) in before.into_iter().rev() {
                    (self.of[row], self.together[row]) = (class, together);
                }
                true
            }
            Some(Change::Aside(before)) => {
                before.into_iter().rev().for_each(|(row, aside)| self.aside[row] = aside);
                true
            }
            None => false,
        }
    }

    /// Forgets the way back: what is there now was there when the session began.
    pub(super) fn settle(&mut self) {
        self.changes.clear();
    }

    fn remember(&mut self, is_empty: bool, change: Change) -> bool {
        if is_empty {
            return false;
        }
        if self.changes.len() == UNDONE {
            self.changes.remove(0);
        }
        self.changes.push(change);
        true
    }

    fn check(&self, rows: &[usize]) -> Result<(), ExploreError> {
        use simclr_range::OutOfRange;

        let images = self.of.len();
        match rows.iter().find(|&&row| row >= images) {
            Some(row) => Err(OutOfRange::new("rows", format!("below {images}"), row).into()),
            None => Ok(()),
        }
    }

    /// The number of a class, which is a new one if the name is new.
    fn number(&mut self, name: &str) -> Result<u16, ExploreError> {
        let name = checked(name)?;
        let known = self.classes.iter().position(|class| class == name);
        if known.is_none() && self.classes.len() == MOST_CLASSES {
            return Err(refused(name, "there are too many classes"));
        }
        let number = known.unwrap_or_else(|| {
            self.classes.push(name.to_owned());
            self.classes.len() - 1
        });
        Ok(u16::try_from(number).expect("there are fewer classes"))
    }
}

/// The name of a class without the space around it.
fn checked(name: &str) -> Result<&str, ExploreError> {
    let name = name.trim();
    if name.is_empty() {
        Err(refused(name, "it is empty"))
    } else if name.len() > LONGEST_NAME {
        Err(refused(name, "it has more than 255 bytes"))
    } else if name.chars().any(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')) {
        Err(refused(name, "it has more than one line, or a control character"))
    } else {
        Ok(name)
    }
}

fn refused(name: &str, reason: &'static str) -> ExploreError {
    let found: String = name.chars().take(80).collect();
    ExploreError::Class { found, reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_change_is_undone_in_turn() {
        let mut labels = GivenLabels::new(4);
        assert!(labels.label(&[0, 2, 0], Some(" cat ")).unwrap());
        assert!(labels.label(&[2, 3], Some("dog")).unwrap());
        assert!(labels.set_aside(&[1], true).unwrap());
        assert!(labels.label(&[0], None).unwrap());
        // What changes nothing is nothing to undo.
        assert!(
            !labels.label(&[2], Some("dog")).unwrap() && !labels.set_aside(&[1], true).unwrap()
        );
        assert_eq!(labels.given().collect::<Vec<_>>(), [(2, 1), (3, 1)]);
        assert!(labels.together()[3] && labels.label(&[3], Some("cat")).unwrap());
        assert!(!labels.together()[3] && labels.undo() && labels.together()[3]);
        assert!(labels.undo());
        assert_eq!(labels.of()[0], Some(0));
        assert!(labels.aside()[1] && labels.undo() && !labels.aside()[1]);
        assert!(labels.undo());
        assert_eq!(labels.given().collect::<Vec<_>>(), [(0, 0), (2, 0)]);
        assert!(labels.undo() && !labels.undo());
        assert_eq!(labels.given().count(), 0);
        assert_eq!(labels.classes(), ["cat", "dog"]);
    }

    #[test]
    fn what_cannot_be_labelled_changes_nothing() {
        let mut labels = GivenLabels::new(2);
        let long = "x".repeat(256);
        for (rows, class) in
            [(&[0, 2][..], "cat"), (&[0], " "), (&[0], "a\nb"), (&[0], "\u{1b}"), (&[0], &long)]
        {
            assert!(labels.label(rows, Some(class)).is_err(), "{class:?}");
        }
        assert!(labels.set_aside(&[2], true).is_err());
        assert_eq!((labels.given().count(), labels.undoable()), (0, 0));
        assert!(labels.label(&[0], Some("</script>")).unwrap());
    }
}
