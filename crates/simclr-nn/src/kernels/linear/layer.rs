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
    pub(crate) weight: &'a PackedWeight,
    pub(crate) bias: Option<&'a [f32]>,
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
        let PackedWeight { inputs, outputs, .. } = *self.weight;
        let mut output = take(input.len() / inputs * outputs);
        let block = ROWS * outputs;
        let tasks = output.par_chunks_mut(block).zip(input.par_chunks(ROWS * inputs));
        tasks.enumerate().for_each(|(index, (output, input))| {
            self.weight.multiply(input, output);
            self.add_bias(output);
            if let Some(residual) = residual {
                add(output, &residual[index * block..][..output.len()]);
            }
        });
        output
    }

    /// GELU of the output.
    pub(crate) fn forward_gelu(&self, input: &[f32]) -> Vec<f32> {
        let PackedWeight { inputs, outputs, .. } = *self.weight;
        let mut output = take(input.len() / inputs * outputs);
        let tasks = output.par_chunks_mut(ROWS * outputs).zip(input.par_chunks(ROWS * inputs));
        tasks.for_each(|(output, input)| {
            self.weight.multiply(input, output);
            self.add_bias(output);
            gelu_in_place(output);
        });
        output
    }

    /// The output before and after GELU.
    pub(crate) fn forward_before_and_after_gelu(&self, input: &[f32]) -> Activated {
        let PackedWeight { inputs, outputs, .. } = *self.weight;
        let len = input.len() / inputs * outputs;
        let (mut before, mut after) = (take(len), take(len));
        let block = ROWS * outputs;
        let both = before.par_chunks_mut(block).zip(after.par_chunks_mut(block));
        let tasks = both.zip(input.par_chunks(ROWS * inputs));
        tasks.for_each(|((before, after), input)| {
            self.weight.multiply(input, before);
            self.add_bias(before);
            gelu(before, after);
        });
        Activated { before, after }
    }

    fn add_bias(&self, output: &mut [f32]) {
        if let Some(bias) = self.bias {
            for row in output.chunks_exact_mut(bias.len()) {
                add(row, bias);
            }
        }
    }
}

/// The gradient of a layer's input, from `gradient`, the output's, and the weight, `[inputs, outputs]`.
pub(crate) fn input_gradient(
    gradient: &[f32],
    weight: &[f32],
    inputs: usize,
    outputs: usize,
) -> Vec<f32> {
    let mut result = take(gradient.len() / outputs * inputs);
    let weight = PackedWeight::transposed(weight, inputs, outputs);
    let results = result.par_chunks_mut(ROWS * inputs);
    results
        .zip(gradient.par_chunks(ROWS * outputs))
        .for_each(|(result, gradient)| weight.multiply(gradient, result));
    result
}

fn add(to: &mut [f32], from: &[f32]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to += from;
    }
}

/// A weight as the right factor of a product, in strips.
pub(crate) struct PackedWeight {
    values: Lent,
    /// What the product sums over.
    pub(crate) inputs: usize,
    pub(crate) outputs: usize,
}

impl PackedWeight {
    /// From `[inputs, outputs]`.
    pub(crate) fn new(weight: &[f32], inputs: usize, outputs: usize) -> Self {
        let matrix = Matrix { values: weight, stride: outputs };
        Self::by_strips(inputs, outputs, |strip, to| pack_rows(matrix, outputs, strip, to))
    }

    /// From `[outputs, inputs]`.
    fn transposed(weight: &[f32], outputs: usize, inputs: usize) -> Self {
        let matrix = Matrix { values: weight, stride: inputs };
        Self::by_strips(inputs, outputs, |strip, to| pack_columns(matrix, outputs, strip, 1.0, to))
    }

    fn by_strips(
        inputs: usize,
        outputs: usize,
        pack: impl Fn((usize, usize), &mut [f32]) + Sync,
    ) -> Self {
        let mut values = Lent::new(packed_len(inputs, outputs));
        let strips: Vec<_> = strips(outputs).collect();
        let parts = values.par_chunks_mut(inputs * STRIP).zip(strips);
        parts.for_each(|(to, strip)| pack(strip, to));
        Self { values, inputs, outputs }
    }

    /// `left`, `[rows, inputs]`, times this factor, into `target`, `[rows, outputs]`.
    fn multiply(&self, left: &[f32], target: &mut [f32]) {
        let (steps, columns) = (self.inputs, self.outputs);
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
