//! Reads a tensor whose values may lie apart.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use super::element_type::ElementType;

/// How much of the file is read for a part of a tensor, in values: this many times the part's own, and some more.
const MOST_SPREAD: usize = 4;
const SPARE_VALUES: usize = 4096;

/// Reads the values of a tensor, in as few pieces as memory allows: a piece takes a few times the memory of its values.
pub(super) struct StridedReader<'a> {
    element_type: &'a ElementType,
    /// Where the tensor's first value lies in the file, in bytes.
    start: u64,
    file: &'a File,
}

/// One axis of a tensor.
#[derive(Debug, Clone, Copy)]
struct Axis {
    size: usize,
    /// The distance of neighbours in the file, in values.
    stride: usize,
    /// Their distance in the result.
    step: usize,
}

impl<'a> StridedReader<'a> {
    pub(super) fn new(element_type: &'a ElementType, start: u64, file: &'a File) -> Self {
        Self { element_type, start, file }
    }

    /// The values, row by row; `None` if they aren't floating-point. All lie inside the file, and their number fits into
    /// memory.
    pub(super) fn read(&self, shape: &[usize], strides: &[usize]) -> io::Result<Option<Vec<f32>>> {
        let count: usize = shape.iter().product();
        let mut step = count;
        let mut axes = Vec::new();
        for (&size, &stride) in shape.iter().zip(strides) {
            step /= size.max(1);
            // An axis of one element may have any stride.
            if size != 1 {
                axes.push(Axis { size, stride, step });
            }
        }
        // Pieces follow each other in the file if the longest strides come first.
        axes.sort_by_key(|axis| std::cmp::Reverse(axis.stride));
        let mut values = vec![0.0; count];
        let known = count == 0 || self.gather(&axes, 0, 0, &mut values)?.is_some();
        Ok(known.then_some(values))
    }

    /// Reads the part of the tensor along `axes` that begins `first` values after its start, and puts it into `values`
    /// from `at` on.
    fn gather(
        &self,
        axes: &[Axis],
        first: usize,
        at: usize,
        values: &mut [f32],
    ) -> io::Result<Option<()>> {
        let count: usize = axes.iter().map(|axis| axis.size).product();
        let span = 1 + axes.iter().map(|axis| (axis.size - 1) * axis.stride).sum::<usize>();
        let most = count.saturating_mul(MOST_SPREAD).saturating_add(SPARE_VALUES);
        if let Some((outer, inner)) = axes.split_first()
            && span > most
        {
            for index in 0..outer.size {
                let (first, at) = (first + index * outer.stride, at + index * outer.step);
                if self.gather(inner, first, at, values)?.is_none() {
                    return Ok(None);
                }
            }
            return Ok(Some(()));
        }
        let Some(block) = self.read_block(first, span)? else { return Ok(None) };
        scatter(&block, axes, at, values);
        Ok(Some(()))
    }

    fn read_block(&self, first: usize, span: usize) -> io::Result<Option<Vec<f32>>> {
        let size = self.element_type.size();
        let mut bytes = vec![0; span * size];
        let mut file = self.file;
        file.seek(SeekFrom::Start(self.start + (first * size) as u64))?;
        file.read_exact(&mut bytes)?;
        Ok(self.element_type.decode(&bytes))
    }
}

/// Brings the values along `axes` from their places in `block` to those in `values`, from `at` on.
fn scatter(block: &[f32], axes: &[Axis], at: usize, values: &mut [f32]) {
    match axes.split_first() {
        None => values[at] = block[0],
        Some((axis, [])) => {
            for index in 0..axis.size {
                values[at + index * axis.step] = block[index * axis.stride];
            }
        }
        Some((axis, inner)) => {
            for index in 0..axis.size {
                let rest = &block[index * axis.stride..];
                scatter(rest, inner, at + index * axis.step, values);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::Write;

    proptest! {
        /// Each value is read from where PyTorch's definition puts it.
        #[test]
        fn any_strides_are_followed(
            axes in prop::collection::vec((1_usize..5, 0_usize..4000), 0..4),
            offset in 0_u64..3
        ) {
            let (shape, strides): (Vec<_>, Vec<_>) = axes.into_iter().unzip();
            let mut places = vec![0];
            for (&size, &stride) in shape.iter().zip(&strides) {
                places = places.iter().flat_map(|place| (0..size).map(move |i| place + i * stride)).collect();
            }
            let mut file = tempfile::tempfile().unwrap();
            let count = offset as usize + places.iter().max().unwrap() + 1;
            let bytes: Vec<u8> = (0..count).flat_map(|value| (value as f32).to_le_bytes()).collect();
            file.write_all(&bytes).unwrap();
            let reader = StridedReader::new(&ElementType::F32, 4 * offset, &file);
            let found = reader.read(&shape, &strides).unwrap().unwrap();
            let expected: Vec<f32> = places.iter().map(|place| (offset as usize + place) as f32).collect();
            prop_assert_eq!(found, expected);
        }
    }
}
