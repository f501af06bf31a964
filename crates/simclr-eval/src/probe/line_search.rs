//! How far to go in a direction of descent.

/// Share of the slope that a step must gain, and share that may be left after it (Nocedal and Wright,
/// equations 3.6).
const SUFFICIENT_DECREASE: f64 = 1e-4;
const CURVATURE: f64 = 0.9;

/// Function values that one line search may take: beyond it, rounding hides any descent.
const LINE_SEARCH_VALUES: usize = 40;

/// A point with the function's value and gradient there.
pub(super) struct Evaluated {
    pub(super) point: Vec<f64>,
    pub(super) value: f64,
    pub(super) gradient: Vec<f64>,
}

/// A step along `direction` that fulfils both Wolfe conditions, found by doubling and bisection; `None`
/// if rounding leaves none.
pub(super) fn line_search(
    function: &mut impl FnMut(&[f64]) -> (f64, Vec<f64>),
    from: &Evaluated,
    direction: &[f64],
    first: f64,
) -> Option<Evaluated> {
    let slope = dot(&from.gradient, direction);
    let (mut low, mut high, mut step) = (0.0, f64::INFINITY, first);
    for _ in 0..LINE_SEARCH_VALUES {
        let point: Vec<f64> = from.point.iter().zip(direction).map(|(x, d)| x + step * d).collect();
        let (value, gradient) = function(&point);
        // False for NaN, too: the step is too long.
        let decreased = value <= from.value + SUFFICIENT_DECREASE * step * slope;
        if !decreased {
            high = step;
        } else if dot(&gradient, direction) < CURVATURE * slope {
            low = step;
        } else {
            return Some(Evaluated { point, value, gradient });
        }
        step = if high.is_finite() { f64::midpoint(low, high) } else { 2.0 * low };
    }
    None
}

/// The inner product.
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
