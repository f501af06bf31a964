//! Layers from ONNX's operations.

use crate::attribute::Attribute;
use crate::graph::{Graph, Value};
use crate::weights::Weights;

impl Graph {
    /// `x` times `weight`, `[inputs, outputs]`, plus `bias`, `[outputs]`. The weights get `name`.
    ///
    /// # Shapes
    ///
    /// - `x`: `[..., inputs]`
    /// - output: `[..., outputs]`
    pub fn linear(
        &mut self,
        x: &Value,
        name: &str,
        weight: &Weights,
        bias: Option<Vec<f32>>,
    ) -> Value {
        self.within(name, |graph| {
            let weight = graph.weights("weight", weight);
            let product = graph.matrix_product(x, &weight);
            match bias {
                None => product,
                Some(bias) => {
                    let bias = graph.weights("bias", &Weights::new([bias.len()], bias));
                    graph.sum(&product, &bias)
                }
            }
        })
    }

    /// The matrix product over the last two axes.
    pub fn matrix_product(&mut self, a: &Value, b: &Value) -> Value {
        self.operation("MatMul", &[a, b], vec![])
    }

    /// `a` plus `b`; an axis of one is repeated.
    pub fn sum(&mut self, a: &Value, b: &Value) -> Value {
        self.operation("Add", &[a, b], vec![])
    }

    /// `a` times `b`, element by element; an axis of one is repeated.
    pub fn product(&mut self, a: &Value, b: &Value) -> Value {
        self.operation("Mul", &[a, b], vec![])
    }

    /// `x` times a number.
    pub fn scaled(&mut self, x: &Value, factor: f32) -> Value {
        let factor = self.weights("factor", &Weights::new([1], vec![factor]));
        self.product(x, &factor)
    }

    /// max(x, 0).
    pub fn relu(&mut self, x: &Value) -> Value {
        self.operation("Relu", &[x], vec![])
    }

    /// 1 / (1 + exp(-x)).
    pub fn sigmoid(&mut self, x: &Value) -> Value {
        self.operation("Sigmoid", &[x], vec![])
    }

    /// x sigmoid(x).
    pub fn silu(&mut self, x: &Value) -> Value {
        let gate = self.sigmoid(x);
        self.product(x, &gate)
    }

    /// x Phi(x), with the normal distribution's own function: (x / 2) (1 + erf(x / sqrt 2)).
    pub fn gelu(&mut self, x: &Value) -> Value {
        let scaled = self.scaled(x, std::f32::consts::FRAC_1_SQRT_2);
        let erf = self.operation("Erf", &[&scaled], vec![]);
        let one = self.weights("one", &Weights::new([1], vec![1.0]));
        let twice = self.sum(&erf, &one);
        let product = self.product(x, &twice);
        self.scaled(&product, 0.5)
    }

    /// Values along the last axis that are positive and sum to 1.
    pub fn softmax(&mut self, x: &Value) -> Value {
        self.operation("Softmax", &[x], vec![("axis", Attribute::Int(-1))])
    }

    /// Layer normalisation over the last axis. The weights get `name`.
    pub fn layer_norm(
        &mut self,
        x: &Value,
        name: &str,
        [scale, shift]: [Vec<f32>; 2],
        epsilon: f32,
    ) -> Value {
        self.within(name, |graph| {
            let scale = graph.weights("weight", &Weights::new([scale.len()], scale));
            let shift = graph.weights("bias", &Weights::new([shift.len()], shift));
            let attributes =
                vec![("axis", Attribute::Int(-1)), ("epsilon", Attribute::Float(epsilon))];
            graph.operation("LayerNormalization", &[x, &scale, &shift], attributes)
        })
    }

    /// The same values in another shape: 0 keeps an axis, and -1, once, takes what is left.
    pub fn reshape(&mut self, x: &Value, shape: &[i64]) -> Value {
        let shape = self.integers("shape", shape);
        self.operation("Reshape", &[x, &shape], vec![])
    }

    /// The axes in another order.
    pub fn transpose(&mut self, x: &Value, order: &[i64]) -> Value {
        self.operation("Transpose", &[x], vec![("perm", Attribute::Ints(order.to_vec()))])
    }

    /// The axes from the second on as one.
    pub fn flatten(&mut self, x: &Value) -> Value {
        self.operation("Flatten", &[x], vec![("axis", Attribute::Int(1))])
    }

    /// One place of an axis, which goes.
    pub fn at(&mut self, x: &Value, axis: i64, place: i64) -> Value {
        let place = self.integers("place", &[place]);
        let axes = self.integers("axes", &[axis]);
        let kept = self.operation("Gather", &[x, &place], vec![("axis", Attribute::Int(axis))]);
        self.operation("Squeeze", &[&kept, &axes], vec![])
    }

    /// One after the other along an axis.
    pub fn concatenated(&mut self, parts: &[&Value], axis: i64) -> Value {
        self.operation("Concat", parts, vec![("axis", Attribute::Int(axis))])
    }

    /// `row`, `[1, ...]`, once for each example of `like`, `[n, ...]`: `[n, ...]`. Both have the same number of axes.
    pub fn repeated(&mut self, row: &Value, like: &Value, axes: usize) -> Value {
        let range = vec![("start", Attribute::Int(0)), ("end", Attribute::Int(1))];
        let examples = self.operation("Shape", &[like], range);
        let others = self.integers("ones", &vec![1; axes - 1]);
        let shape = self.concatenated(&[&examples, &others], 0);
        self.operation("Expand", &[row, &shape], vec![])
    }
}
