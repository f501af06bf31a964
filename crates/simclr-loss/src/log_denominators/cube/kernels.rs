//! What lies between the matrix products: a row of cosines becomes a row of the gradient's weights.
//!
//! One workgroup has a row, and walks it view by view, so that no pair needs a mask or a division to find its images.

use burn_cubecl::cubecl;
use cubecl::prelude::*;

/// Threads of a workgroup: a power of two that every device of `CubeCL` has.
pub(super) const UNITS: u32 = 256;

/// Below every cosine.
const NO_COSINE: f32 = -2.0;

/// Answers what is asked of a block of rows, and turns their cosines into weights.
///
/// For anchor i, with s the cosines of its row, K the rows that stay in its denominator, and M the largest of their cosines:
///
/// ```text
/// sum       = sum over k in K of exp(scale (s_k - M))
/// terms[i]  = w_i (ln sum + scale M)
/// ranks[i]  = how many rows of other classes have a cosine above the largest of i's own class, itself aside
/// s_k      := scale w_i / sum exp(scale (s_k - M)) for k in K, else 0           if `with_weights`
/// ```
#[cube(launch)]
#[expect(clippy::too_many_arguments, reason = "a kernel's buffers come one by one")]
pub(super) fn answer_rows(
    cosines: &mut Tensor<f32>, // [rows of the block, m]
    weights: &Tensor<f32>,     // [m]
    ids: &Tensor<i32>,         // [2, images]: of each image its group, and its class
    terms: &mut Tensor<f32>,   // [m]
    ranks: &mut Tensor<f32>,   // [m]
    first: u32,
    images: u32,
    views: u32,
    scale: f32,
    #[comptime] partners_leave: bool,
    #[comptime] by_group: bool,
    #[comptime] by_class: bool,
    #[comptime] with_weights: bool,
) {
    let unit = UNIT_POS_X;
    let anchor = first + CUBE_POS_X;
    let row = CUBE_POS_X * images * views;
    let own_image = anchor % images;
    let own_view = anchor / images;

    let mut largest = f32::new(-1.0); // A row without negatives has a finite maximum too.
    let mut nearest = f32::new(NO_COSINE);
    for view in 0..views {
        let mut image = unit;
        while image < images {
            let cosine = cosines[(row + view * images + image) as usize];
            let itself = image == own_image && view == own_view;
            if stays(ids, image, own_image, itself, partners_leave, by_group) {
                largest = max(largest, cosine);
            }
            if !itself && is_sought(ids, image, own_image, images, by_class) {
                nearest = max(nearest, cosine);
            }
            image += UNITS;
        }
    }
    let largest = largest_of_units(largest);
    let nearest = largest_of_units(nearest);

    let mut sum = f32::new(0.0);
    let mut nearer = f32::new(0.0);
    for view in 0..views {
        let mut image = unit;
        while image < images {
            let cosine = cosines[(row + view * images + image) as usize];
            let itself = image == own_image && view == own_view;
            if stays(ids, image, own_image, itself, partners_leave, by_group) {
                sum += f32::exp((cosine - largest) * scale);
            }
            if cosine > nearest && !is_sought(ids, image, own_image, images, by_class) {
                nearer += 1.0;
            }
            image += UNITS;
        }
    }
    let sum = sum_of_units(sum);
    let nearer = sum_of_units(nearer);

    let weight = weights[anchor as usize];
    // A row without negatives has weight 0 and sum 0.
    let mut term = f32::new(0.0);
    let mut factor = f32::new(0.0);
    if weight != 0.0 {
        term = weight * (f32::ln(sum) + largest * scale);
        factor = scale * weight / sum;
    }
    if unit == 0 {
        terms[anchor as usize] = term;
        ranks[anchor as usize] = nearer;
    }

    if with_weights {
        for view in 0..views {
            let mut image = unit;
            while image < images {
                let place = (row + view * images + image) as usize;
                let itself = image == own_image && view == own_view;
                let mut share = f32::new(0.0);
                if stays(ids, image, own_image, itself, partners_leave, by_group) {
                    share = factor * f32::exp((cosines[place] - largest) * scale);
                }
                cosines[place] = share;
                image += UNITS;
            }
        }
    }
}

/// Whether a view of `image` stays in the denominator of an anchor of `own_image`.
#[cube]
fn stays(
    ids: &Tensor<i32>,
    image: u32,
    own_image: u32,
    itself: bool,
    #[comptime] partners_leave: bool,
    #[comptime] by_group: bool,
) -> bool {
    let mut leaves = itself;
    if partners_leave {
        leaves = image == own_image;
    }
    if by_group {
        let same_group = ids[image as usize] == ids[own_image as usize];
        leaves = leaves || (same_group && image != own_image);
    }
    !leaves
}

/// Whether an anchor of `own_image` is to find views of `image`: its own, and those of its class.
#[cube]
fn is_sought(
    ids: &Tensor<i32>,
    image: u32,
    own_image: u32,
    images: u32,
    #[comptime] by_class: bool,
) -> bool {
    let mut sought = image == own_image;
    if by_class {
        sought = ids[(images + image) as usize] == ids[(images + own_image) as usize];
    }
    sought
}

/// The largest of the values that the threads of the workgroup have.
#[cube]
fn largest_of_units(value: f32) -> f32 {
    let mut values = Shared::<[f32]>::new_slice(UNITS as usize);
    values[UNIT_POS_X as usize] = value;
    sync_cube();
    let mut active = CUBE_DIM_X / 2;
    while active > 0 {
        if UNIT_POS_X < active {
            let other = values[(UNIT_POS_X + active) as usize];
            values[UNIT_POS_X as usize] = max(values[UNIT_POS_X as usize], other);
        }
        active /= 2;
        sync_cube();
    }
    values[0]
}

/// The sum of the values that the threads of the workgroup have, in the same order every time.
#[cube]
fn sum_of_units(value: f32) -> f32 {
    let mut values = Shared::<[f32]>::new_slice(UNITS as usize);
    values[UNIT_POS_X as usize] = value;
    sync_cube();
    let mut active = CUBE_DIM_X / 2;
    while active > 0 {
        if UNIT_POS_X < active {
            let other = values[(UNIT_POS_X + active) as usize];
            values[UNIT_POS_X as usize] += other;
        }
        active /= 2;
        sync_cube();
    }
    values[0]
}

/// Adds what a block of rows gives to the gradient: `by_columns` `[m, d]` to all rows, `by_rows` to the block's own.
#[cube(launch)]
pub(super) fn add_block(
    gradient: &mut Tensor<f32>, // [m, d]
    by_columns: &Tensor<f32>,   // [m, d]
    by_rows: &Tensor<f32>,      // [rows of the block, d]
    start: u32,                 // the place of the block's first element
    #[comptime] is_first: bool,
) {
    let place = ABSOLUTE_POS;
    if place < gradient.len() {
        let mut value = by_columns[place];
        let start = start as usize;
        if place >= start && place < start + by_rows.len() {
            value += by_rows[place - start];
        }
        if !is_first {
            value += gradient[place];
        }
        gradient[place] = value;
    }
}
