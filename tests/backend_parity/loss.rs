//! The losses: value and gradient of each form, on each backend, against f64 arithmetic.
//!
//! The temperatures lie on both sides of 0.025, where the tiled forms change from a constant shift of the exponents to
//! each row's maximum.

use std::iter::zip;

use burn::tensor::{Device, Tensor, TensorData};
use simclr::loss::{
    DecoupledNtXent, NaiveNtXent, NtXent, SupCon, TiledNtXent, VectorizedNtXent, class_ranks,
    partner_ranks,
};

use crate::backends::{Case, compare, of_products};
use crate::contrast::{Denominator, loss_and_gradient};

pub(crate) const CASES: &[Case] = &[
    Case { name: "naive_nt_xent_matches_f64", run: |d| nt_xent_matches(d, Form::Naive) },
    Case { name: "vectorized_nt_xent_matches_f64", run: |d| nt_xent_matches(d, Form::Vectorized) },
    Case { name: "tiled_nt_xent_matches_f64", run: |d| nt_xent_matches(d, Form::Tiled) },
    Case { name: "nt_xents_front_door_matches_f64", run: |d| nt_xent_matches(d, Form::FrontDoor) },
    Case { name: "tiled_nt_xent_of_many_tiles_matches_f64", run: many_tiles },
    Case { name: "decoupled_nt_xent_matches_f64", run: decoupled },
    Case { name: "sup_con_matches_f64", run: sup_con },
    Case { name: "nt_xent_with_an_image_twice_matches_f64", run: twins },
    Case { name: "losses_with_a_row_of_zeros_are_those_of_flex", run: zeros },
    Case { name: "partner_ranks_match_f64", run: ranks },
    Case { name: "class_ranks_match_f64", run: ranks_of_classes },
];

/// More than a minute on a software driver: run by `.ci/long/many_blocks`.
pub(crate) const LONG_CASES: &[Case] =
    &[Case { name: "losses_with_ranks_of_many_blocks_are_those_of_flex", run: many_blocks }];

/// Images, dimensions, temperature and seed of the small cases.
const SIZES: &[(usize, usize, f64, u64)] =
    &[(2, 3, 0.5, 1), (8, 16, 0.02, 3), (12, 9, 0.3, 5), (16, 32, 0.01, 6), (33, 20, 0.02, 8)];

/// f32 carries 7 digits; sums of some hundred terms as large as 1/t keep 5 of them on every backend.
const TOLERANCE: f64 = 1e-5;

#[derive(Clone, Copy)]
enum Form {
    Naive,
    Vectorized,
    Tiled,
    FrontDoor,
}

impl Form {
    fn forward(self, t: f64, views: &[Tensor<2>; 2]) -> Tensor<1> {
        let [a, b] = views.clone();
        match self {
            Self::Naive => NaiveNtXent::new(t).expect("a temperature").forward(a, b),
            Self::Vectorized => VectorizedNtXent::new(t).expect("a temperature").forward(a, b),
            Self::Tiled => TiledNtXent::new(t).expect("a temperature").forward(a, b),
            Self::FrontDoor => NtXent::new(t).expect("a temperature").forward(a, b),
        }
    }
}

/// Two views of `n` rows of random numbers, and what a loss should make of them.
struct Problem {
    n: usize,
    d: usize,
    t: f64,
    rows: Vec<Vec<f64>>,
}

impl Problem {
    fn new((n, d, t, seed): (usize, usize, f64, u64)) -> Self {
        let numbers = numbers(2 * n * d, seed);
        Self { n, d, t, rows: numbers.chunks(d).map(<[f64]>::to_vec).collect() }
    }

    /// The views as tensors that want a gradient.
    fn views(&self, device: &Device) -> [Tensor<2>; 2] {
        let device = device.clone().autodiff();
        [0, self.n].map(|start| {
            let rows = &self.rows[start..start + self.n];
            let values: Vec<f32> = rows.iter().flatten().map(|&x| x as f32).collect();
            Tensor::from_data(TensorData::new(values, [self.n, self.d]), &device).require_grad()
        })
    }

    /// Value and gradient of a loss on flex.
    fn on_flex(&self, loss: impl Fn(&[Tensor<2>; 2]) -> Tensor<1>) -> (f64, Vec<f64>) {
        let views = self.views(&Device::flex());
        let value = loss(&views);
        let gradients = value.backward();
        let of_view = |view: &Tensor<2>| -> Vec<f64> {
            let gradient = view.grad(&gradients).expect("the views are tracked");
            gradient.to_data_as::<f64>().iter().collect()
        };
        (value.into_scalar(), views.iter().flat_map(of_view).collect())
    }

    /// Compares value and gradient of a loss with those of the definition.
    fn check(
        &self,
        device: &Device,
        loss: impl Fn(&[Tensor<2>; 2]) -> Tensor<1>,
        (value, gradient): (f64, Vec<f64>),
    ) -> Result<(), String> {
        let what = format!("n = {}, d = {}, t = {}", self.n, self.d, self.t);
        let tolerance = of_products(device, TOLERANCE) / self.t.min(1.0);
        let views = self.views(device);
        let found = loss(&views);
        let gradients = found.backward();
        let found = found.into_scalar::<f64>();
        compare(&format!("value, {what}"), &[found], &[value], tolerance)?;
        let mut of_views = Vec::new();
        for view in views {
            let gradient = view.grad(&gradients).ok_or("expected a gradient, found none")?;
            of_views.extend(gradient.to_data_as::<f64>().iter::<f64>());
        }
        // Gradients of a mean over rows are small: their own size is the measure, unless they are zero.
        let largest = gradient.iter().fold(1e-6_f64, |most, x| most.max(x.abs()));
        let scaled = |gradient: &[f64]| gradient.iter().map(|x| x / largest).collect::<Vec<_>>();
        let (found, expected) = (scaled(&of_views), scaled(&gradient));
        compare(&format!("gradient, {what}"), &found, &expected, 10.0 * tolerance)
    }

    /// The cosine of two rows.
    fn cosine(&self, i: usize, k: usize) -> f64 {
        let (a, b) = (&self.rows[i], &self.rows[k]);
        let dot = |a: &[f64], b: &[f64]| zip(a, b).map(|(x, y)| x * y).sum::<f64>();
        dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
    }

    /// The image of each row.
    fn images(&self) -> Vec<usize> {
        (0..2 * self.n).map(|row| row % self.n).collect()
    }
}

fn nt_xent_matches(device: &Device, form: Form) -> Result<(), String> {
    // A thousand small operations a row: a GPU's driver takes minutes for the larger ones.
    let largest = if matches!(form, Form::Naive) { 8 } else { usize::MAX };
    SIZES.iter().filter(|size| size.0 <= largest).try_for_each(|&size| {
        let problem = Problem::new(size);
        let expected =
            loss_and_gradient(&problem.rows, &problem.images(), problem.t, Denominator::Others);
        problem.check(device, |views| form.forward(problem.t, views), expected)
    })
}

/// A row without a direction has cosine 0 with all, and no gradient. 300 columns are more than a workgroup has threads, and
/// the loss is a part of a larger one.
fn zeros(device: &Device) -> Result<(), String> {
    let mut problem = Problem::new((5, 300, 0.2, 12));
    problem.rows[2].fill(0.0);
    let losses: [fn(f64, &[Tensor<2>; 2]) -> Tensor<1>; 3] = [
        |t, views| Form::Tiled.forward(t, views),
        |t, [a, b]| DecoupledNtXent::new(t).expect("valid").forward(a.clone(), b.clone()),
        |t, views| SupCon::new(t).expect("valid").forward(views, &[0, 1, 2, 1, 0]),
    ];
    losses.into_iter().try_for_each(|loss| {
        let loss = |views: &[Tensor<2>; 2]| loss(problem.t, views).mul_scalar(3.0);
        let (value, gradient) = problem.on_flex(loss);
        if gradient[2 * problem.d..3 * problem.d].iter().any(|&x| x != 0.0) {
            return Err("expected no gradient for a row of zeros".to_owned());
        }
        problem.check(device, loss, (value, gradient))
    })
}

/// 1,060 views are two tiles of the CPU's body, the second not full.
fn many_tiles(device: &Device) -> Result<(), String> {
    [0.5, 0.02].into_iter().try_for_each(|t| {
        let problem = Problem::new((530, 8, t, 9));
        let expected = loss_and_gradient(&problem.rows, &problem.images(), t, Denominator::Others);
        problem.check(device, |views| Form::Tiled.forward(t, views), expected)
    })
}

fn decoupled(device: &Device) -> Result<(), String> {
    SIZES.iter().try_for_each(|&size| {
        let problem = Problem::new(size);
        let loss = DecoupledNtXent::new(problem.t).map_err(|error| error.to_string())?;
        let expected =
            loss_and_gradient(&problem.rows, &problem.images(), problem.t, Denominator::Negatives);
        problem.check(device, |[a, b]| loss.forward(a.clone(), b.clone()), expected)
    })
}

fn sup_con(device: &Device) -> Result<(), String> {
    SIZES.iter().try_for_each(|&size| {
        let problem = Problem::new(size);
        let labels: Vec<usize> = (0..problem.n).map(|i| i * i % 5).collect();
        let loss = SupCon::new(problem.t).map_err(|error| error.to_string())?;
        let expected =
            loss_and_gradient(&problem.rows, &labels.repeat(2), problem.t, Denominator::Others);
        problem.check(device, |views| loss.forward(views, &labels), expected)
    })
}

/// An image that is twice in the batch is no negative of itself.
fn twins(device: &Device) -> Result<(), String> {
    SIZES.iter().try_for_each(|&size| {
        let problem = Problem::new(size);
        let loss = NtXent::new(problem.t).map_err(|error| error.to_string())?;
        // Naive NT-Xent on the same rows is another loss: here the flex backend is the measure, which the crate's own
        // tests hold to f64.
        let ids: Vec<usize> = (0..problem.n).map(|i| i / 2 * 2).collect();
        let forward = |[a, b]: &[Tensor<2>; 2]| loss.forward_with_ids(a.clone(), b.clone(), &ids);
        let views = problem.views(&Device::flex());
        let value = forward(&views);
        let gradients = value.backward();
        let gradient = views.iter().flat_map(|view| {
            let gradient = view.grad(&gradients).expect("the views are tracked");
            gradient.to_data_as::<f64>().iter::<f64>().collect::<Vec<_>>()
        });
        let expected = (value.into_scalar::<f64>(), gradient.collect());
        problem.check(device, forward, expected)
    })
}

/// 6,000 views are two blocks of rows with kernels for `CubeCL`, and five in tensor operations. Flex, which the crate's own
/// tests hold to f64, is the measure: the definition in f64 takes minutes.
fn many_blocks(device: &Device) -> Result<(), String> {
    let problem = Problem::new((3000, 8, 0.1, 4));
    let labels: Vec<usize> = (0..problem.n).map(|i| i * i % 997).collect();
    let loss = |views: &[Tensor<2>; 2], of_classes: bool| {
        let [a, b] = views.clone();
        if of_classes {
            SupCon::new(problem.t).expect("a temperature").forward_with_ranks(views, &labels)
        } else {
            NtXent::new(problem.t).expect("a temperature").forward_with_ranks(a, b)
        }
    };
    [false, true].into_iter().try_for_each(|of_classes| {
        let value = |views: &[Tensor<2>; 2]| loss(views, of_classes).loss;
        problem.check(device, value, problem.on_flex(value))?;

        let [found, expected] = [device, &Device::flex()]
            .map(|device| loss(&problem.views(device), of_classes).ranks)
            .map(|ranks| ranks.to_data_as::<f64>().iter().collect::<Vec<f64>>());
        // Of 6,000 views a few are as near as the partner but for rounding.
        compare(&format!("ranks, of classes: {of_classes}"), &found, &expected, 5e-4)
    })
}

fn ranks(device: &Device) -> Result<(), String> {
    SIZES.iter().try_for_each(|&size| {
        let problem = Problem::new(size);
        let [a, b] = problem.views(device);
        let found: Vec<f64> = partner_ranks(a, b).to_data_as::<f64>().iter().collect();
        let rows = 2 * problem.n;
        let rank = |i: usize| {
            let partner = problem.cosine(i, (i + problem.n) % rows);
            (0..rows).filter(|&k| k != i && problem.cosine(i, k) > partner).count() as f64
        };
        let expected: Vec<f64> = (0..rows).map(rank).collect();
        compare(&format!("ranks, n = {}", problem.n), &found, &expected, of_products(device, 1e-9))
    })
}

fn ranks_of_classes(device: &Device) -> Result<(), String> {
    SIZES.iter().try_for_each(|&size| {
        let problem = Problem::new(size);
        let labels: Vec<usize> = (0..problem.n).map(|i| i * i % 5).collect();
        let [a, b] = problem.views(device);
        let found: Vec<f64> = class_ranks(a, b, &labels).to_data_as::<f64>().iter().collect();
        let rows = 2 * problem.n;
        let same = |i: usize, k: usize| labels[i % problem.n] == labels[k % problem.n];
        let rank = |i: usize| {
            let positives = (0..rows).filter(|&k| k != i && same(i, k));
            let nearest = positives.map(|k| problem.cosine(i, k)).fold(f64::MIN, f64::max);
            (0..rows).filter(|&k| !same(i, k) && problem.cosine(i, k) > nearest).count() as f64
        };
        let expected: Vec<f64> = (0..rows).map(rank).collect();
        compare(
            &format!("ranks of classes, n = {}", problem.n),
            &found,
            &expected,
            of_products(device, 1e-9),
        )
    })
}

/// Numbers in -1..1 that look random, the same everywhere (and exact in f32).
pub(crate) fn numbers(count: usize, seed: u64) -> Vec<f64> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(seed);
    let mut next = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 44) as f64 / f64::from(1 << 19) - 1.0
    };
    (0..count).map(|_| next()).collect()
}
