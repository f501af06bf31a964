//! Every backend computes the same: each case runs on each backend, and is compared with plain f64
//! arithmetic or with flex.
//!
//! A backend that was not built in, or that this machine has no device for, is shown as ignored with
//! the reason. `SIMCLR_REQUIRE_BACKENDS=flex,ndarray,wgpu` makes that a failure for the ones it names.
//!
//! Cases that take minutes on a software driver are ignored, too: `-- --ignored` runs them. `SIMCLR_PARITY_SHARE=2/3` has the
//! second of every three cases alone, for several processes at a time: a software driver computes on one core.

mod backends;
mod contrast;
mod fusion;
mod layers;
mod loss;
mod normalisation;
mod packing;
mod search_and_steps;
mod training;
mod views;

use backends::{Backend, Case};
use libtest_mimic::{Arguments, Failed, Trial};

fn main() -> std::process::ExitCode {
    let arguments = Arguments::from_args();
    let cases: Vec<Case> = [
        fusion::CASES,
        loss::CASES,
        search_and_steps::CASES,
        layers::CASES,
        normalisation::CASES,
        packing::CASES,
        training::CASES,
        views::CASES,
    ]
    .concat();
    let required = std::env::var("SIMCLR_REQUIRE_BACKENDS").unwrap_or_default();
    let required: Vec<&str> =
        required.split(',').map(str::trim).filter(|s| !s.is_empty()).collect();

    let mut trials = Vec::new();
    for unknown in required.iter().filter(|name| !backends::NAMES.contains(name)) {
        let message = format!("SIMCLR_REQUIRE_BACKENDS names an unknown backend, {unknown}");
        trials.push(Trial::test("required_backends_exist", || Err(Failed::from(message))));
    }
    for name in backends::NAMES {
        match Backend::open(name) {
            Ok(backend) => {
                trials.extend(cases.iter().map(|&case| trial(&backend, case)));
                let long = loss::LONG_CASES.iter().map(|&case| trial(&backend, case));
                trials.extend(long.map(|trial| trial.with_ignored_flag(true)));
            }
            Err(reason) if required.contains(&name) => {
                let message = format!("{name} is required, but {reason}");
                trials.push(Trial::test(format!("{name}::is_available"), || {
                    Err(Failed::from(message))
                }));
            }
            Err(reason) => trials.extend(cases.iter().map(|case| {
                let name = format!("{name}::{} ({reason})", case.name);
                Trial::test(name, || Ok(())).with_ignored_flag(true)
            })),
        }
    }
    if let Ok(text) = std::env::var("SIMCLR_PARITY_SHARE") {
        if let Some((number, of)) = share_of(&text) {
            let placed = trials.into_iter().enumerate();
            let own = placed.filter(|(place, _)| place % of == number - 1);
            trials = own.map(|(_, trial)| trial).collect();
        } else {
            let message = format!("SIMCLR_PARITY_SHARE is no share such as 1/2: {text}");
            trials = vec![Trial::test("the_share_is_one", || Err(Failed::from(message)))];
        }
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// A share of the cases: its number, from 1, and how many there are.
fn share_of(text: &str) -> Option<(usize, usize)> {
    let (number, of) = text.split_once('/')?;
    let (number, of) = (number.parse().ok()?, of.parse().ok()?);
    (1..=of).contains(&number).then_some((number, of))
}

fn trial(backend: &Backend, case: Case) -> Trial {
    let device = backend.device.clone();
    Trial::test(format!("{}::{}", backend.name, case.name), move || {
        (case.run)(&device).map_err(Failed::from)
    })
}
