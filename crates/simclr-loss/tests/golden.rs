//! Values and gradients of three independent implementations; `golden/generate.py` made them.

mod support;

use burn::tensor::Tensor;
use serde::Deserialize;
use simclr_loss::SupCon;
use support::{FORMS, Place, Rows, gradient_of, loss};

#[derive(Deserialize)]
struct Peers {
    nt_xent: Vec<Case>,
    decoupled: Vec<Case>,
    sup_con: Vec<Case>,
    sup_con_one_view: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    peer: String,
    /// The peer's value divided by the mean over the anchors.
    factor: f64,
    temperature: f64,
    shape: [usize; 2],
    labels: Option<Vec<usize>>,
    z_a: Vec<f64>,
    z_b: Vec<f64>,
    value: f64,
    gradient_a: Vec<f64>,
    gradient_b: Vec<f64>,
}

fn peers() -> Peers {
    serde_json::from_str(include_str!("golden/peers.json")).expect("the golden file is valid")
}

impl Case {
    fn rows(&self, values: &[f64]) -> Rows {
        values.chunks(self.shape[1]).map(<[f64]>::to_vec).collect()
    }

    /// Compares value and gradient of `loss(views)` with the peer's.
    fn check(&self, form: &str, views: usize, loss: impl Fn(&[Tensor<2>]) -> Tensor<1>) {
        let rows = [self.rows(&self.z_a), self.rows(&self.z_b)];
        let rows: Vec<&Rows> = rows.iter().take(views).collect();
        let tensors: Vec<_> = rows.iter().map(|rows| Place::of(form).tensor(rows)).collect();
        let name =
            format!("{form} against {}, {:?}, t {}", self.peer, self.shape, self.temperature);

        // Relative to the largest similarity too, as f32 keeps 7 digits of it.
        let tolerance = 1e-5 * (1.0 + 0.1 / self.temperature);
        let (found, expected) = (loss(&tensors).into_scalar::<f64>(), self.value / self.factor);
        assert!(
            (found - expected).abs() < tolerance * expected.abs().max(1.0),
            "{name}: {found}, expected {expected}"
        );

        let gradient = gradient_of(&Place::of(form), &rows, loss);
        let expected = [self.gradient_a.as_slice(), &self.gradient_b].concat();
        let rows_of = |values: &[f64]| self.rows(values);
        let z = rows.iter().flat_map(|rows| rows.iter());
        let pairs = rows_of(&gradient).into_iter().zip(rows_of(&expected));
        for (index, ((found, expected), z)) in pairs.zip(z).enumerate() {
            // Gradients are proportional to 1 / |z|, and so is the rounding error where a gradient
            // is zero; the rows differ in length.
            let largest = expected.iter().fold(0.0_f64, |most, x| most.max(x.abs()));
            let unit = 0.1 / z.iter().map(|x| x * x).sum::<f64>().sqrt();
            for (found, expected) in found.iter().zip(expected) {
                let difference = (found - expected / self.factor).abs();
                assert!(
                    difference < tolerance * (largest / self.factor).max(unit),
                    "{name}, row {index}: {found}, expected {}",
                    expected / self.factor
                );
            }
        }
    }
}

#[test]
fn every_form_of_nt_xent_equals_lightly_pml_and_half_of_google() {
    for case in peers().nt_xent {
        for form in FORMS {
            let loss = loss(form, case.temperature);
            case.check(form, 2, |views| loss.forward(views[0].clone(), views[1].clone()));
        }
    }
}

#[test]
fn decoupled_equals_lightlys_dcl() {
    for case in peers().decoupled {
        for form in ["decoupled", "decoupled in f64"] {
            let loss = loss(form, case.temperature);
            case.check(form, 2, |views| loss.forward(views[0].clone(), views[1].clone()));
        }
    }
}

#[test]
fn sup_con_equals_pml_with_two_views_and_with_one() {
    let Peers { sup_con, sup_con_one_view, .. } = peers();
    let two = sup_con.iter().map(|case| (2, case));
    for (views, case) in two.chain(sup_con_one_view.iter().map(|case| (1, case))) {
        let loss = SupCon::new(case.temperature).expect("the peers use valid temperatures");
        let labels = case.labels.as_ref().expect("the case has labels");
        for form in ["sup_con", "sup_con in f64"] {
            case.check(form, views, |views| loss.forward(views, labels));
        }
    }
}
