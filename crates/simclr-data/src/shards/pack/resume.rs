//! Going on with a packed file that another call began.

use std::{fs::File, io};

use super::{
    PackError,
    settings::Settings,
    tar_writer::whole_member,
    unfinished::{SETTINGS_NAME, Unfinished},
};
use crate::{
    DataError, ImageDataset, printable,
    shards::{
        columns::NO_LABEL,
        members::{Member, Members},
        positioned::read_exact_at,
        tar_header::{BLOCK, MemberKind},
    },
};

/// Bytes that are read at a time to verify a checksum.
const PIECE: usize = 1 << 20;

impl Unfinished<'_> {
    /// Finds what the file holds, up to the last whole image whose checksum is right.
    pub(super) fn resume(&mut self, settings: &Settings) -> Result<(), PackError> {
        let cannot = |source| PackError::Data(DataError::Io { path: self.path.clone(), source });
        let file = self.file.get_ref().as_file().try_clone().map_err(cannot)?;
        let len = file.metadata().map_err(cannot)?.len();
        let beginning = whole_member(SETTINGS_NAME, settings.text.as_bytes());
        let mut found = vec![0; beginning.len().min(len as usize)];
        read_exact_at(&file, &mut found, 0).map_err(cannot)?;
        if !beginning.starts_with(&found) {
            let found = found.get(BLOCK..).unwrap_or_default();
            let text =
                String::from_utf8_lossy(found.split(|&byte| byte == 0).next().unwrap_or_default());
            let found = if text.starts_with('{') { &text } else { "another file" };
            let (path, expected) = (self.path.clone(), settings.text.clone());
            return Err(PackError::OtherSettings { path, expected, found: printable(found) });
        }
        let mut members = Members::new(&file, len);
        // Whatever is no whole member is written anew.
        let mut next = move || {
            let member = members.next().ok().flatten()?;
            let is_whole = member.at.checked_add(member.size).is_some_and(|end| end <= len);
            let is_file = member.kind == MemberKind::File && u32::try_from(member.size).is_ok();
            (is_whole && is_file && members.position() <= len)
                .then_some((member, members.position()))
        };
        // It was killed before it had written that much.
        let Some((_, after)) = next() else { return Ok(()) };
        self.at = after;
        while let Some((member, after_image)) = next() {
            // Images between this one and the last were left out.
            let is_it = |&index: &usize| member.name == self.member_name(index).as_bytes();
            let Some(index) = (self.done..self.set.len()).find(is_it) else { break };
            let expected = member.data_crc;
            if expected.is_none() || checksum(&file, &member).ok() != expected {
                break;
            }
            let mut end = after_image;
            let (label, _) = self.groups[index];
            if label != NO_LABEL {
                let Some((cls, after_label)) = next() else { break };
                let name = format!("{}.cls", self.keys.get(index));
                let said = content(&file, &cls).unwrap_or_default();
                if cls.name != name.as_bytes() || said != label.to_string().as_bytes() {
                    break;
                }
                end = after_label;
            }
            self.left_out.extend(self.done..index);
            self.push(index, &member);
            self.done = index + 1;
            self.at = end;
        }
        Ok(())
    }
}

/// A short member.
fn content(file: &File, member: &Member) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; (member.size as usize).min(PIECE)];
    read_exact_at(file, &mut bytes, member.at)?;
    Ok(bytes)
}

/// The CRC32C of a member.
fn checksum(file: &File, member: &Member) -> io::Result<u32> {
    let mut bytes = vec![0; (member.size as usize).min(PIECE)];
    let (mut crc, mut read) = (0, 0);
    while read < member.size {
        let piece = ((member.size - read) as usize).min(PIECE);
        read_exact_at(file, &mut bytes[..piece], member.at + read)?;
        crc = crc32c::crc32c_append(crc, &bytes[..piece]);
        read += piece as u64;
    }
    Ok(crc)
}
