//! Reading at a place of a file, from any number of threads at once.

use std::{
    fs::File,
    io::{self, ErrorKind},
};

#[cfg(unix)]
fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, at)
}

#[cfg(windows)]
fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    // It moves the file's own position, which nothing else here goes by.
    std::os::windows::fs::FileExt::seek_read(file, buffer, at)
}

/// Fills `buffer` with what lies at `at`.
///
/// # Errors
///
/// [`ErrorKind::UnexpectedEof`] if the file ends before, or the system's error.
pub(super) fn read_exact_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<()> {
    if read_up_to(file, buffer, at)? < buffer.len() {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    Ok(())
}

/// Fills as much of `buffer` as the file has at `at`, and says how much that is.
pub(super) fn read_up_to(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match read_at(file, &mut buffer[filled..], at + filled as u64) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
