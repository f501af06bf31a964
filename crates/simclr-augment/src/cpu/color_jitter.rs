use super::color_op::{ColorOp, run_and_average};
use super::planes::Planes;
use crate::draw::JitterParams;
use crate::weights::{GRAY, JitterOp};

/// Runs the operations that were drawn to come before contrast. Contrast and those after it stay in
/// `left_over`, so that they run in one pass with the steps that follow.
///
/// Contrast needs the mean of the whole view after the operations before it, which takes a pass of its
/// own.
pub(crate) fn start_color_jitter(
    view: &mut Planes,
    jitter: &JitterParams,
    left_over: &mut Vec<ColorOp>,
) {
    for op in JitterOp::in_order(jitter) {
        let op = match op {
            JitterOp::Scale(factor) => ColorOp::Scale(factor),
            JitterOp::Add(delta) => ColorOp::Add(delta),
            JitterOp::BlendWithGray(factor) => ColorOp::BlendWithGray(factor),
            JitterOp::ScaleSaturation(factor) => ColorOp::ScaleSaturation(factor),
            JitterOp::TurnHue(turn) => ColorOp::TurnHue(turn),
            JitterOp::BlendWithMeans(factor) => {
                ColorOp::Blend { factor, others: run_and_average(view, left_over) }
            }
            JitterOp::BlendWithGrayMean(factor) => {
                // The gray image's mean is the weighted sum of the channels' means.
                let means = run_and_average(view, left_over);
                let gray = means.iter().zip(GRAY).map(|(mean, weight)| weight * mean).sum();
                ColorOp::Blend { factor, others: [gray; 3] }
            }
        };
        if matches!(op, ColorOp::Blend { .. }) {
            left_over.clear();
        }
        left_over.push(op);
    }
}

#[cfg(test)]
mod tests {
    use image::RgbImage;
    use proptest::prelude::*;

    use super::*;
    use crate::config::ResizeFilter;
    use crate::cpu::color_op::run;
    use crate::cpu::resampler::{Resampler, Resampling};
    use crate::draw::{CropBox, JitterFlavor, JitterStep, ViewParams};

    const ORDER: [JitterStep; 4] =
        [JitterStep::Brightness, JitterStep::Contrast, JitterStep::Saturation, JitterStep::Hue];

    const FLAVORS: [JitterFlavor; 3] =
        [JitterFlavor::Torchvision, JitterFlavor::GoogleV1, JitterFlavor::GoogleV2];

    fn neutral(flavor: JitterFlavor) -> JitterParams {
        let brightness = if flavor == JitterFlavor::GoogleV1 { 0.0 } else { 1.0 };
        let (order, contrast, saturation) = (ORDER, 1.0, 1.0);
        JitterParams { flavor, order, brightness, contrast, saturation, hue: 0.0 }
    }

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

    /// The textbook's saturation: in HSV, where value and hue stay.
    fn saturated(pixel: [f64; 3], factor: f64) -> [f64; 3] {
        let max = pixel.into_iter().fold(0.0, f64::max);
        let min = pixel.into_iter().fold(1.0, f64::min);
        if max <= min {
            return pixel;
        }
        let saturation = (max - min) / max;
        let new = (saturation * factor).min(1.0);
        pixel.map(|value| max - (max - value) * new / saturation)
    }

    /// One pixel at a time, one operation at a time, in double precision.
    fn oracle(mut pixels: Vec<[f64; 3]>, jitter: &JitterParams) -> Vec<[f64; 3]> {
        let torch = jitter.flavor == JitterFlavor::Torchvision;
        let [brightness, contrast, saturation, hue] =
            [jitter.brightness, jitter.contrast, jitter.saturation, jitter.hue].map(f64::from);
        for step in jitter.order {
            let count = pixels.len() as f64;
            let gray_mean = pixels.iter().map(|&pixel| gray(pixel)).sum::<f64>() / count;
            let means = [0, 1, 2].map(|c| pixels.iter().map(|pixel| pixel[c]).sum::<f64>() / count);
            for pixel in &mut pixels {
                *pixel = match step {
                    JitterStep::Brightness if jitter.flavor == JitterFlavor::GoogleV1 => {
                        pixel.map(|value| (value + brightness).clamp(0.0, 1.0))
                    }
                    JitterStep::Brightness => mix(*pixel, 0.0, brightness),
                    JitterStep::Contrast if torch => mix(*pixel, gray_mean, contrast),
                    JitterStep::Contrast => [0, 1, 2]
                        .map(|c| (means[c] + contrast * (pixel[c] - means[c])).clamp(0.0, 1.0)),
                    JitterStep::Saturation if torch => mix(*pixel, gray(*pixel), saturation),
                    JitterStep::Saturation => saturated(*pixel, saturation),
                    JitterStep::Hue => turned(*pixel, hue),
                };
            }
        }
        pixels
    }

    fn jittered(size: usize, pixels: &[[u8; 3]], jitter: &JitterParams) -> Vec<f32> {
        let mut values = vec![0.0; 3 * size * size];
        let mut view = Planes::new(size, &mut values);
        let image = RgbImage::from_raw(size as u32, size as u32, pixels.as_flattened().to_vec());
        let whole = CropBox::whole(size as u32, size as u32);
        let task = Resampling {
            image: &image.unwrap(),
            params: &ViewParams::only_crop(whole),
            place: whole,
            filter: ResizeFilter::Bilinear,
        };
        Resampler::default().resample(&task, &mut view);
        let mut ops = Vec::new();
        start_color_jitter(&mut view, jitter, &mut ops);
        run(&mut view, &ops);
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
            flavor in prop::sample::select(FLAVORS.to_vec()),
            order in Just(ORDER).prop_shuffle(),
            factors in prop::array::uniform3(0.0_f32..2.0),
            hue in -0.5_f32..=0.5,
        ) -> JitterParams {
            let [mut brightness, contrast, saturation] = factors;
            if flavor == JitterFlavor::GoogleV1 {
                brightness -= 1.0;
            }
            JitterParams { flavor, order, brightness, contrast, saturation, hue }
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
        let pixels: Vec<[u8; 3]> = (0..64).map(|i| [4 * i, 255 - 3 * i, i]).collect();
        let unit: Vec<_> =
            pixels.iter().map(|pixel| pixel.map(|value| f64::from(value) / 255.0)).collect();
        for flavor in FLAVORS {
            let values = jittered(8, &pixels, &neutral(flavor));
            assert!(largest_difference(&values, &unit) < 1e-6, "{flavor:?}");
        }
    }

    #[test]
    fn half_a_turn_of_the_hue_makes_red_cyan() {
        let jitter = JitterParams { hue: 0.5, ..neutral(JitterFlavor::Torchvision) };
        let values = jittered(1, &[[255, 0, 0]], &jitter);
        assert!(largest_difference(&values, &[[0.0, 1.0, 1.0]]) < 1e-6);
    }

    #[test]
    fn without_saturation_google_keeps_the_largest_channel_and_torchvision_the_gray_value() {
        let pixel = [[200, 100, 50]];
        let level = |flavor| {
            let jitter = JitterParams { saturation: 0.0, ..neutral(flavor) };
            jittered(1, &pixel, &jitter)[0] * 255.0
        };
        assert!((level(JitterFlavor::GoogleV2) - 200.0).abs() < 1e-3);
        let gray = 0.299 * 200.0 + 0.587 * 100.0 + 0.114 * 50.0;
        assert!((level(JitterFlavor::Torchvision) - gray).abs() < 1e-3);
    }
}
