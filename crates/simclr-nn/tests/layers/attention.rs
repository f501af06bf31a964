//! Attention against f64, against Burn's own operations, and against finite differences.

use burn::tensor::activation;
use burn::tensor::{DType, Tensor, TensorData};
use proptest::prelude::*;
use simclr_nn::attention;

use crate::support::{difference, distance, flex, numbers, on_threads, same, tensor, values};

/// Images, tokens, heads and a head's length.
type Sizes = [usize; 4];

/// The plain form, whose scores are held.
fn plain(projected: Tensor<3>, heads: usize) -> Tensor<3> {
    let [n, tokens, numbers] = projected.dims();
    let size = numbers / 3 / heads;
    let projected = projected.reshape([n, tokens, 3 * heads, size]).swap_dims(1, 2);
    let [q, k, v] = [0, 1, 2].map(|i| projected.clone().narrow(1, i * heads, heads));
    let scores = q.matmul(k.transpose()) * (size as f64).sqrt().recip();
    let mixed = activation::softmax(scores, 3).matmul(v);
    mixed.swap_dims(1, 2).reshape([n, tokens, heads * size])
}

/// The output, and the gradient of the input.
fn results(
    input: &[f32],
    [n, tokens, heads, head]: Sizes,
    forward: impl Fn(Tensor<3>, usize) -> Tensor<3>,
) -> [Vec<f64>; 2] {
    let shape = [n, tokens, 3 * heads * head];
    let device = flex().autodiff();
    let x = Tensor::<3>::from_data(TensorData::new(input.to_vec(), shape), &device).require_grad();
    let y = forward(x.clone(), heads);
    let gradients = (y.clone() * tensor(y.dims(), 3, &device)).sum().backward();
    [values(&y), values(&x.grad(&gradients).unwrap())]
}

/// The definition in f64.
fn oracle(input: &[f32], [n, tokens, heads, head]: Sizes) -> [Vec<f64>; 2] {
    let width = heads * head;
    let upstream = numbers(n * tokens * width, 3);
    let scale = (head as f64).sqrt().recip();
    let (mut y, mut dx) = (vec![0.0; n * tokens * width], vec![0.0; input.len()]);
    let at = |image: usize, token: usize, part: usize, h: usize| {
        ((image * tokens + token) * 3 + part) * width + h * head
    };
    let dot = |a: &[f32], b: &[f32]| {
        a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum::<f64>()
    };
    for (image, h) in (0..n).flat_map(|image| (0..heads).map(move |h| (image, h))) {
        let part = |token, part| &input[at(image, token, part, h)..][..head];
        for query in 0..tokens {
            let scores: Vec<f64> =
                (0..tokens).map(|key| scale * dot(part(query, 0), part(key, 1))).collect();
            let largest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let sum: f64 = scores.iter().map(|s| (s - largest).exp()).sum();
            let weights: Vec<f64> = scores.iter().map(|s| (s - largest).exp() / sum).collect();
            let output = (image * tokens + query) * width + h * head;
            let g = &upstream[output..][..head];
            let of_weights: Vec<f64> = (0..tokens).map(|key| dot(g, part(key, 2))).collect();
            let mean: f64 = weights.iter().zip(&of_weights).map(|(w, g)| w * g).sum();
            for key in 0..tokens {
                let change = scale * weights[key] * (of_weights[key] - mean);
                for c in 0..head {
                    y[output + c] += weights[key] * f64::from(part(key, 2)[c]);
                    dx[at(image, query, 0, h) + c] += change * f64::from(part(key, 1)[c]);
                    dx[at(image, key, 1, h) + c] += change * f64::from(part(query, 0)[c]);
                    dx[at(image, key, 2, h) + c] += weights[key] * f64::from(g[c]);
                }
            }
        }
    }
    [y, dx]
}

fn input([n, tokens, heads, head]: Sizes, seed: u64, scale: f32) -> Vec<f32> {
    numbers(n * tokens * 3 * heads * head, seed).into_iter().map(|x| x * scale).collect()
}

fn agrees(sizes: Sizes, seed: u64, scale: f32) {
    let input = input(sizes, seed, scale);
    let found = results(&input, sizes, attention);
    let (exact, plain) = (oracle(&input, sizes), results(&input, sizes, plain));
    for (index, name) in ["output", "gradient"].into_iter().enumerate() {
        let off = distance(&found[index], &exact[index]);
        assert!(off < 1e-5, "{name}: off by {off:e} with {sizes:?}");
        let apart = distance(&found[index], &plain[index]);
        assert!(apart < 1e-5, "{name}: {apart:e} from the plain form with {sizes:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn any_attention_equals_its_definition_and_the_plain_form(
        sizes in [1_usize..4, 1_usize..150, 1_usize..4, 1_usize..40], seed in 20_u64..99,
    ) {
        agrees(sizes, seed, 1.5);
    }
}

#[test]
fn the_sizes_of_vision_transformers_equal_the_definition_and_the_plain_form() {
    for sizes in [[2, 37, 3, 64], [1, 197, 2, 64], [3, 65, 2, 32], [2, 50, 4, 16], [1, 128, 1, 64]]
    {
        agrees(sizes, 5, 1.5);
    }
}

#[test]
fn one_token_passes_its_values_on() {
    agrees([3, 1, 2, 16], 5, 1.0);
}

#[test]
fn very_large_scores_are_as_exact_as_in_the_plain_form() {
    // Scores of thousands: e to the power of each would overflow.
    let sizes = [1, 70, 2, 32];
    let input = input(sizes, 5, 60.0);
    let (found, plain) = (results(&input, sizes, attention), results(&input, sizes, plain));
    assert!(found.iter().flatten().all(|x| x.is_finite()));
    for (found, plain) in found.iter().zip(&plain) {
        assert!(distance(found, plain) < 1e-3);
    }
}

#[test]
fn gradients_equal_finite_differences() {
    let sizes = [1, 3, 2, 4];
    let x = input(sizes, 5, 1.0);
    let loss = |x: &[f32]| {
        let [y, _] = results(x, sizes, attention);
        y.iter().zip(numbers(y.len(), 3)).map(|(y, w)| y * f64::from(w)).sum::<f64>()
    };
    for (at, expected) in results(&x, sizes, attention)[1].iter().enumerate() {
        let found = difference(loss, &x, at, 1e-2);
        assert!((found - expected).abs() < 1e-3, "{at}: {found}, not {expected}");
    }
}

#[test]
fn what_is_not_finite_travels_as_in_the_plain_form() {
    let sizes = [2, 9, 2, 8];
    for bad in [f32::NAN, f32::INFINITY] {
        // In the queries, the keys and the values of one head of one token.
        for place in [3, 16 + 3, 32 + 3] {
            let mut x = input(sizes, 5, 1.0);
            x[4 * 48 + place] = bad;
            let (found, expected) = (results(&x, sizes, attention), results(&x, sizes, plain));
            for (&found, &expected) in found.iter().flatten().zip(expected.iter().flatten()) {
                let agree = same(found, expected) || (!found.is_finite() && !expected.is_finite());
                assert!(agree, "{bad} at {place}: expected {expected}, found {found}");
            }
        }
    }
}

#[test]
fn sixteen_bits_have_their_softmax_in_f32() {
    let sizes = [2, 37, 2, 16];
    let exact = results(&input(sizes, 5, 1.0), sizes, attention);
    let narrow = results(&input(sizes, 5, 1.0), sizes, |x, heads| {
        let y = attention(x.cast(DType::F16), heads);
        assert_eq!(y.dtype(), DType::F16);
        y.cast(DType::F32)
    });
    for (narrow, exact) in narrow.iter().zip(&exact) {
        assert!(distance(narrow, exact) < 5e-3);
    }
}

#[test]
fn results_are_the_same_for_any_number_of_threads() {
    let sizes = [3, 133, 2, 32];
    let run = |threads| on_threads(threads, || results(&input(sizes, 5, 1.0), sizes, attention));
    assert_eq!(run(1), run(2));
}

#[test]
#[should_panic(expected = "expected a multiple of 3 x 5 numbers for each token, found 24")]
fn heads_that_do_not_divide_a_token_are_refused() {
    let _ = attention(Tensor::zeros([1, 2, 24], &flex()), 5);
}
