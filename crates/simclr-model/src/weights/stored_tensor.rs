//! Where in a file a tensor lies.

use std::collections::BTreeMap;
use std::fs::File;
use std::ops::Range;

use super::element_type::ElementType;
use super::error::WeightFault;
use super::strided_reader::StridedReader;

/// The tensors of a file by name.
pub(super) type StoredTensors = BTreeMap<String, StoredTensor>;

/// A tensor whose place in a file is known, and whose values are not read yet.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct StoredTensor {
    element_type: ElementType,
    shape: Vec<usize>,
    /// For each axis, the distance from one element to the next, counted in values.
    strides: Vec<usize>,
    /// Where the first value lies in the file, in bytes.
    start: u64,
}

impl StoredTensor {
    /// A tensor whose first value lies `offset` values after the start of `storage`, a range of bytes in a file.
    ///
    /// # Errors
    ///
    /// [`WeightFault::Malformed`] if the tensor reaches beyond its storage.
    pub(super) fn new(
        element_type: ElementType,
        [shape, strides]: [Vec<usize>; 2],
        offset: usize,
        storage: &Range<u64>,
    ) -> Result<Self, WeightFault> {
        let span = span(&shape, &strides);
        let size = element_type.size();
        let end = span.and_then(|span| span.checked_add(offset)?.checked_mul(size));
        let Some(end) = end else {
            return Err(WeightFault::malformed(
                "a tensor that fits into memory",
                format!("{shape:?}"),
            ));
        };
        let found = storage.end.saturating_sub(storage.start);
        if end as u64 > found {
            let expected = format!("{end} bytes for a tensor of shape {shape:?}");
            return Err(WeightFault::malformed(expected, found));
        }
        let start = storage.start + (offset * size) as u64;
        Ok(Self { element_type, shape, strides, start })
    }

    /// A tensor whose values lie at the start of `storage`, row by row.
    pub(super) fn contiguous(
        element_type: ElementType,
        shape: Vec<usize>,
        storage: &Range<u64>,
    ) -> Result<Self, WeightFault> {
        let mut strides = vec![1_usize; shape.len()];
        for axis in (1..shape.len()).rev() {
            strides[axis - 1] = strides[axis].saturating_mul(shape[axis]);
        }
        Self::new(element_type, [shape, strides], 0, storage)
    }

    pub(super) fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The values, row by row. They take as much memory as `shape` says, which the caller has compared with the
    /// network's, and little more if they lie far apart.
    pub(super) fn read(&self, name: &str, file: &File) -> Result<Vec<f32>, WeightFault> {
        let reader = StridedReader::new(&self.element_type, self.start, file);
        let values = reader.read(&self.shape, &self.strides)?;
        let values = values.ok_or_else(|| WeightFault::ElementType {
            tensor: name.to_owned(),
            found: self.element_type.name().to_owned(),
        })?;
        match values.iter().find(|value| !value.is_finite()) {
            Some(&found) => Err(WeightFault::NotFinite { tensor: name.to_owned(), found }),
            None => Ok(values),
        }
    }
}

/// The number of values from the first of a tensor to its last, both included; `None` if it overflows.
fn span(shape: &[usize], strides: &[usize]) -> Option<usize> {
    let count = shape.iter().try_fold(1_usize, |count, &size| count.checked_mul(size))?;
    if count == 0 {
        return Some(0);
    }
    let last = shape.iter().zip(strides).try_fold(0_usize, |last, (&size, &stride)| {
        last.checked_add((size - 1).checked_mul(stride)?)
    });
    last?.checked_add(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{bf16, f16};
    use std::io::{Seek, SeekFrom, Write};

    fn file(bytes: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file
    }

    fn floats(values: &[f32]) -> Vec<u8> {
        values.iter().flat_map(|value| value.to_le_bytes()).collect()
    }

    #[test]
    fn strides_are_followed() {
        let file = file(&floats(&[9.0, 0.0, 1.0, 2.0, 3.0, 4.0, 5.0]));
        let transposed =
            StoredTensor::new(ElementType::F32, [vec![2, 3], vec![1, 2]], 1, &(0..28)).unwrap();
        assert_eq!(transposed.read("w", &file).unwrap(), [0.0, 2.0, 4.0, 1.0, 3.0, 5.0]);
        let repeated =
            StoredTensor::new(ElementType::F32, [vec![2, 2], vec![0, 1]], 0, &(4..28)).unwrap();
        assert_eq!(repeated.read("w", &file).unwrap(), [0.0, 1.0, 0.0, 1.0]);
        let single = [vec![1, 2, 1], vec![usize::MAX, 1, usize::MAX]];
        let single = StoredTensor::new(ElementType::F32, single, 0, &(0..8)).unwrap();
        assert_eq!(single.read("w", &file).unwrap(), [9.0, 0.0]);
    }

    #[test]
    fn half_and_double_precision_become_single() {
        let mut bytes = f16::from_f32(-1.5).to_le_bytes().to_vec();
        bytes.extend(bf16::from_f32(3.0).to_le_bytes());
        bytes.extend(0.25_f64.to_le_bytes());
        let file = file(&bytes);
        for (element_type, storage, expected) in [
            (ElementType::F16, 0..2, -1.5),
            (ElementType::BF16, 2..4, 3.0),
            (ElementType::F64, 4..12, 0.25),
        ] {
            let tensor = StoredTensor::contiguous(element_type, vec![], &storage).unwrap();
            assert_eq!(tensor.read("w", &file).unwrap(), [expected]);
        }
    }

    #[test]
    fn values_that_are_not_finite_or_not_floating_point_are_refused() {
        for (bad, message) in [
            (f32::NAN, "expected w to hold finite numbers, found NaN"),
            (f32::NEG_INFINITY, "expected w to hold finite numbers, found -inf"),
        ] {
            let tensor = StoredTensor::contiguous(ElementType::F32, vec![2], &(0..8)).unwrap();
            let error = tensor.read("w", &file(&floats(&[1.0, bad]))).unwrap_err();
            assert_eq!(error.to_string(), message);
        }
        let integers = ElementType::Other { name: "int64".to_owned(), size: 8 };
        let tensor = StoredTensor::contiguous(integers, vec![1], &(0..8)).unwrap();
        let error = tensor.read("w", &file(&[0; 8])).unwrap_err().to_string();
        assert!(error.ends_with("found int64"), "{error}");
    }

    #[test]
    fn a_tensor_lies_inside_its_storage() {
        let tensor = |shape: &[usize], strides: &[usize], offset, storage| {
            let layout = [shape.to_vec(), strides.to_vec()];
            StoredTensor::new(ElementType::F32, layout, offset, &storage)
        };
        for (shape, strides, offset) in [
            (&[3][..], &[1][..], 0),
            (&[2], &[1], 1),
            (&[2], &[2], 0),
            (&[usize::MAX], &[1], 0),
            (&[usize::MAX, usize::MAX], &[1, 1], 0),
            (&[2], &[usize::MAX], 0),
            (&[1], &[1], usize::MAX),
        ] {
            let error = tensor(shape, strides, offset, 0..8).unwrap_err();
            assert!(matches!(error, WeightFault::Malformed { .. }), "{error}");
        }
        assert!(tensor(&[2], &[1], 0, 0..8).is_ok());
    }

    #[test]
    fn values_far_apart_are_read_without_what_lies_between_them() {
        let apart = 1_u64 << 36;
        let mut file = tempfile::tempfile().unwrap();
        for (at, value) in [(0, 1.0), (4, 2.0), (apart, 3.0), (apart + 4, f32::NAN)] {
            file.seek(SeekFrom::Start(at)).unwrap();
            file.write_all(&floats(&[value])).unwrap();
        }
        let far = (apart / 4) as usize;
        let storage = 0..apart + 8;
        let column = [vec![2], vec![far]];
        let column = StoredTensor::new(ElementType::F32, column, 0, &storage).unwrap();
        // The NaN beside the column is not one of its values.
        assert_eq!(column.read("w", &file).unwrap(), [1.0, 3.0]);
        let transposed = [vec![2, 2], vec![1, far]];
        let transposed = StoredTensor::new(ElementType::F32, transposed, 0, &storage).unwrap();
        let error = transposed.read("w", &file).unwrap_err().to_string();
        assert_eq!(error, "expected w to hold finite numbers, found NaN");
        file.seek(SeekFrom::Start(apart + 4)).unwrap();
        file.write_all(&floats(&[4.0])).unwrap();
        assert_eq!(transposed.read("w", &file).unwrap(), [1.0, 3.0, 2.0, 4.0]);
    }
}
