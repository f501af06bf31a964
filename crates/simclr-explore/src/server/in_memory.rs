//! A connection without a network.

use std::io::{self, Read, Write};

/// A request that has arrived, and its answer.
pub(super) struct InMemory<'a> {
    request: &'a [u8],
    pub(super) answer: Vec<u8>,
}

impl<'a> InMemory<'a> {
    pub(super) fn new(request: &'a [u8]) -> Self {
        Self { request, answer: Vec::new() }
    }
}

impl Read for InMemory<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.request.read(buffer)
    }
}

impl Write for InMemory<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.answer.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
