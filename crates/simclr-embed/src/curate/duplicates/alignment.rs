//! One small picture laid over another: where the second lies in the first.

use nalgebra::{SMatrix, SVector};

use super::correlation::Correlation;
use super::placement::{Placement, coordinate};
use super::pyramid::{Pyramid, Sample, sample};

/// The most steps on each level, the coarsest first.
const STEPS: [usize; 3] = [12, 8, 5];
/// A step of so many pixels ends the search on a level.
const STILL: f64 = 0.02;
/// A correlation on the coarsest level that needs no second start.
const SURE: f64 = 0.97;
/// Correlations below this, on any level, are those of other pictures.
const LEAST: f64 = 0.85;

/// Looks for the place of `b` in `a`, from coarse to fine up to level `finest`; `None` if on some level their brightness is not alike.
pub(super) fn align(a: &Pyramid, b: &Pyramid, finest: usize) -> Option<Placement> {
    let [coarse_a, coarse_b] = [&a.levels[0], &b.levels[0]];
    let from = |start| improve(coarse_a, coarse_b, STEPS[0], start);
    let mut best = from(Placement::WHOLE);
    if best.is_none_or(|(_, correlation)| correlation < SURE) {
        // Fine patterns lead astray from afar. From the whole it would end where the first ended.
        let likeliest = a.starts().likeliest(coarse_b);
        let second = if likeliest == Placement::WHOLE { None } else { from(likeliest) };
        best = best.into_iter().chain(second).max_by(|a, b| a.1.total_cmp(&b.1));
    }
    let alike = |best: Option<(Placement, f64)>| best.filter(|(_, alike)| *alike >= LEAST);
    let (mut placement, _) = alike(best)?;
    let levels = a.levels.iter().zip(&b.levels).zip(STEPS);
    for ((a, b), steps) in levels.take(finest + 1).skip(1) {
        (placement, _) = alike(improve(a, b, steps, placement))?;
    }
    Some(placement)
}

/// The place of `b` in `a`, near `start`, that leaves the smallest square difference of brightness, and how they correlate a step before it: by
/// Gauss-Newton steps with gain and offset as further unknowns (Lucas and Kanade 1981; Baker and Matthews 2004, section 2). `None` if they lead too far.
fn improve(a: &[f32], b: &[f32], steps: usize, start: Placement) -> Option<(Placement, f64)> {
    let side = a.len().isqrt();
    let half = side as f64 / 2.0;
    let mut placement = start;
    let [mut gain, mut offset] = [1.0, 0.0];
    let mut alike = 0.0;
    for _ in 0..steps {
        let mut normal = SMatrix::<f64, 6, 6>::zeros();
        let mut right = SVector::<f64, 6>::zeros();
        let mut correlation = Correlation::default();
        for (place, &target) in b.iter().enumerate() {
            let (column, row) = (place % side, place / side);
            let (x, y) = (placement.x.pixel(column, side), placement.y.pixel(row, side));
            let Some(Sample { value, slope }) = sample(a, side, x, y) else { continue };
            let target = f64::from(target);
            correlation.add(value, target);
            let [dx, dy] = slope.map(|slope| gain * slope * half);
            let (u, v) = (coordinate(column, side), coordinate(row, side));
            let slopes = SVector::<f64, 6>::from([dx * u, dx, dy * v, dy, value, 1.0]);
            normal.syger(1.0, &slopes, &slopes, 1.0);
            right.axpy(target - gain * value - offset, &slopes, 1.0);
        }
        alike = correlation.value();
        // A little damping, for pictures that don't change along an axis.
        for at in 0..6 {
            normal[(at, at)] = normal[(at, at)] * 1.0001 + 1e-6;
        }
        let Some(factors) = normal.cholesky() else { break };
        let change = factors.solve(&right);
        placement.x.scale += change[0];
        placement.x.shift += change[1];
        placement.y.scale += change[2];
        placement.y.shift += change[3];
        gain += change[4];
        offset += change[5];
        if !placement.is_legal() {
            return None;
        }
        if change.rows(0, 4).amax() * half < STILL {
            break;
        }
    }
    Some((placement, alike))
}
