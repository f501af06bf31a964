//! An image as it is stored.

/// An image that waits to be written.
pub(super) struct Encoded {
    /// Its index in the data set.
    pub(super) index: usize,
    pub(super) bytes: Vec<u8>,
    /// CRC32C of `bytes`.
    pub(super) crc: u32,
}

impl Encoded {
    pub(super) fn new(index: usize, bytes: Vec<u8>) -> Self {
        let crc = crc32c::crc32c(&bytes);
        Self { index, bytes, crc }
    }
}
