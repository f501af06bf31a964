use std::io::Cursor;

use image::{
    ExtendedColorType, ImageEncoder, ImageFormat, ImageReader, Rgb, codecs::jpeg::JpegEncoder,
    metadata::Orientation,
};
use proptest::prelude::*;

use super::*;
use crate::Resolution;

/// A soft picture with edges and some noise, from a few numbers.
fn picture(width: u32, height: u32, salt: u32) -> RgbImage {
    let noise = |x: u32, y: u32| (x * 73 + y * 151 + salt * 31).wrapping_mul(2_654_435_761) >> 28;
    RgbImage::from_fn(width, height, |x, y| {
        let edge = if (x + 2 * y + salt).is_multiple_of(40) { 60 } else { 0 };
        let wave = |k: u32| ((x * k + y * (7 - k) + salt) as f32 / 17.0).sin() * 70.0 + 120.0;
        Rgb([1, 3, 5].map(|k| (wave(k) as u32 + edge + noise(x, y)) as u8))
    })
}

/// As `image` writes it: no subsampling, no restart markers.
fn written(image: &RgbImage, quality: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, quality).encode_image(image).unwrap();
    bytes
}

fn by_usual_decoder(bytes: &[u8]) -> RgbImage {
    ImageReader::with_format(Cursor::new(bytes), ImageFormat::Jpeg).decode().unwrap().into_rgb8()
}

fn whole(bytes: &[u8]) -> RgbImage {
    let jpeg = Jpeg::read(bytes).unwrap();
    let [width, height] = jpeg.upright_sides();
    jpeg.part(ImagePart::whole(width, height)).unwrap().into_pixels()
}

fn largest_difference(a: &RgbImage, b: &RgbImage) -> u8 {
    assert_eq!(a.dimensions(), b.dimensions());
    a.as_raw().iter().zip(b.as_raw()).map(|(a, b)| a.abs_diff(*b)).max().unwrap()
}

#[test]
fn images_are_those_of_the_usual_decoder_but_for_rounding() {
    for (width, height, quality) in
        [(1, 1, 90), (8, 8, 90), (9, 17, 100), (64, 48, 40), (131, 127, 95), (500, 375, 90)]
    {
        let bytes = written(&picture(width, height, quality.into()), quality);
        let largest = largest_difference(&whole(&bytes), &by_usual_decoder(&bytes));
        assert!(largest <= 3, "{width} x {height} at {quality}: {largest}");
    }
}

/// A JPEG of one of the kinds that cameras write and `image` doesn't: `sampling` blocks across and down of the first component, one of
/// the others; a restart marker after each `interval` units; gray for one component. Its coefficients are random, its tables simple.
fn random(sides: [u16; 2], components: u8, sampling: [u8; 2], interval: u16, salt: u32) -> Vec<u8> {
    let segment = |marker: u8, content: &[u8]| {
        [&[0xff, marker], &(content.len() as u16 + 2).to_be_bytes()[..], content].concat()
    };
    let mut out = vec![0xff, 0xd8];
    out.extend(segment(0xdb, &[&[0][..], &[3; 64]].concat()));
    let [width, height] = sides.map(u16::to_be_bytes);
    let mut frame = vec![8, height[0], height[1], width[0], width[1], components];
    for id in 1..=components {
        frame.extend([id, if id == 1 { sampling[0] << 4 | sampling[1] } else { 0x11 }, 0]);
    }
    out.extend(segment(0xc0, &frame));
    // First coefficients: sizes 0 to 11 in four bits.
    let mut table = vec![0x00, 0, 0, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    table.extend(0..12);
    out.extend(segment(0xc4, &table));
    // Others: the end of a block in two bits, few zeros and small values in eight, all else in sixteen.
    let short: Vec<u8> =
        (0..4).flat_map(|zeros| (1..5).map(move |size| zeros << 4 | size)).collect();
    let long = [0xf0, 0x7a, 0x35, 0x26, 0x81];
    let mut table = vec![0x10, 0, 1, 0, 0, 0, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0, 5];
    table.push(0);
    table.extend(&short);
    table.extend(long);
    out.extend(segment(0xc4, &table));
    if interval > 0 {
        out.extend(segment(0xdd, &interval.to_be_bytes()));
    }
    let mut head = vec![components];
    (1..=components).for_each(|id| head.extend([id, 0]));
    head.extend([0, 63, 0]);
    out.extend(segment(0xda, &head));

    let mut state = salt;
    let mut draw = move |below: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) % below
    };
    let [across, down] = if components == 1 { [1, 1] } else { sampling.map(u32::from) };
    let [columns, rows] =
        [(sides[0], across), (sides[1], down)].map(|(side, n)| u32::from(side).div_ceil(8 * n));
    let (mut bits, mut levels) = (Vec::new(), [0_i32; 3]);
    let push = |bits: &mut Vec<u8>, value: u32, count: u32| {
        bits.extend((0..count).rev().map(|bit| (value >> bit & 1) as u8));
    };
    let number = |bits: &mut Vec<u8>, value: i32, size: u32| {
        let coded = if value < 0 { value + (1 << size) - 1 } else { value };
        push(bits, coded as u32, size);
    };
    let flush = |bits: &mut Vec<u8>, out: &mut Vec<u8>| {
        bits.resize(bits.len().next_multiple_of(8), 1);
        for byte in bits.chunks(8).map(|bits| bits.iter().fold(0, |byte, bit| byte << 1 | bit)) {
            out.push(byte);
            if byte == 0xff {
                out.push(0);
            }
        }
        bits.clear();
    };
    for unit in 0..columns * rows {
        if interval > 0 && unit > 0 && unit.is_multiple_of(interval.into()) {
            flush(&mut bits, &mut out);
            out.extend([0xff, 0xd0 + (unit / u32::from(interval) - 1) as u8 % 8]);
            levels = [0; 3];
        }
        for component in 0..components {
            let blocks = if component == 0 { across * down } else { 1 };
            for _ in 0..blocks {
                // A level of -200 to 199 steps of 3, an eighth each.
                let (level, before) = (draw(400) as i32 - 200, levels[usize::from(component)]);
                let difference = level - before;
                levels[usize::from(component)] = level;
                let size = 32 - difference.unsigned_abs().leading_zeros();
                push(&mut bits, size, 4);
                number(&mut bits, difference, size);
                let mut place = 0;
                loop {
                    let which = draw(26) as usize;
                    let symbol = *short.iter().chain(&long).nth(which).unwrap_or(&0);
                    let step = u32::from(symbol >> 4) + 1;
                    if symbol == 0 || place + step > 63 {
                        push(&mut bits, 0, 2);
                        break;
                    }
                    if which < 16 {
                        push(&mut bits, 0x40 + which as u32, 8);
                    } else {
                        push(&mut bits, 0x5000 + which as u32 - 16, 16);
                    }
                    let size = u32::from(symbol & 15);
                    push(&mut bits, draw(1 << size), size);
                    place += step;
                    if place == 63 {
                        break;
                    }
                }
            }
        }
    }
    flush(&mut bits, &mut out);
    out.extend([0xff, 0xd9]);
    out
}

const SAMPLINGS: [[u8; 2]; 4] = [[1, 1], [2, 1], [2, 2], [1, 2]];

#[test]
fn all_samplings_gray_and_restart_markers_are_read() {
    for (components, interval) in [(3, 0), (3, 1), (3, 4), (1, 0), (1, 3)] {
        for sampling in SAMPLINGS {
            for sides in [[1, 1], [40, 24], [77, 45], [300, 33]] {
                let bytes = random(sides, components, sampling, interval, 7);
                let (ours, usual) = (whole(&bytes), by_usual_decoder(&bytes));
                assert_eq!(ours.dimensions(), usual.dimensions());
                let case = format!("{components} {sampling:?} {interval} {sides:?}");
                // Colours upsampled along one axis, and at edges, differ between decoders: noise has the largest differences there.
                let differences = ours.as_raw().iter().zip(usual.as_raw());
                let sum: u32 = differences.map(|(a, b)| u32::from(a.abs_diff(*b))).sum();
                let mean = f64::from(sum) / ours.as_raw().len() as f64;
                let limit = if sampling == [1, 1] || components == 1 { 0.6 } else { 12.0 };
                assert!(mean <= limit, "{case}: {mean}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_part_is_cut_out_of_the_whole_at_any_resolution(
        sides in prop::array::uniform2(1_u16..150),
        asked in prop::array::uniform4(0.0_f64..1.0),
        sampling in 0_usize..4,
        components in 0_usize..2,
        interval in 0_u16..5,
        resolution in 0_usize..4,
        orientation in 1_u8..9,
        salt: u32,
    ) {
        let resolution =
            [Resolution::Full, Resolution::Half, Resolution::Quarter, Resolution::Eighth][resolution];
        let bytes = random(sides, [1, 3][components], SAMPLINGS[sampling], interval, salt);
        let mut jpeg = Jpeg::read(&bytes).unwrap();
        jpeg.header.orientation = Orientation::from_exif(orientation).unwrap();
        let [width, height] = jpeg.upright_sides();
        let range = |side: u32, [a, b]: [f64; 2]| {
            let [a, b] = [a, b].map(|at| (at * f64::from(side)) as u32);
            (a.min(b), a.abs_diff(b) + 1)
        };
        let ((x, width), (y, height)) =
            (range(width, [asked[0], asked[1]]), range(height, [asked[2], asked[3]]));
        let part = jpeg.part(ImagePart { x, y, width, height, resolution }).unwrap();
        let [full_width, full_height] = jpeg.upright_sides();
        let whole = ImagePart { resolution, ..ImagePart::whole(full_width, full_height) };
        let whole = jpeg.part(whole).unwrap();
        let [in_part, in_whole] = [&part, &whole].map(|image| image.place(x, y, width, height));
        let cut = |image: &PartialImage, [x, y, width, height]: [u32; 4]| {
            image::imageops::crop_imm(image.pixels(), x, y, width, height).to_image()
        };
        prop_assert_eq!(cut(&part, in_part), cut(&whole, in_whole));
        let divisor = resolution.divisor();
        let least = |length: u32| length / divisor..=length.div_ceil(divisor) + 1;
        prop_assert!(least(width).contains(&part.pixels().width()), "{:?}", part.pixels().dimensions());
        prop_assert!(least(height).contains(&part.pixels().height()));
    }
}

/// The mean of each square of pixels.
fn shrunk(image: &RgbImage, divisor: u32) -> RgbImage {
    let [width, height] = [image.width(), image.height()].map(|side| side / divisor);
    RgbImage::from_fn(width, height, |x, y| {
        Rgb([0, 1, 2].map(|channel| {
            let square = (0..divisor * divisor).map(|k| {
                let pixel = image.get_pixel(x * divisor + k % divisor, y * divisor + k / divisor);
                u32::from(pixel.0[channel])
            });
            (square.sum::<u32>() / (divisor * divisor)) as u8
        }))
    })
}

#[test]
fn lower_resolutions_look_like_the_image() {
    let soft =
        |x: u32, y: u32, k: f32| ((x as f32 / 29.0 * k).sin() + (y as f32 / 23.0).cos()) * 60.0;
    let image = RgbImage::from_fn(160, 120, |x, y| {
        Rgb([1.0, 0.7, 1.3].map(|k| (128.0 + soft(x, y, k)) as u8))
    });
    let bytes = written(&image, 95);
    let jpeg = Jpeg::read(&bytes).unwrap();
    for resolution in [Resolution::Half, Resolution::Quarter, Resolution::Eighth] {
        let part = jpeg.part(ImagePart { resolution, ..ImagePart::whole(160, 120) }).unwrap();
        let expected = shrunk(&image, resolution.divisor());
        let largest = largest_difference(part.pixels(), &expected);
        assert!(largest <= 5, "{resolution:?}: {largest}");
    }
}

#[test]
fn a_scan_that_ends_early_or_has_other_codes_is_none_of_ours() {
    let bytes = written(&picture(90, 70, 1), 90);
    let scan = Jpeg::read(&bytes).unwrap().header.scan;
    for length in scan..bytes.len() {
        let cut = [&bytes[..length], &[0xff, 0xd9]].concat();
        let jpeg = Jpeg::read(&cut).unwrap();
        // The last byte of the scan may be padding alone.
        let is_whole = length + 3 >= bytes.len();
        assert!(
            is_whole || jpeg.part(ImagePart::whole(90, 70)).is_none(),
            "{length} of {}",
            bytes.len()
        );
        assert!(Jpeg::read(&bytes[..length]).unwrap().part(ImagePart::whole(90, 70)).is_none());
    }
    for length in 0..scan {
        assert!(Jpeg::read(&bytes[..length]).is_none());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn damaged_files_do_no_harm(
        changes in prop::collection::vec((0_usize..4000, any::<u8>()), 1..8),
        resolution in 0_usize..4,
        of_camera: bool,
    ) {
        let resolution =
            [Resolution::Full, Resolution::Half, Resolution::Quarter, Resolution::Eighth][resolution];
        let mut bytes = if of_camera {
            random([70, 50], 3, [2, 2], 3, 5)
        } else {
            written(&picture(70, 50, 2), 85)
        };
        for (place, value) in changes {
            let len = bytes.len();
            bytes[place % len] = value;
        }
        let Some(jpeg) = Jpeg::read(&bytes) else { return Ok(()) };
        let [width, height] = jpeg.upright_sides();
        prop_assume!(width * height < 1 << 22);
        if let Some(part) = jpeg.part(ImagePart { resolution, ..ImagePart::whole(width, height) }) {
            let divisor = resolution.divisor();
            prop_assert_eq!(part.pixels().dimensions(), (width.div_ceil(divisor), height.div_ceil(divisor)));
        }
    }
}

#[test]
fn parts_that_are_empty_or_lie_outside_give_the_whole() {
    let bytes = written(&picture(30, 20, 3), 90);
    let jpeg = Jpeg::read(&bytes).unwrap();
    for [x, y, width, height] in [[0, 0, 0, 5], [3, 3, 28, 5], [u32::MAX, 0, u32::MAX, 1]] {
        let part = jpeg.part(ImagePart { x, y, width, height, resolution: Resolution::Full });
        assert_eq!(part, Some(PartialImage::whole(whole(&bytes))));
    }
}

#[test]
fn other_kinds_are_left_alone() {
    let mut gray = Vec::new();
    JpegEncoder::new(&mut gray).write_image(&[90; 64], 8, 8, ExtendedColorType::L8).unwrap();
    assert!(Jpeg::read(&gray).is_some());
    let bytes = random([20, 20], 3, [2, 2], 0, 1);
    let frame = bytes.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
    // Progressive; lossless; of 12 bits; without height; of four components.
    for (place, value) in [(1, 0xc2), (1, 0xc3), (4, 12), (6, 0), (9, 4)] {
        let mut other = bytes.clone();
        other[frame + place] = value;
        assert!(Jpeg::read(&other).is_none(), "{place}");
    }
}
