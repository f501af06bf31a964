//! Where in a file a tensor lies.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;

use super::element_type::ElementType;
use super::error::WeightFault;

/// The tensors of a file by name.
pub(super) type StoredTensors = BTreeMap<String, StoredTensor>;

/// A tensor whose place in a file is known, and whose values are not read yet.
#[derive(Debug, Clone)]
pub(super) struct StoredTensor {
    element_type: ElementType,
    shape: Vec<usize>,
    /// For each axis, the distance from one element to the next, counted in values.
    strides: Vec<usize>,
    /// Where the first value lies in the file, in bytes.
    start: u64,
    /// The number of values from the first to the last, both included.
    span: usize,
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
        let (Some(span), Some(end)) = (span, end) else {
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
        Ok(Self { element_type, shape, strides, start, span })
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
    /// network's.
    pub(super) fn read(&self, name: &str, file: &mut File) -> Result<Vec<f32>, WeightFault> {
        let count: usize = self.shape.iter().product();
        if self.span > count {
            let expected = format!("the values of {name} side by side");
            return Err(WeightFault::malformed(expected, format!("strides of {:?}", self.strides)));
        }
        let mut bytes = vec![0; self.span * self.element_type.size()];
        file.seek(SeekFrom::Start(self.start))?;
        file.read_exact(&mut bytes)?;
        let stored = self.element_type.decode(&bytes).ok_or_else(|| WeightFault::ElementType {
            tensor: name.to_owned(),
            found: self.element_type.name().to_owned(),
        })?;
        if let Some(&found) = stored.iter().find(|value| !value.is_finite()) {
            return Err(WeightFault::NotFinite { tensor: name.to_owned(), found });
        }
        Ok(self.in_rows(&stored, count))
    }

    /// Brings the `stored` values into the order of the shape.
    fn in_rows(&self, stored: &[f32], count: usize) -> Vec<f32> {
        let mut index = vec![0; self.shape.len()];
        let mut at = 0_usize;
        let mut values = Vec::with_capacity(count);
        for _ in 0..count {
            values.push(stored[at]);
            for axis in (0..index.len()).rev() {
                index[axis] += 1;
                // An axis of one element may have any stride: it is added and taken away again.
                at = at.wrapping_add(self.strides[axis]);
                if index[axis] < self.shape[axis] {
                    break;
                }
                at = at.wrapping_sub(self.strides[axis].wrapping_mul(self.shape[axis]));
                index[axis] = 0;
            }
        }
        values
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
    use std::io::Write;

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
        let mut file = file(&floats(&[9.0, 0.0, 1.0, 2.0, 3.0, 4.0, 5.0]));
        let transposed =
            StoredTensor::new(ElementType::F32, [vec![2, 3], vec![1, 2]], 1, &(0..28)).unwrap();
        assert_eq!(transposed.read("w", &mut file).unwrap(), [0.0, 2.0, 4.0, 1.0, 3.0, 5.0]);
        let repeated =
            StoredTensor::new(ElementType::F32, [vec![2, 2], vec![0, 1]], 0, &(4..28)).unwrap();
        assert_eq!(repeated.read("w", &mut file).unwrap(), [0.0, 1.0, 0.0, 1.0]);
        let single = [vec![1, 2, 1], vec![usize::MAX, 1, usize::MAX]];
        let single = StoredTensor::new(ElementType::F32, single, 0, &(0..8)).unwrap();
        assert_eq!(single.read("w", &mut file).unwrap(), [9.0, 0.0]);
    }

    #[test]
    fn half_and_double_precision_become_single() {
        let mut bytes = f16::from_f32(-1.5).to_le_bytes().to_vec();
        bytes.extend(bf16::from_f32(3.0).to_le_bytes());
        bytes.extend(0.25_f64.to_le_bytes());
        let mut file = file(&bytes);
        for (element_type, storage, expected) in [
            (ElementType::F16, 0..2, -1.5),
            (ElementType::BF16, 2..4, 3.0),
            (ElementType::F64, 4..12, 0.25),
        ] {
            let tensor = StoredTensor::contiguous(element_type, vec![], &storage).unwrap();
            assert_eq!(tensor.read("w", &mut file).unwrap(), [expected]);
        }
    }

    #[test]
    fn values_that_are_not_finite_or_not_floating_point_are_refused() {
        for (bad, message) in [
            (f32::NAN, "expected w to hold finite numbers, found NaN"),
            (f32::NEG_INFINITY, "expected w to hold finite numbers, found -inf"),
        ] {
            let tensor = StoredTensor::contiguous(ElementType::F32, vec![2], &(0..8)).unwrap();
            let error = tensor.read("w", &mut file(&floats(&[1.0, bad]))).unwrap_err();
            assert_eq!(error.to_string(), message);
        }
        let integers = ElementType::Other { name: "int64".to_owned(), size: 8 };
        let tensor = StoredTensor::contiguous(integers, vec![1], &(0..8)).unwrap();
        let error = tensor.read("w", &mut file(&[0; 8])).unwrap_err().to_string();
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
    fn values_that_lie_far_apart_are_not_read() {
        let tensor =
            StoredTensor::new(ElementType::F32, [vec![2], vec![1000]], 0, &(0..4004)).unwrap();
        let error = tensor.read("w", &mut file(&[0; 4004])).unwrap_err();
        assert_eq!(
            error.to_string(),
            "expected the values of w side by side, found strides of [1000]"
        );
    }
}
