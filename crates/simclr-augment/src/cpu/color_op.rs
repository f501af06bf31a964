use pulp::{Arch, Simd, WithSimd};

use super::planes::{Planes, gray_of};
use crate::config::Normalization;

/// Pixels of a strip: the strips of three planes stay in the first-level cache from one operation to the
/// next.
const STRIP: usize = 1024;

/// One operation on the colours of a view, pixel by pixel. All but the last end in `[0, 1]`.
#[derive(Debug, Clone, Copy)]
pub(crate) enum ColorOp {
    Clip,
    Scale(f32),
    Add(f32),
    /// `factor * value + (1 - factor) * other`, with a number `other` for each channel.
    Blend {
        factor: f32,
        others: [f32; 3],
    },
    /// The same with each pixel's gray value as `other`.
    BlendWithGray(f32),
    /// Multiplies HSV's saturation and cuts it off at 1.
    ScaleSaturation(f32),
    /// Adds to HSV's hue, in full turns.
    TurnHue(f32),
    Gray,
    /// Values of at least the threshold become one minus themselves.
    Solarize(f32),
    /// `(value - mean) * factor`.
    Normalize {
        means: [f32; 3],
        factors: [f32; 3],
    },
}

impl ColorOp {
    pub(crate) fn normalize(normalization: &Normalization) -> Self {
        Self::Normalize { means: normalization.mean, factors: normalization.std.map(f32::recip) }
    }

    #[inline(always)]
    fn apply(self, [red, green, blue]: [&mut [f32]; 3]) {
        match self {
            Self::Clip => each([red, green, blue], |_, value| clip(value)),
            Self::Scale(factor) => each([red, green, blue], |_, value| clip(factor * value)),
            Self::Add(delta) => each([red, green, blue], |_, value| clip(value + delta)),
            Self::Blend { factor, others } => {
                let others = others.map(|other| (1.0 - factor) * other);
                each([red, green, blue], |channel, value| clip(factor * value + others[channel]));
            }
            Self::BlendWithGray(factor) => each_pixel([red, green, blue], |[r, g, b]| {
                let gray = (1.0 - factor) * gray_of(r, g, b);
                [r, g, b].map(|value| clip(factor * value + gray))
            }),
            Self::ScaleSaturation(factor) => {
                each_pixel([red, green, blue], |pixel| scale_saturation(pixel, factor));
            }
            Self::TurnHue(turn) => {
                each_pixel([red, green, blue], |pixel| turn_hue(pixel, 6.0 * turn));
            }
            Self::Gray => each_pixel([red, green, blue], |[r, g, b]| [gray_of(r, g, b); 3]),
            Self::Solarize(threshold) => {
                let invert = |value| if value >= threshold { 1.0 - value } else { value };
                each([red, green, blue], |_, value| invert(value));
            }
            Self::Normalize { means, factors } => each([red, green, blue], |channel, value| {
                (value - means[channel]) * factors[channel]
            }),
        }
    }
}

// One instruction each: the standard library's versions also handle NaN, which does not occur here.

#[inline(always)]
fn larger(a: f32, b: f32) -> f32 {
    if a > b { a } else { b }
}

#[inline(always)]
fn smaller(a: f32, b: f32) -> f32 {
    if a < b { a } else { b }
}

#[inline(always)]
fn clip(value: f32) -> f32 {
    smaller(larger(value, 0.0), 1.0)
}

#[inline(always)]
fn each(planes: [&mut [f32]; 3], op: impl Fn(usize, f32) -> f32) {
    for (channel, plane) in planes.into_iter().enumerate() {
        for value in plane {
            *value = op(channel, *value);
        }
    }
}

#[inline(always)]
fn each_pixel([red, green, blue]: [&mut [f32]; 3], op: impl Fn([f32; 3]) -> [f32; 3]) {
    for ((r, g), b) in red.iter_mut().zip(green).zip(blue) {
        [*r, *g, *b] = op([*r, *g, *b]);
    }
}

/// With value v and chroma c, saturation is c / v, and `channel = v - c * (...)`: a factor on the
/// saturation is a factor on each channel's distance to v.
#[inline(always)]
fn scale_saturation([r, g, b]: [f32; 3], factor: f32) -> [f32; 3] {
    let value = larger(larger(r, g), b);
    let chroma = value - smaller(smaller(r, g), b);
    // Black and gray pixels have no saturation, and no distances to scale.
    let factor = smaller(factor, value / larger(chroma, f32::MIN_POSITIVE));
    [r, g, b].map(|channel| clip(value - (value - channel) * factor))
}

/// To HSV, `hue + turn`, and back, counted in sixths of a turn.
///
/// Both conversions use selections instead of branches, so that the compiler vectorises the loop. The
/// one back to RGB is `channel = value - chroma * clamp(min(k, 4 - k), 0, 1)` with
/// `k = (n + hue) mod 6` and n = 5, 3, 1 for red, green and blue: the trapezoid that each channel
/// follows around the colour wheel.
#[inline(always)]
fn turn_hue([r, g, b]: [f32; 3], sixths: f32) -> [f32; 3] {
    let wrap = |sixths: f32| if sixths >= 6.0 { sixths - 6.0 } else { sixths };
    let value = larger(larger(r, g), b);
    let chroma = value - smaller(smaller(r, g), b);
    let (from_green, from_red) = (g >= value, r >= value);
    let (difference, start) = if from_green { (b - r, 2.0) } else { (r - g, 4.0) };
    let (difference, start) = if from_red { (g - b, 0.0) } else { (difference, start) };
    // A gray pixel has no hue: the difference is 0, and so is the quotient.
    let hue = start + difference / larger(chroma, f32::MIN_POSITIVE);
    // The hue is in -1..=5 and the turn in -3..=3, so one wrap at each end is enough.
    let hue = wrap(hue + sixths);
    let hue = if hue < 0.0 { hue + 6.0 } else { hue };
    [5.0, 3.0, 1.0].map(|n| {
        let k = wrap(n + hue);
        value - chroma * clip(smaller(k, 4.0 - k))
    })
}

/// Runs the operations one after the other on each strip of a view while it is in cache.
pub(crate) fn run(view: &mut Planes, ops: &[ColorOp]) {
    if ops.is_empty() {
        return;
    }
    let arch = Arch::new();
    for mut strip in view.strips(STRIP) {
        for &op in ops {
            arch.dispatch(Apply { op, strip: strip.each_mut().map(|plane| &mut **plane) });
        }
    }
}

/// Does the same and returns the mean of each channel afterwards.
pub(crate) fn run_and_average(view: &mut Planes, ops: &[ColorOp]) -> [f32; 3] {
    let arch = Arch::new();
    let area = view.size() * view.size();
    let mut sums = [0.0_f64; 3];
    for mut strip in view.strips(STRIP) {
        for &op in ops {
            arch.dispatch(Apply { op, strip: strip.each_mut().map(|plane| &mut **plane) });
        }
        for (sum, plane) in sums.iter_mut().zip(&strip) {
            *sum += f64::from(arch.dispatch(Sum(plane)));
        }
    }
    sums.map(|sum| (sum / area as f64) as f32)
}

/// A plain loop, which the compiler turns into the widest vectors there are; for that, everything it
/// calls must be inlined.
struct Apply<'a> {
    op: ColorOp,
    strip: [&'a mut [f32]; 3],
}

impl WithSimd for Apply<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        self.op.apply(self.strip);
    }
}

/// A single running sum cannot be vectorised and would lose digits on a large view. So a strip has
/// sixteen sums, and the sums of the strips are added in double precision.
struct Sum<'a>(&'a [f32]);

impl WithSimd for Sum<'_> {
    type Output = f32;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> f32 {
        let mut sums = [0.0_f32; 16];
        let (chunks, rest) = self.0.as_chunks::<16>();
        for chunk in chunks {
            for (sum, value) in sums.iter_mut().zip(chunk) {
                *sum += value;
            }
        }
        sums.iter().sum::<f32>() + rest.iter().sum::<f32>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_of_a_large_plane_keeps_its_digits() {
        let size = 1021;
        let mut values = vec![0.1_f32; 3 * size * size];
        let mut view = Planes::new(size, &mut values);
        for mean in run_and_average(&mut view, &[]) {
            assert!((mean - 0.1).abs() < 1e-7, "{mean}");
        }
    }
}
