//! Images of a set in batches: the next one is read while the current one is embedded.

use std::ops::Range;

use rayon::prelude::*;
use simclr_augment::EvaluationTransform;
use simclr_data::{DataError, ImageDataset};

use crate::error::EmbedError;

/// What became of all images of a set.
pub(super) struct Rows {
    /// The outputs for every image that could be read, one after the other.
    pub(super) values: Vec<f32>,
    /// The indices of these images.
    pub(super) indices: Vec<usize>,
    /// The images that could not be read.
    pub(super) skipped: Vec<DataError>,
}

/// Images as a network's input.
struct Batch {
    pixels: Vec<f32>,
    indices: Vec<usize>,
    skipped: Vec<DataError>,
}

/// How images become a network's input.
pub(super) struct Reader<F> {
    /// Images in a batch.
    pub(super) batch_size: usize,
    /// Values of one image.
    pub(super) view_len: usize,
    /// Reads the image of an index into so many values.
    pub(super) read: F,
}

/// Reads the transformed images of a set.
pub(super) fn set_reader<'a>(
    images: &'a dyn ImageDataset,
    transform: &'a EvaluationTransform,
    batch_size: usize,
) -> Reader<impl Fn(usize, &mut [f32]) -> Result<(), EmbedError> + Sync + 'a> {
    let read = |index, out: &mut [f32]| Ok(transform.view_into(&images.image(index)?, out)?);
    Reader { batch_size, view_len: transform.view_len(), read }
}

impl<F: Fn(usize, &mut [f32]) -> Result<(), EmbedError> + Sync> Reader<F> {
    /// What `network` makes of the images `0..count`, batch by batch.
    ///
    /// Two batches are held at most: the one in the network, and the next one, which all idle threads of the
    /// current rayon pool read and transform meanwhile. The network runs on the calling thread, so that no
    /// thread of the pool waits for another.
    pub(super) fn through(
        &self,
        count: usize,
        mut network: impl FnMut(Vec<f32>) -> Result<Vec<f32>, EmbedError>,
    ) -> Result<Rows, EmbedError> {
        let mut ranges = (0..count)
            .step_by(self.batch_size)
            .map(|start| start..(start + self.batch_size).min(count));
        let mut rows = Rows { values: Vec::new(), indices: Vec::new(), skipped: Vec::new() };
        let mut next = ranges.next().map(|range| self.batch(range)).transpose()?;
        while let Some(batch) = next.take() {
            let (following, mut read) = (ranges.next(), None);
            let values = rayon::in_place_scope(|scope| {
                scope.spawn(|_| read = following.map(|range| self.batch(range)));
                if batch.indices.is_empty() { Ok(Vec::new()) } else { network(batch.pixels) }
            })?;
            rows.values.extend(values);
            rows.indices.extend(batch.indices);
            rows.skipped.extend(batch.skipped);
            next = read.transpose()?;
        }
        Ok(rows)
    }

    /// Reads some images on all cores, each into its place.
    fn batch(&self, range: Range<usize>) -> Result<Batch, EmbedError> {
        let mut pixels = vec![0.0; range.len() * self.view_len];
        let read: Vec<Result<(), EmbedError>> = pixels
            .par_chunks_exact_mut(self.view_len)
            .zip(range.clone())
            .map(|(out, index)| (self.read)(index, out))
            .collect();
        let (mut indices, mut skipped) = (Vec::with_capacity(range.len()), Vec::new());
        for (place, (index, read)) in range.zip(read).enumerate() {
            match read {
                Ok(()) => {
                    let kept = indices.len();
                    if kept < place {
                        let view = place * self.view_len..(place + 1) * self.view_len;
                        pixels.copy_within(view, kept * self.view_len);
                    }
                    indices.push(index);
                }
                Err(EmbedError::Data(error)) if error.is_one_image() => skipped.push(error),
                Err(error) => return Err(error),
            }
        }
        pixels.truncate(indices.len() * self.view_len);
        Ok(Batch { pixels, indices, skipped })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    fn unreadable(index: usize) -> EmbedError {
        let source = image::ImageError::IoError(std::io::Error::other("torn"));
        DataError::Decode { path: format!("{index}.png").into(), source }.into()
    }

    /// Image i is the two values i and -i; every seventh cannot be read.
    fn reader(
        batch_size: usize,
    ) -> Reader<impl Fn(usize, &mut [f32]) -> Result<(), EmbedError> + Sync> {
        let read = |index: usize, out: &mut [f32]| {
            if index % 7 == 3 {
                return Err(unreadable(index));
            }
            out.copy_from_slice(&[index as f32, -(index as f32)]);
            Ok(())
        };
        Reader { batch_size, view_len: 2, read }
    }

    #[test]
    fn every_image_has_its_row_whatever_is_skipped_and_however_large_the_batches() {
        for batch_size in [1, 2, 5, 64] {
            let mut largest = 0;
            let rows = reader(batch_size).through(20, |pixels| {
                largest = largest.max(pixels.len() / 2);
                Ok(pixels)
            });
            let rows = rows.unwrap();
            let expected: Vec<usize> = (0..20).filter(|index| index % 7 != 3).collect();
            assert_eq!(rows.indices, expected);
            let values = expected.iter().flat_map(|&index| [index as f32, -(index as f32)]);
            assert_eq!(rows.values, values.collect::<Vec<_>>());
            assert_eq!(rows.skipped.len(), 3);
            assert!(largest <= batch_size, "{largest} images in a batch of {batch_size}");
        }
    }

    #[test]
    fn a_fault_of_the_set_or_of_the_network_ends_it() {
        let failing = Reader {
            batch_size: 2,
            view_len: 1,
            read: |index, _: &mut [f32]| match index {
                4 => Err(DataError::IndexOutOfRange { index, len: 4 }.into()),
                _ => Ok(()),
            },
        };
        assert!(matches!(failing.through(6, Ok), Err(EmbedError::Data(_))));
        let lost = |_| Err(EmbedError::Device("lost".to_owned()));
        assert!(matches!(reader(4).through(6, lost), Err(EmbedError::Device(_))));
    }

    #[test]
    fn no_more_than_one_batch_is_read_ahead() {
        let (read, embedded) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let reader = Reader {
            batch_size: 4,
            view_len: 1,
            read: |_, _: &mut [f32]| {
                let ahead = read.fetch_add(1, Ordering::SeqCst) - embedded.load(Ordering::SeqCst);
                assert!(ahead < 8, "{ahead} images ahead");
                Ok(())
            },
        };
        let rows = reader.through(40, |pixels| {
            embedded.fetch_add(pixels.len(), Ordering::SeqCst);
            Ok(pixels)
        });
        assert_eq!(rows.unwrap().indices.len(), 40);
    }

    #[test]
    fn it_may_be_called_from_every_thread_of_a_pool_at_once() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
        let all: Vec<usize> = pool.install(|| {
            (0..8)
                .into_par_iter()
                .map(|_| reader(3).through(20, Ok).unwrap().indices.len())
                .collect()
        });
        assert_eq!(all, [17; 8]);
    }
}
