//! The pages that were read last.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use parquet::data_type::ByteArray;

use super::fault::Fault;

/// Bytes of pages that are kept at most, and pages that are kept even if they are larger.
const MOST_BYTES: usize = 64 << 20;
const FEWEST: usize = 2;

/// Which page: the file's number, the row group's, and its own in that.
pub(super) type PageKey = [usize; 3];
/// The images of a page; `None` for a null.
pub(super) type Images = Vec<Option<ByteArray>>;

/// The pages that were read last, so that images that follow each other take one reading of their page. In random order, each image
/// takes one.
#[derive(Default)]
pub(super) struct PageCache(Mutex<Vec<Entry>>);

#[derive(Clone)]
struct Entry {
    key: PageKey,
    bytes: usize,
    /// Locked while it is read: other threads wait for it rather than read it, too.
    images: Arc<Mutex<Option<Arc<Images>>>>,
}

impl PageCache {
    /// The page of this key, which takes so many bytes, and which `read` reads unless it is here.
    pub(super) fn get(
        &self,
        key: PageKey,
        bytes: usize,
        read: impl FnOnce() -> Result<Images, Fault>,
    ) -> Result<Arc<Images>, Fault> {
        let entry = self.entry(key, bytes);
        let mut images = entry.images.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(images) = &*images {
            return Ok(Arc::clone(images));
        }
        let read = Arc::new(read()?);
        *images = Some(Arc::clone(&read));
        Ok(read)
    }

    fn entries(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The place of a page, which becomes the last one to be given up.
    fn entry(&self, key: PageKey, bytes: usize) -> Entry {
        let mut entries = self.entries();
        let known = entries.iter().position(|entry| entry.key == key);
        let entry = match known {
            Some(place) => entries.remove(place),
            None => Entry { key, bytes, images: Arc::default() },
        };
        entries.push(entry.clone());
        let mut kept: usize = entries.iter().map(|entry| entry.bytes).sum();
        while kept > MOST_BYTES && entries.len() > FEWEST {
            kept -= entries.remove(0).bytes;
        }
        entry
    }
}

impl std::fmt::Debug for PageCache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PageCache")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_read_once_while_it_is_kept_and_a_failed_one_again() {
        let cache = PageCache::default();
        let mut reads = Vec::new();
        let mut get = |page: usize| {
            let images = cache.get([0, 0, page], 30 << 20, || {
                reads.push(page);
                if page == 9 { Err(Fault::damaged("torn")) } else { Ok(vec![None; page]) }
            });
            images.map(|images| images.len())
        };
        for page in [1, 2, 1, 2] {
            assert_eq!(get(page).unwrap(), page);
        }
        assert!(get(9).is_err() && get(9).is_err());
        // Page 1 was used longest ago.
        assert_eq!((get(2).unwrap(), get(1).unwrap()), (2, 1));
        assert_eq!(reads, [1, 2, 9, 9, 1]);
    }

    #[test]
    fn pages_larger_than_all_that_is_kept_are_kept_in_twos() {
        let cache = PageCache::default();
        for page in 0..5 {
            cache.get([0, 0, page], 1 << 30, || Ok(Vec::new())).unwrap();
        }
        let kept: Vec<_> = cache.entries().iter().map(|entry| entry.key[2]).collect();
        assert_eq!(kept, [3, 4]);
    }
}
