//! The forms under test and an f64 oracle, for all tests of the losses.

#![allow(dead_code, reason = "each test binary uses its part")]

use burn::tensor::{DType, Device, Tensor, TensorData};
use simclr_loss::{
    DecoupledNtXent, NaiveNtXent, NtXent, TiledNtXent, TwoViewLoss, VectorizedNtXent,
};

pub(crate) type Rows = Vec<Vec<f64>>;

/// The forms of NT-Xent, by name, so that a failure says which. The tiled form has an implementation of
/// its own for f32 on flex; in f64 it runs in tensor operations, as on every other backend.
pub(crate) const FORMS: [&str; 5] = ["naive", "vectorized", "tiled", "tiled in f64", "front door"];

/// The device and the precision that a form is tested with.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) device: Device,
    pub(crate) dtype: DType,
}

impl Place {
    pub(crate) fn of(form: &str) -> Self {
        let dtype = if form.ends_with(" in f64") { DType::F64 } else { DType::F32 };
        Self { device: Device::flex(), dtype }
    }

    pub(crate) fn autodiff(self) -> Self {
        Self { device: self.device.autodiff(), ..self }
    }

    pub(crate) fn tensor(&self, rows: &Rows) -> Tensor<2> {
        let values: Vec<f64> = rows.iter().flatten().copied().collect();
        let data = TensorData::new(values, [rows.len(), rows[0].len()]);
        Tensor::from_data(data, (&self.device, self.dtype))
    }
}

pub(crate) fn loss(form: &str, t: f64) -> Box<dyn TwoViewLoss> {
    let checked = "the tests use valid temperatures";
    match form.trim_end_matches(" in f64") {
        "naive" => Box::new(NaiveNtXent::new(t).expect(checked)),
        "vectorized" => Box::new(VectorizedNtXent::new(t).expect(checked)),
        "tiled" => Box::new(TiledNtXent::new(t).expect(checked)),
        "front door" => Box::new(NtXent::new(t).expect(checked)),
        "decoupled" => Box::new(DecoupledNtXent::new(t).expect(checked)),
        other => panic!("expected the name of a loss, found {other}"),
    }
}

/// In f32 on flex, or with autodiff if `device` has it.
pub(crate) fn tensor(rows: &Rows, device: &Device) -> Tensor<2> {
    Place { device: device.clone(), dtype: DType::F32 }.tensor(rows)
}

pub(crate) fn value(form: &str, t: f64, z_a: &Rows, z_b: &Rows) -> f64 {
    let place = Place::of(form);
    loss(form, t).forward(place.tensor(z_a), place.tensor(z_b)).into_scalar()
}

/// Gradients with respect to both views, view a's rows first.
pub(crate) fn gradient(form: &str, t: f64, z_a: &Rows, z_b: &Rows) -> Vec<f64> {
    let loss = loss(form, t);
    gradient_of(&Place::of(form), &[z_a, z_b], |views| {
        loss.forward(views[0].clone(), views[1].clone())
    })
}

/// Gradients of `loss` with respect to every view, one view after the other.
pub(crate) fn gradient_of(
    place: &Place,
    views: &[&Rows],
    loss: impl Fn(&[Tensor<2>]) -> Tensor<1>,
) -> Vec<f64> {
    let place = place.clone().autodiff();
    let views: Vec<_> = views.iter().map(|rows| place.tensor(rows).require_grad()).collect();
    let gradients = loss(&views).backward();
    views
        .iter()
        .flat_map(|z| {
            z.grad(&gradients)
                .expect("every view is tracked")
                .to_data_as::<f64>()
                .iter::<f64>()
                .collect::<Vec<_>>()
        })
        .collect()
}

/// Contrastive losses in f64, one anchor after the other, without any code of the crate.
pub(crate) struct Oracle<'a> {
    pub(crate) t: f64,
    /// All rows, one view after the other.
    pub(crate) z: Vec<&'a Vec<f64>>,
}

impl<'a> Oracle<'a> {
    pub(crate) fn new(t: f64, views: &[&'a Rows]) -> Self {
        Self { t, z: views.iter().flat_map(|rows| rows.iter()).collect() }
    }

    pub(crate) fn similarity(&self, i: usize, k: usize) -> f64 {
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
        let (a, b) = (self.z[i], self.z[k]);
        dot(a, b) / (dot(a, a).sqrt() * dot(b, b).sqrt()) / self.t
    }

    /// The mean over the anchors with a positive of the mean over the positives p of `-s_ip + ln D_i`.
    pub(crate) fn loss(
        &self,
        positive: impl Fn(usize, usize) -> bool,
        in_denominator: impl Fn(usize, usize) -> bool,
    ) -> f64 {
        let rows = self.z.len();
        let mut losses = Vec::new();
        for i in 0..rows {
            let others = || (0..rows).filter(move |&k| k != i);
            let of = |k: usize| self.similarity(i, k);
            let positives: Vec<f64> = others().filter(|&p| positive(i, p)).map(of).collect();
            let denominator: f64 =
                others().filter(|&k| in_denominator(i, k)).map(|k| of(k).exp()).sum();
            if !positives.is_empty() {
                let mean = positives.iter().sum::<f64>() / positives.len() as f64;
                losses.push(denominator.ln() - mean);
            }
        }
        losses.iter().sum::<f64>() / losses.len().max(1) as f64
    }
}

/// NT-Xent, equation 1, in f64.
pub(crate) fn oracle(t: f64, z_a: &Rows, z_b: &Rows) -> f64 {
    let n = z_a.len();
    Oracle::new(t, &[z_a, z_b]).loss(|i, k| i % n == k % n, |_, _| true)
}

/// The derivative of `loss` by every number of every view, by central differences.
pub(crate) fn finite_differences(views: &[&Rows], loss: impl Fn(&[Rows]) -> f64) -> Vec<f64> {
    let step = 1e-5;
    let (n, d) = (views[0].len(), views[0][0].len());
    let start: Vec<Rows> = views.iter().map(|rows| (*rows).clone()).collect();
    (0..views.len() * n * d)
        .map(|index| {
            let moved = |by: f64| {
                let mut z = start.clone();
                z[index / (n * d)][index / d % n][index % d] += by;
                loss(&z)
            };
            (moved(step) - moved(-step)) / (2.0 * step)
        })
        .collect()
}
