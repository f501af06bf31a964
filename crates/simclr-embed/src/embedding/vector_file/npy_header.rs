//! The header of a `.npy` file whose number of rows is known last.

/// Bytes of the header: enough for any shape, and a multiple of 64, as `NumPy` has it.
pub(super) const HEADER: usize = 128;

/// The header of an array of f32 of two axes or three (`NumPy`'s format, version 1.0), padded with spaces to [`HEADER`] bytes.
pub(super) fn npy_header(shape: &[usize]) -> Vec<u8> {
    const START: usize = 10;
    let axes: Vec<String> = shape.iter().map(ToString::to_string).collect();
    let shape = format!("({})", axes.join(", "));
    let fields = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}");
    let mut header = b"\x93NUMPY\x01\x00".to_vec();
    header.extend(((HEADER - START) as u16).to_le_bytes());
    header.extend(format!("{fields:<0$}\n", HEADER - START - 1).into_bytes());
    header
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_shape_fits_and_is_read_back() {
        // Three axes are the parts of a shape of two.
        let longest = [usize::MAX, u32::MAX as usize, u32::MAX as usize];
        for shape in [&[0, 1][..], &[3, 4], &[usize::MAX; 2], &[3, 4, 5], &longest] {
            let header = npy_header(shape);
            assert_eq!(header.len(), HEADER);
            let read = npyz::NpyHeader::from_reader(&header[..]).unwrap();
            assert_eq!(read.shape(), shape.iter().map(|&axis| axis as u64).collect::<Vec<_>>());
            assert_eq!((read.dtype().descr(), read.order()), ("'<f4'".to_owned(), npyz::Order::C));
        }
    }
}
