//! The tensors of a ZIP archive: the format of PyTorch since 1.6.

use std::collections::HashMap;
use std::fs::File;
use std::ops::Range;

use super::state_dict::{contents, read_part};
use super::zip_directory::ZipDirectory;
use crate::weights::contents::Contents;
use crate::weights::error::WeightFault;
use crate::weights::pickle::{Pickle, StorageReference};

/// Reads the tensors of an archive, which has `length` bytes.
pub(in crate::weights) fn read(file: &mut File, length: u64) -> Result<Contents, WeightFault> {
    let directory = ZipDirectory::read(file, length)?;
    let root = directory.names().find_map(|name| name.strip_suffix("data.pkl"));
    let Some(root) = root.map(str::to_owned) else {
        return Err(WeightFault::malformed("a data.pkl in the archive", "none"));
    };
    check_byte_order(&directory, &root, file)?;
    let content = directory.content(&format!("{root}data.pkl"), file)?;
    let bytes = read_part(file, content)?;
    let (pickle, _) = Pickle::read(&bytes)?;
    let mut storages = HashMap::new();
    let locate = |storage: &StorageReference| -> Result<Range<u64>, WeightFault> {
        if let Some(range) = storages.get(storage.key) {
            return Ok(Range::clone(range));
        }
        let range = directory.content(&format!("{root}data/{}", storage.key), file)?;
        storages.insert(storage.key.to_owned(), range.clone());
        Ok(range)
    };
    contents(&pickle, locate)
}

/// Refuses an archive of a big-endian machine.
fn check_byte_order(
    directory: &ZipDirectory,
    root: &str,
    file: &mut File,
) -> Result<(), WeightFault> {
    let name = format!("{root}byteorder");
    if !directory.names().any(|known| known == name) {
        return Ok(());
    }
    let content = directory.content(&name, file)?;
    let order = read_part(file, content)?;
    if order == b"little" {
        return Ok(());
    }
    let found = String::from_utf8_lossy(&order).into_owned();
    Err(WeightFault::malformed("the byte order little", found))
}
