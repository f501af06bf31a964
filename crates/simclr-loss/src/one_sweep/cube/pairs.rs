//! What lies between the matrix products: a row of cosines becomes a row of the gradient's weights.
//!
//! One workgroup has a row, and walks it view by view, so that no pair needs a mask or a division to find its images.

use burn_cubecl::cubecl;
use cubecl::prelude::*;

use super::workgroup::{UNITS, largest_of_units, sum_of_units};

/// Below every cosine.
const NO_COSINE: f32 = -2.0;

/// All pairs of rows, row `view * images + image` for each view of each image, and which of them count.
#[derive(CubeType, CubeLaunch)]
pub(super) struct Pairs {
    images: u32,
    views: u32,
    /// One over the temperature.
    scale: f32,
    /// Whether an anchor's denominator is without the other views of its image.
    #[cube(comptime)]
    partners_leave: bool,
    /// Whether it is without other images of its group.
    #[cube(comptime)]
    by_group: bool,
    /// Whether an anchor is to find all views of its class, and not only those of its image.
    #[cube(comptime)]
    by_class: bool,
}

#[cube]
impl Pairs {
    /// Whether a view of `image` stays in the denominator of an anchor of `own_image`.
    fn stay(&self, ids: &Tensor<i32>, image: u32, own_image: u32, itself: bool) -> bool {
        let mut leaves = itself;
        if comptime![self.partners_leave] {
            leaves = image == own_image;
        }
        if comptime![self.by_group] {
            let same_group = ids[image as usize] == ids[own_image as usize];
            leaves = leaves || (same_group && image != own_image);
        }
        !leaves
    }

    /// Whether an anchor of `own_image` is to find views of `image`.
    fn are_sought(&self, ids: &Tensor<i32>, image: u32, own_image: u32) -> bool {
        let mut sought = image == own_image;
        if comptime![self.by_class] {
            let classes = self.images;
            sought = ids[(classes + image) as usize] == ids[(classes + own_image) as usize];
        }
        sought
    }
}

/// Answers what is asked of a block of rows, and turns their cosines into weights.
///
/// For anchor i, with s the cosines of its row, K the rows that stay in its denominator, M the largest of their cosines, and
/// A the anchor's positives, which are the other rows of its class (by default its image):
///
/// ```text
/// sum       = sum over k in K of exp(scale (s_k - M))
/// terms[i]  = w_i (ln sum + scale (M - mean of s_k over k in A))
/// ranks[i]  = how many rows of other classes have a cosine above all of A
/// s_k      := scale w_i (exp(scale (s_k - M)) / sum, for k in K  -  1 / |A|, for k in A)           if `with_weights`
/// ```
///
/// A row without positives has weight 0.
#[cube(launch)]
pub(super) fn answer_rows(
    cosines: &mut Tensor<f32>, // [rows of the block, m]
    weights: &Tensor<f32>,     // [m]
    ids: &Tensor<i32>,         // [2, images]: of each image its group, and its class
    terms: &mut Tensor<f32>,   // [m]: the loss is their sum
    ranks: &mut Tensor<f32>,   // [m]
    pairs: &Pairs,
    first: u32,
    #[comptime] with_weights: bool,
) {
    let images = pairs.images;
    let views = pairs.views;
    let scale = pairs.scale;
    let unit = UNIT_POS_X;
    let anchor = first + CUBE_POS_X;
    let row = CUBE_POS_X * images * views;
    let own_image = anchor % images;
    let own_view = anchor / images;

    let mut largest = f32::new(-1.0); // A row without negatives has a finite maximum too.
    let mut nearest = f32::new(NO_COSINE);
    let mut of_positives = f32::new(0.0);
    let mut positives = f32::new(0.0);
    for view in 0..views {
        let mut image = unit;
        while image < images {
            let cosine = cosines[(row + view * images + image) as usize];
            let itself = image == own_image && view == own_view;
            if pairs.stay(ids, image, own_image, itself) {
                largest = max(largest, cosine);
            }
            if !itself && pairs.are_sought(ids, image, own_image) {
                nearest = max(nearest, cosine);
                of_positives += cosine;
                positives += 1.0;
            }
            image += UNITS;
        }
    }
    let largest = largest_of_units(largest);
    let nearest = largest_of_units(nearest);
    let of_positives = sum_of_units(of_positives);
    let positives = sum_of_units(positives);

    let mut sum = f32::new(0.0);
    let mut nearer = f32::new(0.0);
    for view in 0..views {
        let mut image = unit;
        while image < images {
            let cosine = cosines[(row + view * images + image) as usize];
            let itself = image == own_image && view == own_view;
            if pairs.stay(ids, image, own_image, itself) {
                sum += f32::exp((cosine - largest) * scale);
            }
            if cosine > nearest && !pairs.are_sought(ids, image, own_image) {
                nearer += 1.0;
            }
            image += UNITS;
        }
    }
    let sum = sum_of_units(sum);
    let nearer = sum_of_units(nearer);

    let weight = weights[anchor as usize];
    // A row of weight 0 may have an empty sum, or no positives.
    let mut term = f32::new(0.0);
    let mut factor = f32::new(0.0);
    let mut of_positive = f32::new(0.0);
    if weight != 0.0 {
        term = weight * (f32::ln(sum) + (largest - of_positives / positives) * scale);
        factor = scale * weight / sum;
        of_positive = scale * weight / positives;
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
                if pairs.stay(ids, image, own_image, itself) {
                    share = factor * f32::exp((cosines[place] - largest) * scale);
                }
                if !itself && pairs.are_sought(ids, image, own_image) {
                    share -= of_positive;
                }
                cosines[place] = share;
                image += UNITS;
            }
        }
    }
}
