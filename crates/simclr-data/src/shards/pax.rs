//! Pax records, which say of the next member what its header has no room for.

/// What records say, as far as it matters here.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Pax {
    pub(super) path: Option<Vec<u8>>,
    pub(super) size: Option<u64>,
    /// Whether the member is a map of holes and what lies between them (GNU's sparse files).
    pub(super) sparse: bool,
}

impl Pax {
    /// Reads records: `length key=value\n`, where the length counts the whole record. Of several records of a key, the
    /// last counts.
    ///
    /// # Errors
    ///
    /// What is wrong with them.
    pub(super) fn parse(mut bytes: &[u8]) -> Result<Self, String> {
        let mut pax = Self::default();
        while !bytes.is_empty() {
            let (key, value, rest) = record(bytes)
                .ok_or_else(|| "expected pax records, found others than they say".to_owned())?;
            bytes = rest;
            match key {
                b"path" => pax.path = Some(value.to_vec()),
                b"size" => pax.size = Some(size(value)?),
                _ => pax.sparse |= key.starts_with(b"GNU.sparse."),
            }
        }
        Ok(pax)
    }
}

/// The first record's key and value, and what follows it.
fn record(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let space = bytes.iter().take(20).position(|&byte| byte == b' ')?;
    let length = decimal(&bytes[..space])?;
    let (record, rest) = bytes.split_at_checked(usize::try_from(length).ok()?)?;
    let record = record.get(space + 1..)?.strip_suffix(b"\n")?;
    let equals = record.iter().position(|&byte| byte == b'=')?;
    Some((&record[..equals], &record[equals + 1..], rest))
}

fn size(value: &[u8]) -> Result<u64, String> {
    decimal(value)
        .ok_or_else(|| "expected a size in a pax record, found none that is legal".to_owned())
}

fn decimal(digits: &[u8]) -> Option<u64> {
    let text = str::from_utf8(digits).ok()?;
    // `parse` takes a sign.
    text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn path_and_size_are_read_and_other_records_passed_over() {
        let records = b"30 mtime=1350244992.023960108\n18 path=dog/1.jpg\n11 size=42\n";
        let pax = Pax::parse(records).unwrap();
        assert_eq!(
            (pax.path, pax.size, pax.sparse),
            (Some(b"dog/1.jpg".to_vec()), Some(42), false)
        );
        assert!(Pax::parse(b"22 GNU.sparse.major=1\n").unwrap().sparse);
        assert_eq!(Pax::parse(b"").unwrap(), Pax::default());
    }

    #[test]
    fn records_that_lie_about_themselves_are_refused() {
        for hostile in [
            &b"99999999999999999999 path=a\n"[..],
            b"3 path=a\n",
            b"0 path=a\n",
            b"-9 path=a\n",
            b"9 path=ab",
            b"12 size=-42\n",
            b"13 size=1e99\n",
            b"30 size=99999999999999999999\n",
            b"path=a\n",
            b"\0\0\0\0",
        ] {
            assert!(Pax::parse(hostile).is_err(), "{:?}", str::from_utf8(hostile));
        }
    }

    proptest! {
        #[test]
        fn whatever_the_bytes_are_nothing_panics(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = Pax::parse(&bytes);
        }
    }
}
