//! Positions as rotations of queries and keys.

use std::f64::consts::TAU;

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};
use simclr_onnx::{Graph, Value, Weights};

/// The longest period of a rotation is nearly this many times as long as the shortest (Siméoni et al. 2025).
const TEMPERATURE: f64 = 100.0;

/// Where patches are, as angles by which their queries and keys are turned (Su et al. 2021; for images Heo et al. 2024).
///
/// As in `DINOv3`, rows and columns run from -1 to 1 over the image, whatever its size; the first half of a head's angles
/// belongs to the row, the second to the column. Tokens before the patches are not turned.
#[derive(Module, Debug)]
pub(super) struct RotaryPositions {
    /// `[side, angles / 2]`: the angles of a row or a column.
    of_place: Tensor<2>,
    /// The tokens before the patches.
    others: usize,
}

impl RotaryPositions {
    /// For `side` x `side` patches, after `others` tokens. A head has `head_size` numbers, a multiple of 4.
    pub(super) fn new(side: usize, head_size: usize, others: usize, device: &Device) -> Self {
        let count = head_size / 4;
        let angle = |place: usize, index: usize| {
            let coordinate = 2.0 * (place as f64 + 0.5) / side as f64 - 1.0;
            TAU * coordinate / TEMPERATURE.powf(index as f64 / count as f64)
        };
        let angles = (0..side).flat_map(|place| (0..count).map(move |at| angle(place, at) as f32));
        let angles: Vec<f32> = angles.collect();
        let of_place = Tensor::from_data(TensorData::new(angles, [side, count]), device);
        Self { of_place, others }
    }

    /// The rotations of all tokens.
    pub(super) fn rotations(&self) -> Rotations {
        let [side, count] = self.of_place.dims();
        let rows = self.of_place.clone().unsqueeze_dim::<3>(1).repeat_dim(1, side);
        let columns = self.of_place.clone().unsqueeze_dim::<3>(0).repeat_dim(0, side);
        let patches = Tensor::cat(vec![rows, columns], 2).flatten::<2>(0, 1); // [patches, angles]
        let others = Tensor::zeros([self.others, 2 * count], &patches.device());
        let angles = Tensor::cat(vec![others, patches], 0).unsqueeze_dims::<4>(&[0, 2]);
        Rotations { cos: angles.clone().cos(), sin: angles.sin() }
    }

    /// The rotations of all tokens as weights of a graph.
    pub(super) fn to_onnx(&self, graph: &mut Graph) -> OnnxRotations {
        let Rotations { cos, sin } = self.rotations();
        let mut weights = |name: &str, tensor: Tensor<4>| {
            let shape = tensor.dims();
            let values = tensor.to_data_as::<f32>().iter::<f32>().collect();
            graph.weights(name, &Weights::new(shape, values))
        };
        OnnxRotations {
            cos: weights("cos", cos),
            minus_sin: weights("minus_sin", sin.clone().neg()),
            sin: weights("sin", sin),
        }
    }
}

/// What turns the queries and keys of all tokens: `[1, tokens, 1, head_size / 2]`.
pub(super) struct Rotations {
    cos: Tensor<4>,
    sin: Tensor<4>,
}

impl Rotations {
    /// Turns the queries and keys in `projected`, `[n, tokens, 3 * width]`, of which each token has all heads' queries,
    /// then their keys, then their values. The number at `i` in a head is turned with that at `i + head_size / 2`.
    pub(super) fn apply(&self, projected: Tensor<3>, heads: usize) -> Tensor<3> {
        let [n, tokens, numbers] = projected.dims();
        let turned = numbers / 3 * 2;
        let half = numbers / 3 / heads / 2;
        let [cos, sin] = [&self.cos, &self.sin].map(|part| part.clone().cast(projected.dtype()));
        let pairs = projected.clone().narrow(2, 0, turned);
        let pairs = pairs.reshape([n, tokens, 2 * heads, 2 * half]);
        let [x, y] = [0, 1].map(|part| pairs.clone().narrow(3, part * half, half));
        let turned_x = x.clone() * cos.clone() - y.clone() * sin.clone();
        let turned_y = y * cos + x * sin;
        let pairs = Tensor::cat(vec![turned_x, turned_y], 3).reshape([n, tokens, turned]);
        Tensor::cat(vec![pairs, projected.narrow(2, turned, numbers - turned)], 2)
    }
}

/// [`Rotations`] in a graph.
pub(super) struct OnnxRotations {
    cos: Value,
    sin: Value,
    minus_sin: Value,
}

impl OnnxRotations {
    /// Turns queries or keys: `[n, tokens, heads, head_size]`.
    pub(super) fn apply(&self, graph: &mut Graph, vectors: &Value, half: i64) -> Value {
        let pairs = graph.reshape(vectors, &[0, 0, 0, 2, half]);
        let [x, y] = [0, 1].map(|part| graph.at(&pairs, 3, part)); // [n, tokens, heads, half]
        let mut sum = |[a, by_a]: [&Value; 2], [b, by_b]: [&Value; 2]| {
            let (a, b) = (graph.product(a, by_a), graph.product(b, by_b));
            graph.sum(&a, &b)
        };
        let turned_x = sum([&x, &self.cos], [&y, &self.minus_sin]);
        let turned_y = sum([&y, &self.cos], [&x, &self.sin]);
        graph.concatenated(&[&turned_x, &turned_y], 3)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Distribution;

    #[test]
    fn a_turned_product_depends_on_the_distance_alone_and_values_stay() {
        let device = Device::flex();
        let (side, heads, size, others) = (4, 2, 16, 3);
        let rotations = RotaryPositions::new(side, size, others, &device).rotations();
        let tokens = others + side * side;
        let width = heads * size;
        // Every token is the same, so that only its place matters.
        let token = Tensor::<3>::random([1, 1, 3 * width], Distribution::Default, &device);
        let projected = token.repeat_dim(1, tokens);
        let turned = rotations.apply(projected.clone(), heads);
        let kept = turned.clone().narrow(2, 2 * width, width);
        kept.into_data()
            .assert_eq(&projected.clone().narrow(2, 2 * width, width).into_data(), true);
        let first = turned.clone().narrow(1, 0, others);
        first.into_data().assert_eq(&projected.narrow(1, 0, others).into_data(), true);

        let head = |part: usize| turned.clone().narrow(2, part * width, size).squeeze_dim::<2>(0);
        let products = head(0).matmul(head(1).transpose());
        let products: Vec<f32> = products.into_data().try_to_vec().unwrap();
        let product = |query: [usize; 2], key: [usize; 2]| {
            let token = |[row, column]: [usize; 2]| others + row * side + column;
            products[token(query) * tokens + token(key)]
        };
        for (one, other) in [
            (product([0, 0], [1, 2]), product([2, 1], [3, 3])),
            (product([3, 1], [0, 0]), product([3, 3], [0, 2])),
        ] {
            assert!((one - other).abs() < 1e-4, "{one} {other}");
        }
        let (here, there) = (product([0, 0], [0, 0]), product([0, 0], [2, 3]));
        assert!((here - there).abs() > 1e-2, "{here} {there}");
    }
}
