//! Positions of a vision transformer for another number of patches.

/// The most patches along a side: more than an image of 2048 pixels has in patches of 16.
const MOST_SIDE: usize = 128;
/// The parameter of the cubic kernel, as PyTorch has it with antialiasing.
const CUBIC: f64 = -0.5;
/// How far the cubic kernel reaches, in pixels of the coarser grid.
const REACH: f64 = 2.0;

/// The side of the square of patches that, with some `others`, gives this number of tokens; `None` if it is no square, or
/// too large.
pub(super) fn grid_side(tokens: usize, others: usize) -> Option<usize> {
    let patches = tokens.checked_sub(others)?;
    let side = patches.isqrt();
    (side * side == patches && (1..=MOST_SIDE).contains(&side)).then_some(side)
}

/// How positions are resampled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Resampling {
    /// The sides of the squares of patches.
    pub(super) from: usize,
    pub(super) to: usize,
    /// The positions before those of the patches, such as a class token's.
    pub(super) others: usize,
}

/// Resamples positions `[others + from * from, features]` to `[others + to * to, features]`, row by row: the others stay,
/// those of the patches are interpolated as a picture with `features` channels.
///
/// Bicubic with antialiasing, as timm's `resample_abs_pos_embed` and `DeiT` do it with PyTorch's `interpolate`.
pub(super) fn resample(values: &[f32], Resampling { from, to, others }: Resampling) -> Vec<f32> {
    let features = values.len() / (others + from * from);
    let (others, patches) = values.split_at(others * features);
    let weights = weights(from, to);
    // Along the rows, then along the columns.
    let mut rows = vec![0.0; from * to * features];
    for y in 0..from {
        for (x, taps) in weights.iter().enumerate() {
            for &(tap, weight) in taps {
                for channel in 0..features {
                    let value = f64::from(patches[(y * from + tap) * features + channel]);
                    rows[(y * to + x) * features + channel] += weight * value;
                }
            }
        }
    }
    let mut resampled = others.to_vec();
    for taps in &weights {
        for x in 0..to {
            for channel in 0..features {
                let value = |&(tap, weight): &(usize, f64)| {
                    weight * rows[(tap * to + x) * features + channel]
                };
                resampled.push(taps.iter().map(value).sum::<f64>() as f32);
            }
        }
    }
    resampled
}

/// For each new pixel the old ones, with their weights, whose sum is 1.
fn weights(from: usize, to: usize) -> Vec<Vec<(usize, f64)>> {
    let scale = from as f64 / to as f64;
    let stretch = scale.max(1.0);
    let of_pixel = |pixel: usize| {
        let centre = (pixel as f64 + 0.5) * scale;
        let first = (centre - REACH * stretch + 0.5).max(0.0) as usize;
        let end = ((centre + REACH * stretch + 0.5) as usize).min(from);
        let weight = |tap: usize| cubic((tap as f64 + 0.5 - centre) / stretch);
        let sum: f64 = (first..end).map(weight).sum();
        (first..end).map(|tap| (tap, weight(tap) / sum)).collect()
    };
    (0..to).map(of_pixel).collect()
}

/// The cubic convolution kernel (Keys 1981).
fn cubic(x: f64) -> f64 {
    let x = x.abs();
    if x < 1.0 {
        ((CUBIC + 2.0) * x - (CUBIC + 3.0)) * x * x + 1.0
    } else if x < 2.0 {
        ((CUBIC * x - 5.0 * CUBIC) * x + 8.0 * CUBIC) * x - 4.0 * CUBIC
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Positions of one feature for `side` x `side` patches.
    fn positions(side: usize) -> Vec<f32> {
        (0..=side * side).map(|at| (at * 37 % 19) as f32 / 8.0 - 1.0).collect()
    }

    /// By `interpolate(size=(to, to), mode="bicubic", antialias=True)` of torch 2.15, in float64.
    #[test]
    fn patches_are_resampled_as_pytorch_does_it_and_the_class_token_stays() {
        for (from, to, expected) in [
            (
                3,
                4,
                &[
                    -1.0, 1.276_119, 1.200_015, 1.089_164, 1.013_06, 1.047_807, 0.971_703,
                    0.860_851, 0.784_747, 0.715_253, 0.639_149, 0.528_297, 0.452_193, 0.486_94,
                    0.410_836, 0.299_985, 0.223_881,
                ][..],
            ),
            (
                4,
                3,
                &[
                    -1.0, 1.131_293, 0.967_534, 0.803_776, 0.476_259, 0.312_5, 0.148_741,
                    -0.178_776, -0.342_534, -0.506_293,
                ][..],
            ),
            (7, 2, &[-1.0, 0.229_047, 0.179_576, 0.051_485, 0.286_208][..]),
        ] {
            let found = resample(&positions(from), Resampling { from, to, others: 1 });
            assert_eq!(found.len(), expected.len());
            for (found, expected) in found.iter().zip(expected) {
                assert!((found - expected).abs() < 2e-6, "{from} to {to}: {found}, not {expected}");
            }
            // Without a class token the same, and with more others those stay, too.
            let patches = &positions(from)[1..];
            let alone = resample(patches, Resampling { from, to, others: 0 });
            assert_eq!(alone, found[1..]);
            let five = [&[9.0; 5], patches].concat();
            let five = resample(&five, Resampling { from, to, others: 5 });
            assert_eq!(five, [&[9.0; 5], &found[1..]].concat());
        }
    }

    #[test]
    fn features_are_resampled_each_for_itself() {
        let (one, two) = (positions(3), positions(3).into_iter().rev().collect::<Vec<_>>());
        let both: Vec<f32> = one.iter().zip(&two).flat_map(|(&one, &two)| [one, two]).collect();
        let larger = Resampling { from: 3, to: 4, others: 1 };
        let apart: Vec<f32> = resample(&one, larger)
            .into_iter()
            .zip(resample(&two, larger))
            .flat_map(|(one, two)| [one, two])
            .collect();
        assert_eq!(resample(&both, larger), apart);
    }

    #[test]
    fn only_squares_of_a_sensible_size_are_grids() {
        for (tokens, side) in [(2, Some(1)), (197, Some(14)), (16_385, Some(128))] {
            assert_eq!(grid_side(tokens, 1), side);
            assert_eq!(grid_side(tokens - 1, 0), side);
        }
        for tokens in [0, 1, 3, 196, 198, 16_642, usize::MAX] {
            assert_eq!(grid_side(tokens, 1), None, "{tokens}");
        }
    }
}
