//! The bytes of a pickle, taken one piece after the other.

use crate::weights::error::WeightFault;

/// What is left of a pickle's bytes.
#[derive(Debug)]
pub(super) struct Instructions<'a>(pub(super) &'a [u8]);

impl<'a> Instructions<'a> {
    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], WeightFault> {
        let split = self.0.split_at_checked(count);
        let (taken, rest) = split.ok_or_else(|| {
            WeightFault::malformed(
                "a whole pickle",
                "one that is cut off, or longer than a checkpoint's",
            )
        })?;
        self.0 = rest;
        Ok(taken)
    }

    pub(super) fn byte(&mut self) -> Result<u8, WeightFault> {
        Ok(self.take(1)?[0])
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], WeightFault> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    /// The text up to the end of the line.
    pub(super) fn line(&mut self) -> Result<&'a str, WeightFault> {
        let length = self.0.iter().position(|byte| *byte == b'\n').unwrap_or(self.0.len());
        let line = self.take(length)?;
        self.take(1)?;
        std::str::from_utf8(line).map_err(|error| WeightFault::malformed("a line of text", error))
    }

    /// The number of an instruction that pushes one; `None` for a float, and for one that doesn't fit into 64 bits.
    pub(super) fn number(&mut self, instruction: u8) -> Result<Option<i64>, WeightFault> {
        Ok(match instruction {
            b'J' => Some(i64::from(i32::from_le_bytes(self.array()?))),
            b'K' => Some(i64::from(self.byte()?)),
            b'M' => Some(i64::from(u16::from_le_bytes(self.array()?))),
            b'I' | b'L' | b'F' => self.line()?.trim_end_matches('L').parse().ok(),
            b'G' => {
                self.take(8)?;
                None
            }
            0x8B => {
                let length = self.length_32()?;
                self.long(length)?
            }
            _ => {
                let length = usize::from(self.byte()?);
                self.long(length)?
            }
        })
    }

    /// The text of an instruction that pushes text or bytes; `None` for bytes that are not UTF-8, and for a line with
    /// escapes.
    pub(super) fn text(&mut self, instruction: u8) -> Result<Option<&'a str>, WeightFault> {
        let length = match instruction {
            b'S' | b'V' => return self.line().map(unquoted),
            0x8C | b'U' | b'C' => usize::from(self.byte()?),
            0x8D | 0x8E | 0x96 => {
                usize::try_from(u64::from_le_bytes(self.array()?)).unwrap_or(usize::MAX)
            }
            _ => self.length_32()?,
        };
        Ok(std::str::from_utf8(self.take(length)?).ok())
    }

    /// The number of a value that was seen before.
    pub(super) fn memo_number(&mut self, instruction: u8) -> Result<usize, WeightFault> {
        match instruction {
            b'q' | b'h' => Ok(usize::from(self.byte()?)),
            b'p' | b'g' => {
                let line = self.line()?;
                line.parse().map_err(|_| WeightFault::malformed("the number of a value", line))
            }
            _ => self.length_32(),
        }
    }

    fn length_32(&mut self) -> Result<usize, WeightFault> {
        Ok(u32::from_le_bytes(self.array()?) as usize)
    }

    /// A little-endian number in two's complement that has `length` bytes; `None` if it doesn't fit.
    fn long(&mut self, length: usize) -> Result<Option<i64>, WeightFault> {
        let digits = self.take(length)?;
        let sign = if digits.last().is_some_and(|last| *last >= 0x80) { 0xFF } else { 0 };
        let mut bytes = [sign; 8];
        let Some(low) = bytes.get_mut(..length) else { return Ok(None) };
        low.copy_from_slice(digits);
        Ok(Some(i64::from_le_bytes(bytes)))
    }
}

/// A line without its quotes, if it has any; `None` if it has escapes.
fn unquoted(line: &str) -> Option<&str> {
    if line.contains('\\') {
        return None;
    }
    let inside = |quote| line.strip_prefix(quote)?.strip_suffix(quote);
    Some(inside('\'').or_else(|| inside('"')).unwrap_or(line))
}
