//! Does the device compute as the CPU does? The core of the suite `tests/backend_parity`, on the user's own device.

mod checks;
mod difference;
mod products;

use anyhow::Result;
use serde::{Deserialize, Serialize};
use simclr::burn::tensor::Device;

use checks::{CHECKS, Check};
use difference::largest_difference;
pub(super) use products::Products;

/// What comparing has found.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Finding {
    /// How exact products of f32 numbers are. It comes first.
    Products(Products),
    Check(Compared),
}

/// One check, done on the device and on the CPU.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Compared {
    pub(super) check: String,
    /// The largest difference, as a share of the largest number there; `None` if it is NaN or infinite.
    pub(super) difference: Option<f64>,
    /// The largest difference that is allowed.
    pub(super) tolerance: f64,
    pub(super) passes: bool,
}

/// The names of all checks.
pub(super) fn check_names() -> impl Iterator<Item = &'static str> {
    CHECKS.iter().map(|check| check.name)
}

/// Does every check, and says what each has found.
pub(super) fn compare(
    name: &str,
    device: &Device,
    say: impl Fn(&Finding) -> Result<()>,
) -> Result<()> {
    let products = Products::of(device);
    say(&Finding::Products(products))?;
    // CubeCL's products are TF32 on CUDA, but not at every size.
    let reduced = products == Products::Tf32 || name.starts_with("cuda");
    let cpu = Device::flex();
    CHECKS.iter().try_for_each(|check| {
        let difference = largest_difference(&(check.run)(device)?, &(check.run)(&cpu)?);
        say(&Finding::Check(Compared::new(check, difference, reduced)))
    })
}

impl Compared {
    fn new(check: &Check, difference: f64, reduced: bool) -> Self {
        let tolerance = if reduced { check.with_tf32 } else { check.tolerance };
        Self {
            check: check.name.to_owned(),
            difference: Some(difference).filter(|difference| difference.is_finite()),
            tolerance,
            passes: difference <= tolerance,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_check_passes_on_the_cpu() {
        for check in CHECKS {
            let found = (check.run)(&Device::flex()).unwrap();
            assert!(found.iter().all(|values| !values.is_empty()), "{}", check.name);
            let spread =
                |values: &Vec<f64>| values.iter().any(|value| (value - values[0]).abs() > 1e-6);
            assert!(
                found.iter().any(|values| values.len() == 1 || spread(values)),
                "{}",
                check.name
            );
            let again = (check.run)(&Device::flex()).unwrap();
            assert!(largest_difference(&found, &again) <= check.tolerance, "{}", check.name);
        }
    }

    #[test]
    fn a_difference_above_the_tolerance_or_no_number_fails_and_tf32_is_allowed_for() {
        let check = &CHECKS[0];
        for (difference, reduced, passes) in [
            (0.5 * check.tolerance, false, true),
            (2.0 * check.tolerance, false, false),
            (2.0 * check.tolerance, true, true),
            (2.0 * check.with_tf32, true, false),
            (f64::NAN, true, false),
            (f64::INFINITY, false, false),
        ] {
            let compared = Compared::new(check, difference, reduced);
            assert_eq!(compared.passes, passes, "{difference}, {reduced}");
            assert_eq!(compared.difference.is_some(), difference.is_finite());
        }
    }
}
