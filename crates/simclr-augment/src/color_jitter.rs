use crate::planes::{GRAY, Planes, gray_of};
use crate::{JitterParams, JitterStep};

/// Runs the four operations in the drawn order, each clipped to `[0, 1]`.
pub(crate) fn apply_color_jitter(view: &mut Planes, jitter: &JitterParams) {
    for step in jitter.order {
        match step {
            JitterStep::Brightness => brighten(view, jitter.brightness),
            JitterStep::Contrast => change_contrast(view, jitter.contrast),
            JitterStep::Saturation => saturate(view, jitter.saturation),
            JitterStep::Hue => turn_hue(view, jitter.hue),
        }
    }
}

fn blend(value: f32, other: f32, factor: f32) -> f32 {
    (factor * value + (1.0 - factor) * other).clamp(0.0, 1.0)
}

fn brighten(view: &mut Planes, factor: f32) {
    for plane in view.channels() {
        for value in plane {
            *value = blend(*value, 0.0, factor);
        }
    }
}

fn change_contrast(view: &mut Planes, factor: f32) {
    // The gray image's mean is the weighted sum of the channels' means, so no gray image is needed.
    let mean =
        view.channels().iter().zip(GRAY).map(|(plane, weight)| weight * mean_of(plane)).sum();
    for plane in view.channels() {
        for value in plane {
            *value = blend(*value, mean, factor);
        }
    }
}

/// A running sum in single precision loses digits on a large view, and a single one cannot be
/// vectorised: so blocks of sixteen running sums, added up in double precision.
fn mean_of(plane: &[f32]) -> f32 {
    const BLOCK: usize = 4096;
    let sum: f64 = plane.chunks(BLOCK).map(|block| f64::from(sum_of_block(block))).sum();
    (sum / plane.len() as f64) as f32
}

fn sum_of_block(block: &[f32]) -> f32 {
    let mut sums = [0.0_f32; 16];
    let chunks = block.chunks_exact(sums.len());
    let rest: f32 = chunks.remainder().iter().sum();
    for chunk in chunks {
        for (sum, value) in sums.iter_mut().zip(chunk) {
            *sum += value;
        }
    }
    sums.iter().sum::<f32>() + rest
}

fn saturate(view: &mut Planes, factor: f32) {
    let [red, green, blue] = view.channels();
    for ((r, g), b) in red.iter_mut().zip(green).zip(blue) {
        let gray = gray_of(*r, *g, *b);
        (*r, *g, *b) = (blend(*r, gray, factor), blend(*g, gray, factor), blend(*b, gray, factor));
    }
}

/// To HSV, `hue + turn`, and back, with the hue counted in sixths of a turn.
///
/// Both ways are written with selections instead of branches, so that the loop is vectorised. The
/// way back uses `channel = value - chroma * clamp(min(k, 4 - k), 0, 1)` with `k = (n + hue) mod 6`
/// and n = 5, 3, 1 for red, green and blue: the trapezoid that each channel follows around the
/// colour wheel.
fn turn_hue(view: &mut Planes, turn: f32) {
    let sixths = 6.0 * turn;
    let [red, green, blue] = view.channels();
    for ((red, green), blue) in red.iter_mut().zip(green).zip(blue) {
        let (r, g, b) = (*red, *green, *blue);
        let value = r.max(g).max(b);
        let chroma = value - r.min(g).min(b);
        // A gray pixel has no hue: the differences below are all 0, and so is their quotient.
        let divisor = chroma.max(f32::MIN_POSITIVE);
        let from_red = (g - b) / divisor;
        let from_green = 2.0 + (b - r) / divisor;
        let from_blue = 4.0 + (r - g) / divisor;
        let others = if g >= value { from_green } else { from_blue };
        let hue = if r >= value { from_red } else { others };
        // The hue is in -1..=5 and the turn in -3..=3, so one wrap at each end is enough.
        let hue = wrap(hue + sixths);
        let hue = if hue < 0.0 { hue + 6.0 } else { hue };
        let channel = |n: f32| {
            let k = wrap(n + hue);
            value - chroma * k.min(4.0 - k).clamp(0.0, 1.0)
        };
        (*red, *green, *blue) = (channel(5.0), channel(3.0), channel(1.0));
    }
}

fn wrap(sixths: f32) -> f32 {
    if sixths >= 6.0 { sixths - 6.0 } else { sixths }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ORDER: [JitterStep; 4] =
        [JitterStep::Brightness, JitterStep::Contrast, JitterStep::Saturation, JitterStep::Hue];

    fn gray(pixel: [f64; 3]) -> f64 {
        0.299 * pixel[0] + 0.587 * pixel[1] + 0.114 * pixel[2]
    }

    fn mix(pixel: [f64; 3], other: f64, factor: f64) -> [f64; 3] {
        pixel.map(|value| (factor * value + (1.0 - factor) * other).clamp(0.0, 1.0))
    }

    /// The textbook conversion by cases, in degrees.
    fn turned(pixel: [f64; 3], turn: f64) -> [f64; 3] {
        let [r, g, b] = pixel;
        let max = r.max(g).max(b);
        let min = r.min(g).min(b);
        let degrees = if max <= min {
            0.0
        } else if max <= r {
            60.0 * (g - b) / (max - min)
        } else if max <= g {
            120.0 + 60.0 * (b - r) / (max - min)
        } else {
            240.0 + 60.0 * (r - g) / (max - min)
        };
        let saturation = if max > 0.0 { (max - min) / max } else { 0.0 };
        let degrees = (degrees + 360.0 * turn).rem_euclid(360.0);
        let fraction = (degrees / 60.0).fract();
        let low = max * (1.0 - saturation);
        let falling = max * (1.0 - saturation * fraction);
        let rising = max * (1.0 - saturation * (1.0 - fraction));
        match (degrees / 60.0) as u32 {
            0 => [max, rising, low],
            1 => [falling, max, low],
            2 => [low, max, rising],
            3 => [low, falling, max],
            4 => [rising, low, max],
            _ => [max, low, falling],
        }
    }

    /// One pixel at a time, one operation at a time, in double precision.
    fn oracle(mut pixels: Vec<[f64; 3]>, jitter: &JitterParams) -> Vec<[f64; 3]> {
        for step in jitter.order {
            let mean = pixels.iter().map(|&pixel| gray(pixel)).sum::<f64>() / pixels.len() as f64;
            for pixel in &mut pixels {
                *pixel = match step {
                    JitterStep::Brightness => mix(*pixel, 0.0, f64::from(jitter.brightness)),
                    JitterStep::Contrast => mix(*pixel, mean, f64::from(jitter.contrast)),
                    JitterStep::Saturation => {
                        mix(*pixel, gray(*pixel), f64::from(jitter.saturation))
                    }
                    JitterStep::Hue => turned(*pixel, f64::from(jitter.hue)),
                };
            }
        }
        pixels
    }

    fn jittered(size: usize, pixels: &[[u8; 3]], jitter: &JitterParams) -> Vec<f32> {
        let mut values = vec![0.0; 3 * size * size];
        let mut view = Planes::new(size, &mut values);
        view.fill(pixels.as_flattened(), false);
        apply_color_jitter(&mut view, jitter);
        values
    }

    fn largest_difference(values: &[f32], pixels: &[[f64; 3]]) -> f64 {
        let area = pixels.len();
        let difference =
            |index: usize| f64::from(values[index]) - pixels[index % area][index / area];
        (0..values.len()).map(|index| difference(index).abs()).fold(0.0, f64::max)
    }

    prop_compose! {
        fn any_jitter()(
            order in Just(ORDER).prop_shuffle(),
            factors in prop::array::uniform3(0.0_f32..2.0),
            hue in -0.5_f32..=0.5,
        ) -> JitterParams {
            let [brightness, contrast, saturation] = factors;
            JitterParams { order, brightness, contrast, saturation, hue }
        }
    }

    proptest! {
        #[test]
        fn jitter_agrees_with_the_oracle(
            jitter in any_jitter(),
            pixels in prop::collection::vec(any::<[u8; 3]>(), 49),
        ) {
            let unit = pixels.iter().map(|pixel| pixel.map(|value| f64::from(value) / 255.0)).collect();
            let difference = largest_difference(&jittered(7, &pixels, &jitter), &oracle(unit, &jitter));
            prop_assert!(difference < 1e-5, "{difference}");
        }

        #[test]
        fn jitter_stays_in_the_unit_range(
            jitter in any_jitter(),
            pixels in prop::collection::vec(any::<[u8; 3]>(), 9),
        ) {
            let values = jittered(3, &pixels, &jitter);
            prop_assert!(values.iter().all(|value| (0.0..=1.0).contains(value)), "{values:?}");
        }
    }

    #[test]
    fn neutral_factors_leave_the_image_alone() {
        let jitter = JitterParams {
            order: ORDER,
            brightness: 1.0,
            contrast: 1.0,
            saturation: 1.0,
            hue: 0.0,
        };
        let pixels: Vec<[u8; 3]> = (0..64).map(|i| [4 * i, 255 - 3 * i, i]).collect();
        let unit: Vec<_> =
            pixels.iter().map(|pixel| pixel.map(|value| f64::from(value) / 255.0)).collect();
        assert!(largest_difference(&jittered(8, &pixels, &jitter), &unit) < 1e-6);
    }

    #[test]
    fn half_a_turn_of_the_hue_makes_red_cyan() {
        let jitter = JitterParams {
            order: ORDER,
            brightness: 1.0,
            contrast: 1.0,
            saturation: 1.0,
            hue: 0.5,
        };
        let values = jittered(1, &[[255, 0, 0]], &jitter);
        assert!(largest_difference(&values, &[[0.0, 1.0, 1.0]]) < 1e-6);
    }

    #[test]
    fn the_mean_of_a_large_plane_keeps_its_digits() {
        let plane = vec![0.1_f32; 1024 * 1024 + 5];
        assert!((mean_of(&plane) - 0.1).abs() < 1e-6);
    }
}
