//! What of shards is passed over, counted for a few lines of warning.

use std::{collections::BTreeMap, path::Path};

use super::members::ArchiveEnd;
use crate::printable;

/// The most shards that are named for the same reason.
const NAMED: usize = 5;

/// Why a member is passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Note {
    Link,
    Sparse,
    Special,
    LeadsOut,
    Further,
    Unclear,
    Archive,
}

impl Note {
    /// What the members are, and what becomes of them.
    fn words(self) -> &'static str {
        match self {
            Self::Link => "links in shards are passed over",
            Self::Sparse => "sparse files in shards are passed over",
            Self::Special => "members that are no files are passed over",
            Self::LeadsOut => "members whose names lead out of their archive are passed over",
            Self::Further => "images beside another one of the same key are passed over",
            Self::Unclear => "labels in shards cannot be understood, and their images have none",
            Self::Archive => "archives within shards are passed over",
        }
    }
}

/// What of one or several shards is passed over.
#[derive(Debug, Default)]
pub(super) struct Notes {
    /// How many, and the first of them.
    counts: BTreeMap<Note, (usize, String)>,
    /// A line for each shard that doesn't end as it should.
    ends: Vec<String>,
}

impl Notes {
    pub(super) fn add(&mut self, note: Note, name: &[u8]) {
        let first = || printable(&String::from_utf8_lossy(name));
        self.counts.entry(note).or_insert_with(|| (0, first())).0 += 1;
    }

    /// The first archive that lies within.
    pub(super) fn archive(&self) -> Option<&str> {
        self.counts.get(&Note::Archive).map(|(_, first)| first.as_str())
    }

    /// How the shard at `path`, with so many images, ends at byte `at`.
    pub(super) fn add_end(&mut self, end: ArchiveEnd, path: &Path, images: usize, at: u64) {
        let path = printable(&path.to_string_lossy());
        self.ends.push(match end {
            ArchiveEnd::Marked => return,
            ArchiveEnd::CutOff => format!(
                "{path} is cut off at byte {at}, within a member; {images} images come before. Fetch it again"
            ),
            ArchiveEnd::Unmarked => format!(
                "{path} ends at byte {at} without the mark of a whole archive, after {images} images: it may be cut off"
            ),
            ArchiveEnd::MoreFollows(next) => format!(
                "{path} holds another archive behind its end, at byte {next}, which is left out; {images} images come before"
            ),
        });
    }

    pub(super) fn merge(&mut self, other: Self) {
        for (note, (count, first)) in other.counts {
            self.counts.entry(note).or_insert((0, first)).0 += count;
        }
        self.ends.extend(other.ends);
    }

    /// A line on each kind, and one on each of the first few shards.
    pub(super) fn warnings(&self) -> Vec<String> {
        let more = self.ends.len().saturating_sub(NAMED);
        let mut lines: Vec<String> = self.ends.iter().take(NAMED).cloned().collect();
        if more > 0 {
            lines.push(format!("{more} more shards do not end as whole archives do"));
        }
        for (note, (count, first)) in &self.counts {
            lines.push(format!("{count} {}, such as `{first}`", note.words()));
        }
        lines
    }
}
