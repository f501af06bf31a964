//! The limited-memory BFGS minimiser (Nocedal and Wright 2006, algorithm 7.5) for smooth convex functions.

use std::collections::VecDeque;

use super::line_search::{Evaluated, dot, line_search};

/// Pairs of steps and gradient differences that stand for the Hessian; `SciPy`'s default.
const HISTORY: usize = 10;

/// Share of the value that a step must gain: less is rounding. `SciPy` takes 64 epsilons too.
const ROUNDING: f64 = 64.0 * f64::EPSILON;

/// When to stop.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stop {
    /// Largest absolute value of a partial derivative at a minimum.
    pub(super) tolerance: f64,
    /// The most steps.
    pub(super) max_iterations: usize,
}

/// Somebody else told the minimiser to stop.
#[derive(Debug)]
pub(super) struct ToldToStop;

/// Where the minimiser stopped.
#[derive(Debug)]
pub(super) struct Minimum {
    pub(super) point: Vec<f64>,
    pub(super) value: f64,
    pub(super) iterations: usize,
    /// Whether the gradient is within the tolerance, or no step gains anything in f64.
    pub(super) converged: bool,
}

/// Minimises `function`, which returns its value and gradient, from `start`, unless `told_to_stop` between two steps.
pub(super) fn minimize(
    mut function: impl FnMut(&[f64]) -> (f64, Vec<f64>),
    start: Vec<f64>,
    stop: Stop,
    told_to_stop: &dyn Fn() -> bool,
) -> Result<Minimum, ToldToStop> {
    let (value, gradient) = function(&start);
    let mut here = Evaluated { point: start, value, gradient };
    let mut history = History::default();
    let mut iterations = 0;
    let converged = loop {
        if largest(&here.gradient) <= stop.tolerance {
            break true;
        }
        if iterations == stop.max_iterations {
            break false;
        }
        let direction = history.direction(&here.gradient);
        if told_to_stop() {
            return Err(ToldToStop);
        }
        // Without a history the gradient has no scale: a first step of length 1 at most.
        let first = if history.pairs.is_empty() {
            1.0_f64.min(1.0 / dot(&direction, &direction).sqrt())
        } else {
            1.0
        };
        let Some(next) = line_search(&mut function, &here, &direction, first) else { break true };
        let gained = here.value - next.value;
        history.push(&here, &next);
        here = next;
        iterations += 1;
        if gained <= ROUNDING * here.value.abs().max(1.0) {
            break true;
        }
    };
    Ok(Minimum { point: here.point, value: here.value, iterations, converged })
}

/// The last steps, newest last.
#[derive(Default)]
struct History {
    pairs: VecDeque<Pair>,
}

struct Pair {
    step: Vec<f64>,
    change: Vec<f64>,
    /// 1 / (step . change), which the curvature condition makes positive.
    rho: f64,
}

impl History {
    fn push(&mut self, from: &Evaluated, to: &Evaluated) {
        let difference = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a - b).collect();
        let step: Vec<f64> = difference(&to.point, &from.point);
        let change: Vec<f64> = difference(&to.gradient, &from.gradient);
        let curvature = dot(&step, &change);
        if curvature > 0.0 {
            self.pairs.push_back(Pair { step, change, rho: 1.0 / curvature });
        }
        if self.pairs.len() > HISTORY {
            self.pairs.pop_front();
        }
    }

    /// Minus the approximate inverse Hessian times the gradient (algorithm 7.4).
    fn direction(&self, gradient: &[f64]) -> Vec<f64> {
        let mut direction: Vec<f64> = gradient.iter().map(|g| -g).collect();
        let mut alphas = Vec::with_capacity(self.pairs.len());
        for pair in self.pairs.iter().rev() {
            let alpha = pair.rho * dot(&pair.step, &direction);
            add(&mut direction, -alpha, &pair.change);
            alphas.push(alpha);
        }
        if let Some(newest) = self.pairs.back() {
            let scale = 1.0 / (newest.rho * dot(&newest.change, &newest.change));
            for d in &mut direction {
                *d *= scale;
            }
        }
        for (pair, alpha) in self.pairs.iter().zip(alphas.into_iter().rev()) {
            let beta = pair.rho * dot(&pair.change, &direction);
            add(&mut direction, alpha - beta, &pair.step);
        }
        direction
    }
}

fn add(to: &mut [f64], factor: f64, from: &[f64]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to += factor * from;
    }
}

fn largest(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |most, value| value.abs().max(most))
}

#[cfg(test)]
mod tests {
    use super::*;

    const STOP: Stop = Stop { tolerance: 1e-8, max_iterations: 500 };

    fn minimum(
        function: impl FnMut(&[f64]) -> (f64, Vec<f64>),
        start: Vec<f64>,
        stop: Stop,
    ) -> Minimum {
        minimize(function, start, stop, &|| false).unwrap()
    }

    #[test]
    fn a_minimiser_that_is_told_to_stop_takes_no_more_steps() {
        let (told, mut evaluated) = (std::cell::Cell::new(0), 0);
        let slope = |x: &[f64]| {
            evaluated += 1;
            (x[0].cosh(), vec![x[0].sinh()])
        };
        let at_the_third = || told.replace(told.get() + 1) == 2;
        assert!(minimize(slope, vec![300.0], STOP, &at_the_third).is_err());
        assert!(evaluated > 2, "{evaluated}");
    }

    #[test]
    fn an_ill_conditioned_bowl_is_minimised_to_its_bottom() {
        let bottom: Vec<f64> = (0..30).map(|i| f64::from(i) - 11.5).collect();
        let curvature = |i: usize| 10.0_f64.powf(i as f64 / 10.0); // 1 to 800
        let bowl = |x: &[f64]| {
            let off: Vec<f64> = x.iter().zip(&bottom).map(|(x, b)| x - b).collect();
            let value =
                off.iter().enumerate().map(|(i, o)| 0.5 * curvature(i) * o * o).sum::<f64>();
            (3.0 + value, off.iter().enumerate().map(|(i, o)| curvature(i) * o).collect())
        };
        let found = minimum(bowl, vec![0.0; 30], STOP);
        assert!(found.converged && found.iterations < 300, "{} iterations", found.iterations);
        assert!((found.value - 3.0).abs() < 1e-12, "{}", found.value);
        for (x, b) in found.point.iter().zip(&bottom) {
            assert!((x - b).abs() < 1e-5, "{x}, not {b}");
        }
    }

    #[test]
    fn a_start_at_the_minimum_takes_no_step() {
        let found = minimum(|x| (x[0] * x[0], vec![2.0 * x[0]]), vec![0.0], STOP);
        assert!(found.converged);
        assert_eq!((found.iterations, found.point), (0, vec![0.0]));
    }

    #[test]
    fn too_few_iterations_are_reported_as_not_converged() {
        let stop = Stop { max_iterations: 1, ..STOP };
        let valley =
            |x: &[f64]| (x[0].cosh() + x[1].powi(4), vec![x[0].sinh(), 4.0 * x[1].powi(3)]);
        let found = minimum(valley, vec![3.0, 2.0], stop);
        assert_eq!((found.converged, found.iterations), (false, 1));
    }

    #[test]
    fn a_flat_valley_is_followed_far() {
        // ln cosh is nearly linear far out: steps must grow.
        let valley =
            |x: &[f64]| (x[0].abs() + (-2.0 * x[0].abs()).exp().ln_1p(), vec![x[0].tanh()]);
        let found = minimum(valley, vec![1e6], STOP);
        assert!(found.converged && found.point[0].abs() < 1e-7, "{found:?}");
    }
}
