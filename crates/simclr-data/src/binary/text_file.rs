//! The small text files beside binary data.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use crate::DataError;

/// Bytes of the longest text file that is read. The longest legal one, STL-10's `fold_indices.txt`, has 50 kB.
const LONGEST: u64 = 1 << 20;

/// The content of a text file of at most 1 MiB; `expected` says what it should hold.
pub(crate) fn read(path: &Path, expected: &'static str) -> Result<String, DataError> {
    let failed = |source| DataError::from_io(path, expected, source);
    let mut text = String::new();
    let length = File::open(path)
        .map_err(failed)?
        .take(LONGEST + 1)
        .read_to_string(&mut text)
        .map_err(failed)?;
    if length as u64 > LONGEST {
        let reason = format!("expected at most {LONGEST} bytes of text, found more");
        return Err(failed(io::Error::new(io::ErrorKind::InvalidData, reason)));
    }
    Ok(text)
}

/// The class names in a file, one per line; `standard` if there is no such file.
pub(crate) fn class_names(path: &Path, standard: &[&str]) -> Result<Vec<String>, DataError> {
    let text = match read(path, "class names") {
        Ok(text) => text,
        Err(DataError::Missing { .. }) => {
            return Ok(standard.iter().map(|&name| name.to_owned()).collect());
        }
        Err(error) => return Err(error),
    };
    let names: Vec<String> =
        text.lines().map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect();
    if names.len() != standard.len() {
        return Err(DataError::ClassCount {
            path: path.to_owned(),
            expected: standard.len(),
            found: names.len(),
        });
    }
    Ok(names)
}
