//! Images of a set in batches: the next one is read while the current one is embedded.

use std::ops::Range;

use rayon::prelude::*;
use simclr_augment::EvaluationTransform;
use simclr_data::{DataError, ImageDataset};

use crate::error::EmbedError;

/// What became of some images of a set.
#[derive(Default)]
pub(super) struct Rows {
    /// The outputs for every image that could be read, one after the other.
    pub(super) values: Vec<f32>,
    /// The indices of these images.
    pub(super) indices: Vec<usize>,
    /// The images that could not be read.
    pub(super) skipped: Vec<DataError>,
}

impl Rows {
    /// These rows, and those after them.
    pub(super) fn append(&mut self, next: Self) {
        self.values.extend(next.values);
        self.indices.extend(next.indices);
        self.skipped.extend(next.skipped);
    }
}

/// Images as a network's input.
struct Batch {
    /// The images that were tried.
    range: Range<usize>,
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
    /// Hands `each` what the networks make of the images in `range`, batch by batch and in order.
    ///
    /// Each network takes a batch at a time, all at once. Two batches for each are held at most: the one in the
    /// network, and the next one, which all idle threads of the current rayon pool read and transform meanwhile. The first
    /// network runs on the calling thread, and others on threads of their own, so that no thread of the pool waits for another.
    pub(super) fn each<N, X: From<EmbedError>>(
        &self,
        range: Range<usize>,
        networks: &mut [N],
        mut each: impl FnMut(Range<usize>, Rows) -> Result<(), X>,
    ) -> Result<(), X>
    where
        N: FnMut(Vec<f32>) -> Result<Vec<f32>, EmbedError> + Send,
    {
        let (end, at_once) = (range.end, networks.len());
        let mut ranges =
            range.step_by(self.batch_size).map(|start| start..(start + self.batch_size).min(end));
        let mut next = self.round(&mut ranges, at_once)?;
        while !next.is_empty() {
            let batches = std::mem::take(&mut next);
            let mut read = Ok(Vec::new());
            let rows = rayon::in_place_scope(|scope| {
                scope.spawn(|_| read = self.round(&mut ranges, at_once));
                all_at_once(networks, batches)
            });
            for (range, rows) in rows {
                each(range, rows?)?;
            }
            next = read?;
        }
        Ok(())
    }

    /// Reads a batch for each of so many networks, as far as there are any left.
    fn round(
        &self,
        ranges: &mut impl Iterator<Item = Range<usize>>,
        networks: usize,
    ) -> Result<Vec<Batch>, EmbedError> {
        ranges.take(networks).map(|range| self.batch(range)).collect()
    }

    /// What `network` makes of the images `0..count`.
    pub(super) fn through(
        &self,
        count: usize,
        network: impl FnMut(Vec<f32>) -> Result<Vec<f32>, EmbedError> + Send,
    ) -> Result<Rows, EmbedError> {
        self.through_all(count, &mut [network])
    }

    /// What the networks, which are copies of one, make of the images `0..count`.
    pub(super) fn through_all<N>(
        &self,
        count: usize,
        networks: &mut [N],
    ) -> Result<Rows, EmbedError>
    where
        N: FnMut(Vec<f32>) -> Result<Vec<f32>, EmbedError> + Send,
    {
        let mut all = Rows::default();
        self.each(0..count, networks, |_, rows| {
            all.append(rows);
            Ok::<(), EmbedError>(())
        })?;
        Ok(all)
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
        for (place, (index, read)) in range.clone().zip(read).enumerate() {
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
        Ok(Batch { range, pixels, indices, skipped })
    }
}

/// Gives each network one of the batches, the first on this thread. A batch without images needs none.
fn all_at_once<N>(
    networks: &mut [N],
    batches: Vec<Batch>,
) -> Vec<(Range<usize>, Result<Rows, EmbedError>)>
where
    N: FnMut(Vec<f32>) -> Result<Vec<f32>, EmbedError> + Send,
{
    let run = |network: &mut N, batch: Batch| {
        let Batch { range, pixels, indices, skipped } = batch;
        let values = if indices.is_empty() { Ok(Vec::new()) } else { network(pixels) };
        (range, values.map(|values| Rows { values, indices, skipped }))
    };
    let mut jobs = networks.iter_mut().zip(batches);
    let first = jobs.next();
    std::thread::scope(|threads| {
        let others: Vec<_> =
            jobs.map(|(network, batch)| threads.spawn(move || run(network, batch))).collect();
        let first = first.map(|(network, batch)| run(network, batch));
        let others = others
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        first.into_iter().chain(others).collect()
    })
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
    fn several_networks_take_turns_and_the_rows_stay_in_order() {
        for (batch_size, networks) in [(1, 3), (3, 2), (7, 3), (64, 2)] {
            let taken: Vec<AtomicUsize> = (0..networks).map(|_| AtomicUsize::new(0)).collect();
            let network = |taken: &AtomicUsize, pixels: Vec<f32>| {
                taken.fetch_add(1, Ordering::SeqCst);
                Ok(pixels)
            };
            let mut networks: Vec<_> =
                taken.iter().map(|taken| move |pixels| network(taken, pixels)).collect();
            let rows = reader(batch_size).through_all(20, &mut networks).unwrap();
            let expected: Vec<usize> = (0..20).filter(|index| index % 7 != 3).collect();
            let values = expected.iter().flat_map(|&index| [index as f32, -(index as f32)]);
            assert_eq!((rows.values, rows.skipped.len()), (values.collect::<Vec<_>>(), 3));
            assert_eq!(rows.indices, expected);
            let used = taken.iter().filter(|taken| taken.load(Ordering::SeqCst) > 0).count();
            assert!(used == taken.len() || batch_size == 64, "{used} networks");
        }
    }

    #[test]
    fn a_range_is_handed_out_batch_by_batch_also_where_nothing_could_be_read() {
        let mut seen = Vec::new();
        let each = |range: Range<usize>, rows: Rows| {
            seen.push((range, rows.indices));
            Ok::<(), EmbedError>(())
        };
        reader(1).each(2..5, &mut [Ok], each).unwrap();
        assert_eq!(seen, [(2..3, vec![2]), (3..4, vec![]), (4..5, vec![4])]);
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
