//! The end of a file of vectors: everything moves to its name.

use std::fs::{self, File};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;

use simclr_files::{remove_folder, rename, replace_file};

use super::npy_header::npy_header;
use super::progress::Progress;
use super::{VectorFile, VectorsWritten};
use crate::error::EmbedError;
use crate::search::write_index;

impl VectorFile {
    /// Moves the vectors to their name, with names and table beside, and removes what was needed to go on. An index is
    /// copied, which takes as much room on the disk again for a while.
    ///
    /// If it is stopped meanwhile, [`resume`](Self::resume) and `finish` end it.
    ///
    /// # Errors
    ///
    /// [`EmbedError::NoImages`] without a vector, and nothing is left then; [`EmbedError::Read`] and [`EmbedError::Write`].
    pub fn finish(mut self) -> Result<VectorsWritten, EmbedError> {
        let Progress { rows, size, skipped, .. } = self.progress;
        let shape = match self.patches {
            None => vec![rows, size],
            Some(patches) => vec![rows, patches, size / patches],
        };
        let folder = self.parts.folder.clone();
        let remove = || remove_folder(&folder).map_err(EmbedError::write(&folder));
        if rows == 0 {
            remove()?;
            return Err(EmbedError::NoImages { set: "index" });
        }
        self.note()?;
        let (out, vectors) = (self.parts.out.clone(), self.parts.vectors());
        // The names and the table are copied: as long as the vectors are not at their name, all can be done again.
        copy(&self.parts.table(), &out.with_extension("labels.csv"))?;
        if self.parts.numpy {
            copy(&self.parts.names(), &out.with_extension("txt"))?;
            let mut write_header = || {
                self.vectors.seek(SeekFrom::Start(0))?;
                self.vectors.write_all(&npy_header(&shape))?;
                self.vectors.sync_all()
            };
            write_header().map_err(EmbedError::write(&vectors))?;
            rename(&vectors, &out).map_err(EmbedError::write(&out))?;
        } else {
            let names = fs::read_to_string(self.parts.names())
                .map_err(EmbedError::read(&self.parts.names()))?;
            let names: Vec<&str> = names.lines().collect();
            EmbedError::check_count("a name", "vectors", rows, names.len())?;
            let mut values = File::open(&vectors).map_err(EmbedError::read(&vectors))?;
            let preparation = &self.progress.preparation;
            write_index(&out, &names, preparation, [rows, size], |out| {
                io::copy(&mut values, out).map(drop)
            })?;
        }
        remove()?;
        Ok(VectorsWritten { vectors: rows, skipped })
    }
}

/// Replaces the file `to` by a copy of `from`.
fn copy(from: &Path, to: &Path) -> Result<(), EmbedError> {
    let mut file = File::open(from).map_err(EmbedError::read(from))?;
    replace_file(to, |out| io::copy(&mut file, out).map(drop)).map_err(EmbedError::write(to))
}
