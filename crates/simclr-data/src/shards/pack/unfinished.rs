//! A packed file until it is whole.

use std::{
    ffi::OsString,
    fs::{File, TryLockError},
    io::{self, BufWriter, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use simclr_files::{WrittenFile, remove_file, rename};

use super::{
    PackError,
    encoded::Encoded,
    keys::keys,
    settings::Settings,
    tar_writer::{header, padding},
};
use crate::{
    DataError, ImageDataset, WholeSet,
    shards::{
        columns::{Columns, NO_LABEL, NO_SPLIT, Row},
        members::Member,
        names::Names,
        pack_index,
        tar_header::{BLOCK, MemberKind},
    },
};

/// How the first member is called, which holds the settings.
pub(super) const SETTINGS_NAME: &str = "__simclr_pack__";
/// Bytes that are written at a time, if images are smaller.
const BUFFER: usize = 1 << 20;

/// A file that ends in `.part`, and what is in it.
pub(super) struct Unfinished<'a> {
    pub(super) set: &'a WholeSet,
    out: PathBuf,
    pub(super) path: PathBuf,
    pub(super) file: BufWriter<WrittenFile>,
    /// Its length.
    pub(super) at: u64,
    images: Columns,
    pub(super) keys: Names,
    /// What an image is stored with, by its index: class and split.
    pub(super) groups: Vec<(u32, u8)>,
    split_names: Vec<String>,
    extension: &'static str,
    raw: bool,
    /// Images before this one are in the file, or are left out.
    pub(super) done: usize,
    pub(super) left_out: Vec<usize>,
}

impl<'a> Unfinished<'a> {
    /// Begins a file, or opens the one that is there if it may `resume`.
    pub(super) fn open(
        out: &Path,
        set: &'a WholeSet,
        settings: &Settings,
        resume: bool,
    ) -> Result<Self, PackError> {
        let mut path = OsString::from(out);
        path.push(".part");
        let path = PathBuf::from(path);
        let cannot = |source| PackError::Write { path: path.clone(), source };
        let exists = path.exists();
        if exists && !resume {
            return Err(PackError::Unfinished { path });
        }
        let mut options = File::options();
        options.read(true).write(true).create(true).truncate(false);
        let file = WrittenFile::open(&path, &options).map_err(cannot)?;
        match file.as_file().try_lock() {
            Err(TryLockError::WouldBlock) => return Err(PackError::Busy { path }),
            // The second: a file system without locks.
            Ok(()) | Err(TryLockError::Error(_)) => {}
        }
        let (groups, split_names) = groups(set);
        let mut unfinished = Self {
            set,
            out: out.to_owned(),
            path: path.clone(),
            file: BufWriter::with_capacity(BUFFER, file),
            at: 0,
            images: Columns::default(),
            keys: keys(set),
            groups,
            split_names,
            extension: settings.extension(),
            raw: settings.is_raw(),
            done: 0,
            left_out: Vec::new(),
        };
        if exists {
            unfinished.resume(settings)?;
        }
        let file = unfinished.file.get_mut();
        if file.as_file().metadata().map_err(cannot)?.len() != unfinished.at {
            file.set_len(unfinished.at).map_err(cannot)?;
        }
        file.seek(SeekFrom::Start(unfinished.at)).map_err(cannot)?;
        if unfinished.at == 0 {
            unfinished.member(SETTINGS_NAME, settings.text.as_bytes(), None)?;
        }
        Ok(unfinished)
    }

    /// The first image that is neither in the file nor left out.
    pub(super) fn done(&self) -> usize {
        self.done
    }

    /// Images in the file.
    pub(super) fn packed(&self) -> usize {
        self.images.len()
    }

    /// Images that could not be read.
    pub(super) fn left_out(&self) -> &[usize] {
        &self.left_out
    }

    pub(super) fn member_name(&self, index: usize) -> String {
        format!("{}.{}", self.keys.get(index), self.extension)
    }

    /// Writes an image, and its class after it.
    pub(super) fn append(&mut self, image: &Encoded) -> Result<(), PackError> {
        let Encoded { index, bytes, crc } = image;
        let member = self.member(&self.member_name(*index), bytes, Some(*crc))?;
        self.push(*index, &member);
        let (label, _) = self.groups[*index];
        if label != NO_LABEL {
            let name = format!("{}.cls", self.keys.get(*index));
            self.member(&name, label.to_string().as_bytes(), None)?;
        }
        Ok(())
    }

    /// Notes an image that is in the file.
    pub(super) fn push(&mut self, index: usize, member: &Member) {
        let (label, split) = self.groups[index];
        self.images.push(&Row {
            offset: member.at,
            length: member.size as u32,
            header_crc: member.header_crc,
            data_crc: member.data_crc.unwrap_or(0),
            label,
            split,
            raw: self.raw,
            name: &self.set.name(index),
        });
    }

    /// Writes a member.
    fn member(&mut self, name: &str, bytes: &[u8], crc: Option<u32>) -> Result<Member, PackError> {
        let size = bytes.len() as u64;
        let header = header(name, size, crc);
        let padding = padding(bytes.len());
        let written =
            [&header, bytes, padding].into_iter().try_for_each(|part| self.file.write_all(part));
        written.map_err(|source| self.cannot(source))?;
        let at = self.at + header.len() as u64;
        self.at = at + size + padding.len() as u64;
        let header_crc = crc32c::crc32c(&header[header.len() - BLOCK..]);
        let (name, kind) = (name.as_bytes().to_vec(), MemberKind::File);
        Ok(Member { name, kind, at, size, header_crc, data_crc: crc })
    }

    fn cannot(&self, source: io::Error) -> PackError {
        PackError::Write { path: self.path.clone(), source }
    }

    /// Leaves the file for another time, and says where it is.
    pub(super) fn keep(mut self) -> Result<PathBuf, PackError> {
        self.file.flush().map_err(|source| self.cannot(source))?;
        Ok(self.path)
    }

    /// Ends the file and gives it its name. Returns the number of images, and the file's length.
    pub(super) fn finish(mut self) -> Result<(usize, u64), PackError> {
        if self.images.len() == 0 {
            // Nothing in it is worth going on with.
            let _ = remove_file(&self.path);
            let extensions = crate::image_folder::EXTENSIONS.join(", ");
            return Err(DataError::NoImages { path: self.out, extensions }.into());
        }
        let content = pack_index::encode(
            &self.images,
            self.set.class_names(),
            &self.split_names,
            self.at + BLOCK as u64,
        );
        self.member(pack_index::INDEX_NAME, &content, None)?;
        let end = [0; 2 * BLOCK];
        let ended = self.file.write_all(&end).and_then(|()| self.file.flush());
        ended
            .and_then(|()| self.file.get_ref().sync_all())
            .map_err(|source| self.cannot(source))?;
        if self.out.exists() {
            return Err(PackError::Exists { path: self.out });
        }
        rename(&self.path, &self.out).map_err(|source| self.cannot(source))?;
        Ok((self.images.len(), self.at + end.len() as u64))
    }
}

/// Class and split of each image, and the names of the splits.
fn groups(set: &WholeSet) -> (Vec<(u32, u8)>, Vec<String>) {
    let mut names: Vec<String> = Vec::new();
    let groups = (0..set.len()).map(|index| {
        let label = set.label(index).map_or(NO_LABEL, |label| label as u32);
        let split = set.split(index);
        let known = names.iter().position(|name| name == split);
        let split = known.unwrap_or_else(|| {
            names.push(split.to_owned());
            names.len() - 1
        });
        (label, u8::try_from(split).unwrap_or(NO_SPLIT))
    });
    (groups.collect(), names)
}
