//! The output, and the gradient of the input.

use pulp::Arch;
use rayon::prelude::*;

use crate::kernels::gelu::{gelu, gelu_in_place};
use crate::kernels::memory::{Lent, take};
use crate::kernels::packing::{Matrix, pack_columns, pack_rows, packed_len, packed_strips};
use crate::kernels::product::{LeftOrder, Product, STRIP, Tap, strips};

/// Rows in a task: few enough that they stay in cache, and that two threads share the tasks evenly.
const ROWS: usize = 48;

/// A fully connected layer: `[rows, inputs]` times `weight`, plus `bias`.
pub(crate) struct LinearLayer<'a> {
    /// `[inputs, outputs]`.
    pub(crate) weight: &'a [f32],
    pub(crate) bias: Option<&'a [f32]>,
    pub(crate) inputs: usize,
    pub(crate) outputs: usize,
}

/// The outputs of a layer with GELU.
pub(crate) struct Activated {
    /// Before GELU.
    pub(crate) before: Vec<f32>,
    pub(crate) after: Vec<f32>,
}

impl LinearLayer<'_> {
    /// The output, plus `residual`.
    pub(crate) fn forward(&self, input: &[f32], residual: Option<&[f32]>) -> Vec<f32> {
        let mut output = take(input.len() / self.inputs * self.outputs);
        let block = ROWS * self.outputs;
        let weight = self.packed();
        let tasks = output.par_chunks_mut(block).zip(input.par_chunks(ROWS * self.inputs));
        tasks.enumerate().for_each(|(index, (output, input))| {
            weight.multiply(input, output);
            self.add_bias(output);
            if let Some(residual) = residual {
                add(output, &residual[index * block..][..output.len()]);
            }
        });
        output
    }

    /// GELU of the output.
    pub(crate) fn forward_gelu(&self, input: &[f32]) -> Vec<f32> {
        let mut output = take(input.len() / self.inputs * self.outputs);
        let weight = self.packed();
        let outputs = output.par_chunks_mut(ROWS * self.outputs);
        outputs.zip(input.par_chunks(ROWS * self.inputs)).for_each(|(output, input)| {
            weight.multiply(input, output);
            self.add_bias(output);
            gelu_in_place(output);
        });
        output
    }

    /// The output before and after GELU.
    pub(crate) fn forward_before_and_after_gelu(&self, input: &[f32]) -> Activated {
        let len = input.len() / self.inputs * self.outputs;
        let (mut before, mut after) = (take(len), take(len));
        let block = ROWS * self.outputs;
        let weight = self.packed();
        let outputs = before.par_chunks_mut(block).zip(after.par_chunks_mut(block));
        let tasks = outputs.zip(input.par_chunks(ROWS * self.inputs));
        tasks.for_each(|((before, after), input)| {
            weight.multiply(input, before);
            self.add_bias(before);
            gelu(before, after);
        });
        Activated { before, after }
    }

    /// The gradient of the input, from `gradient`, the output's.
    pub(crate) fn input_gradient(&self, gradient: &[f32]) -> Vec<f32> {
        let mut result = take(gradient.len() / self.outputs * self.inputs);
        let weight = PackedWeight::transposed(self.weight, self.inputs, self.outputs);
        let results = result.par_chunks_mut(ROWS * self.inputs);
        results
            .zip(gradient.par_chunks(ROWS * self.outputs))
            .for_each(|(result, gradient)| weight.multiply(gradient, result));
        result
    }

    fn packed(&self) -> PackedWeight {
        PackedWeight::new(self.weight, self.inputs, self.outputs)
    }

    fn add_bias(&self, output: &mut [f32]) {
        if let Some(bias) = self.bias {
            for row in output.chunks_exact_mut(bias.len()) {
                add(row, bias);
            }
        }
    }
}

fn add(to: &mut [f32], from: &[f32]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to += from;
    }
}

/// The right factor of a product, in strips.
struct PackedWeight {
    values: Lent,
    steps: usize,
    columns: usize,
}

impl PackedWeight {
    /// From `[steps, columns]`.
    fn new(weight: &[f32], steps: usize, columns: usize) -> Self {
        let matrix = Matrix { values: weight, stride: columns };
        Self::by_strips(steps, columns, |strip, to| pack_rows(matrix, columns, strip, to))
    }

    /// From `[columns, steps]`.
    fn transposed(weight: &[f32], columns: usize, steps: usize) -> Self {
        let matrix = Matrix { values: weight, stride: steps };
        Self::by_strips(steps, columns, |strip, to| pack_columns(matrix, columns, strip, 1.0, to))
    }

    fn by_strips(
        steps: usize,
        columns: usize,
        pack: impl Fn((usize, usize), &mut [f32]) + Sync,
    ) -> Self {
        let mut values = Lent::new(packed_len(steps, columns));
        let strips: Vec<_> = strips(columns).collect();
        let parts = values.par_chunks_mut(steps * STRIP).zip(strips);
        parts.for_each(|(to, strip)| pack(strip, to));
        Self { values, steps, columns }
    }

    /// `left`, `[rows, steps]`, times this factor, into `target`, `[rows, columns]`.
    fn multiply(&self, left: &[f32], target: &mut [f32]) {
        let (steps, columns) = (self.steps, self.columns);
        for (start, width, strip) in packed_strips(&self.values, steps, columns) {
            Arch::new().dispatch(Product {
                left,
                order: LeftOrder::Rows,
                right: strip,
                right_stride: width,
                taps: &[Tap { left: 0, right: 0 }],
                run: steps,
                rows: left.len() / steps,
                place: |row: usize| (row * steps, row * columns + start),
                width,
                columns: width.min(columns - start),
                target: &mut *target,
                add: false,
            });
        }
    }
}
