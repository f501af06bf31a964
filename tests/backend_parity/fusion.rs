//! A fault of Burn 0.22.1's fusion, shrunk to three operations, and the way around it.
//!
//! A column `[m, 1]` that one fused elementwise kernel reads both as it is (broadcast along the rows) and transposed is
//! read wrongly as it is: row r gets elements r, r + 1, r + 2, ... instead of r, r, r, ... See
//! `docs/adr/0010-no-column-is-read-transposed.md`.

use burn::tensor::{Device, Tensor, TensorData};

use crate::backends::{Case, compare};
use crate::loss::numbers;

pub(crate) const CASES: &[Case] = &[
    Case { name: "a_column_is_subtracted_from_rows_and_reshaped_from_columns", run: reshaped },
    Case { name: "burns_fault_with_a_transposed_column_is_as_described", run: transposed },
];

/// Even sizes vectorise, odd ones don't.
const SIZES: [usize; 6] = [2, 3, 4, 12, 33, 64];

fn reshaped(device: &Device) -> Result<(), String> {
    SIZES.iter().try_for_each(|&m| {
        let (found, expected, _) = difference(device, m, |column| column.reshape([1, m]));
        compare(&format!("m = {m}"), &found, &expected, 1e-6)
    })
}

/// Fails where Burn has mended the fault, so that the way around it, and this test, are taken out.
fn transposed(device: &Device) -> Result<(), String> {
    SIZES.iter().try_for_each(|&m| {
        let (found, right, wrong) = difference(device, m, Tensor::transpose);
        let faulty = is_fused(device) && m.is_multiple_of(2);
        let expected = if faulty { wrong } else { right };
        compare(&format!("m = {m}, faulty: {faulty}"), &found, &expected, 1e-6)
    })
}

/// Whether elementwise operations on the device are fused: on the backends of CubeCL, unless this build leaves
/// fusion out.
fn is_fused(device: &Device) -> bool {
    cfg!(feature = "wgpu") && format!("{device:?}").contains("Cube")
}

/// `matrix - column - row`, with the row made from the column by `to_row`: found, right, and as the fault makes it.
fn difference(
    device: &Device,
    m: usize,
    to_row: impl Fn(Tensor<2>) -> Tensor<2>,
) -> (Vec<f64>, Vec<f64>, Vec<f64>) {
    let (matrix, column) = (numbers(m * m, 1), numbers(m, 2));
    let tensor = |values: &[f64], shape: [usize; 2]| {
        let values: Vec<f32> = values.iter().map(|&x| x as f32).collect();
        Tensor::<2>::from_data(TensorData::new(values, shape), device)
    };
    let (c, s) = (tensor(&matrix, [m, m]), tensor(&column, [m, 1]));
    let found = c - s.clone() - to_row(s);
    let expected = |of_row: &dyn Fn(usize, usize) -> f64| {
        let element = |i: usize| matrix[i] - of_row(i / m, i % m) - column[i % m];
        (0..m * m).map(element).collect::<Vec<_>>()
    };
    // A line of 4 or 2 elements begins at row r's own and runs on; what is beyond the end reads as 0.
    let width = if m.is_multiple_of(4) { 4 } else { 2 };
    let run_on = |r: usize, c: usize| column.get(r + c % width).copied().unwrap_or(0.0);
    (found.to_data_as::<f64>().iter().collect(), expected(&|r, _| column[r]), expected(&run_on))
}
