use image::RgbImage;
use pulp::{Arch, Simd, WithSimd};

use super::planes::Planes;
use crate::config::ResizeFilter;
use crate::draw::{CropBox, ViewParams};
use crate::weights::{Axis, AxisWeights};

/// Crops, mirrors and resizes to a square of planes in `[0, 1]`, with buffers that serve one view after
/// the other.
///
/// For each row of the view it first resizes along the columns of the crop, a sum of interleaved u8 rows,
/// and then along that row, three channels of a pixel at a time, into the three planes. Nothing is
/// rounded on the way, and the sums have a fixed order: every processor gives the same bits.
#[derive(Default)]
pub(crate) struct Resampler {
    columns: AxisWeights,
    rows: AxisWeights,
    /// One row of the view, as wide as the crop: interleaved RGB, and one value of padding.
    row: Vec<f32>,
    /// The pixels of one row of the view, each with a value of padding.
    pixels: Vec<[f32; 4]>,
}

/// One task of the resampler. The boxes lie inside the image and the view.
pub(crate) struct Resampling<'a> {
    pub(crate) image: &'a RgbImage,
    /// The crop, its padding and its flips.
    pub(crate) params: &'a ViewParams,
    /// The part of the view that the crop fills; the rest stays as it is.
    pub(crate) place: CropBox,
    pub(crate) filter: ResizeFilter,
}

impl Resampler {
    pub(crate) fn resample(&mut self, task: &Resampling, view: &mut Planes) {
        let Resampling { image, params, place, filter } = *task;
        let (crop, size) = (params.crop, view.size());
        let [along_row, along_column] = Axis::of_view(params, [place.width, place.height]);
        self.columns.set(filter, &along_column, 1.0);
        self.rows.set(filter, &along_row, 1.0 / 255.0);

        let row_len = 3 * crop.width as usize;
        self.row.clear();
        self.row.resize(row_len + 1, 0.0);
        self.pixels.resize(place.width as usize, [0.0; 4]);
        let stride = 3 * image.width() as usize;
        let corner = crop.y as usize * stride + 3 * crop.x as usize;
        let arch = Arch::new();
        let [red, green, blue] = view.channels();
        let rows = red.chunks_exact_mut(size).zip(green.chunks_exact_mut(size));
        let rows = rows.zip(blue.chunks_exact_mut(size)).skip(place.y as usize);
        let columns = place.x as usize..(place.x + place.width) as usize;
        for (y, ((red, green), blue)) in rows.take(place.height as usize).enumerate() {
            let (start, weights) = self.columns.window(y);
            let source = &image.as_raw()[corner + start * stride..];
            let source = Source { pixels: source, stride, row_len };
            arch.dispatch(SumRows { source, weights, out: &mut self.row[..row_len] });
            let planes = [red, green, blue].map(|row| &mut row[columns.clone()]);
            let pixels = &mut self.pixels[..];
            arch.dispatch(ResizeRow { row: &self.row, weights: &self.rows, pixels, planes });
        }
    }
}

/// The weighted sum of some rows, up to four at a time.
struct SumRows<'a> {
    source: Source<'a>,
    weights: &'a [f32],
    out: &'a mut [f32],
}

impl WithSimd for SumRows<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { source, weights, out } = self;
        let mut first = 0;
        for weights in weights.chunks(4) {
            match *weights {
                [a] => add_rows::<1>(out, source, first, [a]),
                [a, b] => add_rows::<2>(out, source, first, [a, b]),
                [a, b, c] => add_rows::<3>(out, source, first, [a, b, c]),
                [a, b, c, d] => add_rows::<4>(out, source, first, [a, b, c, d]),
                _ => unreachable!("chunks of at most four"),
            }
            first += weights.len();
        }
    }
}

/// Rows of a crop, `row_len` bytes each, `stride` bytes apart.
#[derive(Clone, Copy)]
struct Source<'a> {
    pixels: &'a [u8],
    stride: usize,
    row_len: usize,
}

impl<'a> Source<'a> {
    #[inline(always)]
    fn row(self, index: usize) -> &'a [u8] {
        &self.pixels[index * self.stride..][..self.row_len]
    }
}

/// Sets `out` to the weighted sum of `N` rows, or adds it if these are not the first ones.
#[inline(always)]
fn add_rows<const N: usize>(out: &mut [f32], source: Source, first: usize, weights: [f32; N]) {
    let rows: [&[u8]; N] = std::array::from_fn(|k| source.row(first + k));
    let len = out.len();
    let rows = rows.map(|row| &row[..len]);
    let sum = |index: usize, start: f32| {
        let mut sum = start;
        for (weight, row) in weights.iter().zip(&rows) {
            sum += weight * f32::from(row[index]);
        }
        sum
    };
    if first == 0 {
        for (index, out) in out.iter_mut().enumerate() {
            *out = sum(index, 0.0);
        }
    } else {
        for (index, out) in out.iter_mut().enumerate() {
            *out = sum(index, *out);
        }
    }
}

/// One row of the view: first its pixels, one vector each, then its three planes.
struct ResizeRow<'a> {
    row: &'a [f32],
    weights: &'a AxisWeights,
    pixels: &'a mut [[f32; 4]],
    planes: [&'a mut [f32]; 3],
}

impl WithSimd for ResizeRow<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { row, weights, pixels, planes } = self;
        match weights.taps() {
            1 => resize_row_by::<1>(row, weights, pixels),
            2 => resize_row_by::<2>(row, weights, pixels),
            3 => resize_row_by::<3>(row, weights, pixels),
            4 => resize_row_by::<4>(row, weights, pixels),
            5 => resize_row_by::<5>(row, weights, pixels),
            6 => resize_row_by::<6>(row, weights, pixels),
            _ => resize_row(row, weights, pixels),
        }
        let [red, green, blue] = planes;
        for (((pixel, red), green), blue) in pixels.iter().zip(red).zip(green).zip(blue) {
            [*red, *green, *blue, _] = *pixel;
        }
    }
}

/// The fourth value of a pixel is computed from the red of the next one, and nobody reads it.
#[inline(always)]
fn resize_row(row: &[f32], weights: &AxisWeights, pixels: &mut [[f32; 4]]) {
    let windows = weights.starts().iter().zip(weights.weights().chunks_exact(weights.taps()));
    for ((&start, window), pixel) in windows.zip(pixels) {
        let mut sums = [0.0; 4];
        let sources = row[3 * start as usize..].windows(4).step_by(3);
        for (weight, source) in window.iter().zip(sources) {
            for (sum, value) in sums.iter_mut().zip(source) {
                *sum += weight * value;
            }
        }
        *pixel = sums;
    }
}

/// The same with the length of a window known to the compiler.
#[inline(always)]
fn resize_row_by<const TAPS: usize>(row: &[f32], weights: &AxisWeights, pixels: &mut [[f32; 4]]) {
    let (windows, _) = weights.weights().as_chunks::<TAPS>();
    for ((&start, window), pixel) in weights.starts().iter().zip(windows).zip(pixels) {
        let sources = &row[3 * start as usize..][..=3 * TAPS];
        let mut sums = [0.0_f32; 4];
        for (k, weight) in window.iter().enumerate() {
            for (channel, sum) in sums.iter_mut().enumerate() {
                *sum += weight * sources[3 * k + channel];
            }
        }
        *pixel = sums;
    }
}

#[cfg(test)]
mod tests {
    use image::Rgb;
    use proptest::prelude::*;

    use super::*;

    /// One output pixel from every pixel of the crop, by the filter's definition, in double precision.
    fn oracle(task: &Resampling, size: u32, x: u32, y: u32) -> [f64; 3] {
        let Resampling { image, params, filter, .. } = *task;
        let &ViewParams { crop, flip, vertical_flip, .. } = params;
        let place = |index: u32, mirrored: bool| if mirrored { size - 1 - index } else { index };
        let weight = |pixel: u32, index: u32, length: u32| {
            let scale = f64::from(length) / f64::from(size);
            let distance = f64::from(pixel) + 0.5 - (f64::from(index) + 0.5) * scale;
            filter.weight(distance / scale.max(1.0))
        };
        let (mut sums, mut weights) = ([0.0; 3], 0.0);
        for row in 0..crop.height {
            for column in 0..crop.width {
                let weight = weight(row, place(y, vertical_flip), crop.height)
                    * weight(column, place(x, flip), crop.width);
                let pixel = image.get_pixel(crop.x + column, crop.y + row);
                for (sum, &value) in sums.iter_mut().zip(&pixel.0) {
                    *sum += weight * f64::from(value) / 255.0;
                }
                weights += weight;
            }
        }
        sums.map(|sum| sum / weights)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn resampling_agrees_with_the_oracle(
            sides in prop::array::uniform2(1_u32..40),
            margins in prop::array::uniform4(0_u32..3),
            size in 1_u32..24,
            flips in any::<[bool; 2]>(),
            bicubic in any::<bool>(),
            salt in any::<u32>(),
        ) {
            let [x, y, right, below] = margins;
            let [width, height] = sides;
            let image = RgbImage::from_fn(x + width + right, y + height + below, |x, y| {
                let hash = (x + 131 * y + salt % 1000).wrapping_mul(2_654_435_761);
                Rgb([(hash >> 24) as u8, (hash >> 16) as u8, (hash >> 8) as u8])
            });
            let crop = CropBox { x, y, width, height };
            let filter = FILTERS[usize::from(bicubic)];
            let [flip, vertical_flip] = flips;
            let place = CropBox::whole(size, size);
            let params = &ViewParams { flip, vertical_flip, ..ViewParams::only_crop(crop) };
            let task = Resampling { image: &image, params, place, filter };
            let mut values = vec![f32::NAN; 3 * (size * size) as usize];
            let mut view = Planes::new(size as usize, &mut values);
            Resampler::default().resample(&task, &mut view);
            for index in 0..size * size {
                let expected = oracle(&task, size, index % size, index / size);
                for (channel, expected) in expected.into_iter().enumerate() {
                    let found = values[channel * (size * size) as usize + index as usize];
                    prop_assert!((f64::from(found) - expected).abs() < 1e-5, "{expected} {found}");
                }
            }
        }
    }

    fn resample(image: &RgbImage, crop: CropBox, size: usize, filter: ResizeFilter) -> RgbImage {
        let mut values = vec![f32::NAN; 3 * size * size];
        let mut view = Planes::new(size, &mut values);
        let place = CropBox::whole(size as u32, size as u32);
        let task = Resampling { image, params: &ViewParams::only_crop(crop), place, filter };
        Resampler::default().resample(&task, &mut view);
        view.into_image()
    }

    const FILTERS: [ResizeFilter; 2] = [ResizeFilter::Bilinear, ResizeFilter::Bicubic];

    #[test]
    fn pixels_outside_the_crop_do_not_bleed_in() {
        let mut image = RgbImage::from_pixel(40, 40, Rgb([255, 255, 255]));
        let crop = CropBox { x: 11, y: 7, width: 20, height: 26 };
        for y in crop.y..crop.y + crop.height {
            for x in crop.x..crop.x + crop.width {
                image.put_pixel(x, y, Rgb([10, 20, 30]));
            }
        }
        for filter in FILTERS {
            for size in [1, 2, 5, 48] {
                let view = resample(&image, crop, size, filter);
                assert!(view.pixels().all(|pixel| pixel.0 == [10, 20, 30]), "{view:?}");
            }
        }
    }

    #[test]
    fn a_crop_of_the_view_size_is_copied() {
        let image = RgbImage::from_fn(9, 9, |x, y| Rgb([x as u8, y as u8, (x * y) as u8]));
        for filter in FILTERS {
            assert_eq!(resample(&image, CropBox::whole(9, 9), 9, filter), image);
        }
    }

    #[test]
    fn a_crop_fills_its_place_in_the_view_and_nothing_else() {
        let image = RgbImage::from_pixel(6, 9, Rgb([255, 0, 51]));
        let (crop, place) = (CropBox::whole(6, 9), CropBox { x: 2, y: 1, width: 3, height: 4 });
        let filter = ResizeFilter::Bilinear;
        let crop = ViewParams::only_crop(crop);
        let params = &ViewParams { flip: true, vertical_flip: true, ..crop };
        let task = Resampling { image: &image, params, place, filter };
        let mut values = vec![0.5; 3 * 36];
        Resampler::default().resample(&task, &mut Planes::new(6, &mut values));
        for (index, &value) in values.iter().enumerate() {
            let (channel, y, x) = (index / 36, index / 6 % 6, index % 6);
            let inside = (2..5).contains(&x) && (1..5).contains(&y);
            let expected = if inside { [1.0, 0.0, 0.2][channel] } else { 0.5 };
            assert!((value - expected).abs() < 1e-6, "{channel} {y} {x}: {value}");
        }
    }

    #[test]
    fn very_long_images_can_be_resampled() {
        let image = RgbImage::from_pixel(20_000, 3, Rgb([1, 2, 3]));
        for filter in FILTERS {
            let view = resample(&image, CropBox::whole(20_000, 3), 8, filter);
            assert!(view.pixels().all(|pixel| pixel.0 == [1, 2, 3]));
        }
    }
}
