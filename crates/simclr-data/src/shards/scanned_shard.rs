//! What one shard holds, found by its headers.

use std::{collections::HashMap, fs::File, path::Path};

use super::{
    columns::{Columns, NO_LABEL, NO_SPLIT, Row},
    label::{Label, Said},
    member_name::{MemberName, NoData, Role, is_raw},
    members::{ArchiveEnd, Member, MemberFault, Members},
    notes::{Note, Notes},
    positioned::read_up_to,
    tar_header::{self, BLOCK, MemberKind},
};
use crate::{DataError, decode::Content, patience::patiently};

/// Most bytes of a `.cls` and of a `.json` member that are read.
const MOST_CLS: u64 = 64;
const MOST_JSON: u64 = 1 << 20;

/// The images of a shard, whose labels are numbers of its own.
#[derive(Debug, Default)]
pub(super) struct ScannedShard {
    pub(super) images: Columns,
    pub(super) labels: Vec<Label>,
    /// Names of splits, if the images tell theirs.
    pub(super) splits: Vec<String>,
    pub(super) notes: Notes,
}

impl ScannedShard {
    /// Reads the headers of the archive in `file`, which is `len` bytes long.
    pub(super) fn of(path: &Path, file: &File, len: u64) -> Result<Self, DataError> {
        refuse_other_files(path, file)?;
        let mut members = Members::new(file, len);
        let mut samples = Samples::default();
        loop {
            let next = members.next().and_then(|member| match member {
                Some(member) => samples.add(&mut members, member, len).map(|()| true),
                None => Ok(false),
            });
            match next {
                Ok(true) => {}
                Ok(false) => break,
                Err(MemberFault::Io(source)) => {
                    return Err(DataError::Io { path: path.to_owned(), source });
                }
                Err(MemberFault::Damaged { at, reason }) => {
                    samples.flush();
                    let images = samples.shard.images.len();
                    return Err(DataError::Archive { path: path.to_owned(), at, images, reason });
                }
            }
        }
        samples.flush();
        let mut found = samples.shard;
        let Columns { offsets, lengths, .. } = &found.images;
        let last = offsets.last().zip(lengths.last());
        let is_cut = last.is_some_and(|(&at, &length)| at + u64::from(length) > len);
        let before = found.images.len() - usize::from(is_cut);
        let at =
            if members.end() == ArchiveEnd::Unmarked { members.position().min(len) } else { len };
        found.notes.add_end(members.end(), path, before, at);
        found.images.shrink();
        Ok(found)
    }
}

impl ScannedShard {
    /// Makes the splits of a packed file numbers of `all`.
    pub(super) fn number_splits(&mut self, all: &mut Vec<String>) {
        let numbers: Vec<u8> = self
            .splits
            .iter()
            .map(|split| {
                let known = all.iter().position(|known| known == split);
                let number = known.unwrap_or_else(|| {
                    all.push(split.clone());
                    all.len() - 1
                });
                u8::try_from(number).unwrap_or(NO_SPLIT)
            })
            .collect();
        for split in self.images.splits.iter_mut().filter(|split| **split != NO_SPLIT) {
            *split = numbers[usize::from(*split)];
        }
    }
}

/// Compressions by how a file begins, and the commands that undo them.
const COMPRESSED: [(&[u8], &str, &str); 6] = [
    (b"\x1f\x8b", "gzip", "gunzip"),
    (b"\x28\xb5\x2f\xfd", "Zstandard", "unzstd"),
    (b"BZh", "bzip2", "bunzip2"),
    (b"\xfd7zXZ\0", "xz", "unxz"),
    (b"\x04\x22\x4d\x18", "LZ4", "unlz4"),
    (b"PK\x03\x04", "ZIP", "unzip"),
];

/// Says what a file is that is no tar archive.
fn refuse_other_files(path: &Path, file: &File) -> Result<(), DataError> {
    let path = || path.to_owned();
    let mut beginning = [0; BLOCK];
    let length = patiently(|| read_up_to(file, &mut beginning, 0))
        .map_err(|source| DataError::Io { path: path(), source })?;
    let beginning = &beginning[..length];
    // The first member may be called as other files begin.
    if tar_header::is_header(beginning) {
        return Ok(());
    }
    if let Some((_, found, tool)) = COMPRESSED.iter().find(|kind| beginning.starts_with(kind.0)) {
        return Err(DataError::Compressed { path: path(), found, tool });
    }
    match Content::of(beginning) {
        _ if length == 0 => Err(DataError::EmptyFile { path: path(), expected: "a tar archive" }),
        Content::Other("zeros") => Ok(()),
        content => {
            let reason = format!("expected a tar archive, found {}", content.name());
            Err(DataError::Archive { path: path(), at: 0, images: 0, reason })
        }
    }
}

/// Consecutive members of one key, which become an image or several.
#[derive(Default)]
struct Samples {
    shard: ScannedShard,
    known: HashMap<Label, u32>,
    key: String,
    /// Images of this key.
    images: Vec<Image>,
    label: Option<Label>,
    /// Whether a member beside the images tells their class: then one of them is the image.
    is_sample: bool,
}

struct Image {
    name: String,
    whole: bool,
    member: Member,
}

impl Samples {
    fn add(&mut self, members: &mut Members, member: Member, len: u64) -> Result<(), MemberFault> {
        let notes = &mut self.shard.notes;
        let note = match member.kind {
            MemberKind::File => None,
            MemberKind::Link => Some(Note::Link),
            MemberKind::Sparse => Some(Note::Sparse),
            _ => Some(Note::Special),
        };
        if let Some(note) = note {
            notes.add(note, &member.name);
            return Ok(());
        }
        let name = match MemberName::of(&member.name) {
            Ok(name) => name,
            Err(NoData::Hidden) => return Ok(()),
            Err(NoData::LeadsOut) => {
                notes.add(Note::LeadsOut, &member.name);
                return Ok(());
            }
        };
        if name.key() != self.key {
            self.flush();
            name.key().clone_into(&mut self.key);
        }
        match name.role {
            Role::Image { whole } => self.images.push(Image { name: name.text, whole, member }),
            Role::Archive => self.shard.notes.add(Note::Archive, &member.name),
            Role::Cls | Role::Json => self.read_label(members, &member, name.role, len)?,
            Role::Other => {}
        }
        Ok(())
    }

    fn read_label(
        &mut self,
        members: &mut Members,
        member: &Member,
        role: Role,
        len: u64,
    ) -> Result<(), MemberFault> {
        let most = if role == Role::Cls { MOST_CLS } else { MOST_JSON };
        let said = if member.size > most || member.at + member.size > len {
            Said::Unclear
        } else {
            let content = members.content(member)?;
            if role == Role::Cls { Said::by_cls(content) } else { Said::by_json(content) }
        };
        self.is_sample |= role == Role::Cls || said != Said::None;
        match said {
            Said::None => {}
            Said::Unclear => self.shard.notes.add(Note::Unclear, &member.name),
            Said::Label(Label { number, name }) => {
                let label = self.label.get_or_insert(Label { number: None, name: None });
                // `.cls` goes before `.json`.
                label.number = if role == Role::Cls { number } else { label.number.or(number) };
                label.name = label.name.take().or(name);
            }
        }
        Ok(())
    }

    /// Ends a key.
    fn flush(&mut self) {
        let label = self.label.take();
        let is_sample = std::mem::take(&mut self.is_sample);
        let mut images = std::mem::take(&mut self.images);
        if images.is_empty() {
            return;
        }
        if is_sample && images.len() > 1 {
            let chosen = images.iter().position(|image| image.whole).unwrap_or(0);
            for (place, image) in images.iter().enumerate() {
                if place != chosen {
                    self.shard.notes.add(Note::Further, &image.member.name);
                }
            }
            images = vec![images.swap_remove(chosen)];
        }
        let label = label.map_or(NO_LABEL, |label| self.number(label));
        for Image { name, member, .. } in &images {
            self.shard.images.push(&Row {
                offset: member.at,
                length: u32::try_from(member.size).unwrap_or(u32::MAX),
                header_crc: member.header_crc,
                data_crc: member.data_crc.unwrap_or(0),
                label,
                split: NO_SPLIT,
                raw: is_raw(name),
                name,
            });
        }
        images.clear();
        self.images = images;
    }

    fn number(&mut self, label: Label) -> u32 {
        if let Some(&number) = self.known.get(&label) {
            return number;
        }
        let number = self.known.len() as u32;
        self.known.insert(label.clone(), number);
        self.shard.labels.push(label);
        number
    }
}
