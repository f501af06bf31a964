//! An explanation to look at.

use image::imageops::{self, FilterType};
use image::{Rgb, RgbImage};

use super::digits;
use super::explanation::{Explanation, Reason, SimilarityMap};
use super::heat;

/// Side of a panel, space around it, and height of the scale, in pixels.
const PANEL: u32 = 256;
const GAP: u32 = 12;
const SCALE: u32 = 16;

impl Explanation {
    /// Four panels of 256 x 256 pixels: what the encoder sees of the first image, the same in grey under its map, and both of
    /// the second. Below, the scale of both maps.
    ///
    /// Of [shares](crate::Reason::Share), orange ones are above their mean, the cosine, which stands in the middle of the
    /// scale, and blue ones below; most features are above 0, and so are nearly all shares. Of what hiding changes, orange
    /// makes the images more alike and blue less.
    #[must_use]
    pub fn picture(&self) -> RgbImage {
        let width = 4 * PANEL + 5 * GAP;
        let height = PANEL + SCALE + digits::LINE + 4 * GAP;
        let mut picture = RgbImage::from_pixel(width, height, Rgb([255; 3]));
        let middle = if self.reason == Reason::Share { self.cosine } else { 0.0 };
        let values = self.maps.iter().flat_map(|map| &map.values);
        let most = values.fold(0.0_f32, |most, value| most.max((value - middle).abs()));
        let panels = self.views.iter().zip(&self.maps).flat_map(|(view, map)| {
            let view = imageops::resize(view, PANEL, PANEL, FilterType::Triangle);
            let heat = under(&view, map, middle, most);
            [view, heat]
        });
        for (place, panel) in (0_i64..).zip(panels) {
            let left = i64::from(GAP) + place * i64::from(PANEL + GAP);
            imageops::replace(&mut picture, &panel, left, i64::from(GAP));
        }
        draw_scale(&mut picture, middle, most);
        picture
    }
}

/// Draws the colours from `middle - most` to `middle + most`.
fn draw_scale(picture: &mut RgbImage, middle: f32, most: f32) {
    let (left, top) = (GAP, PANEL + 2 * GAP);
    let width = picture.width() - 2 * GAP;
    for x in 0..width {
        let colour = heat::over(Rgb([90; 3]), 2.0 * x as f32 / (width - 1) as f32 - 1.0);
        for y in 0..SCALE {
            picture.put_pixel(left + x, top + y, colour);
        }
    }
    for (place, value) in (0..).zip([middle - most, middle, middle + most]) {
        let text = format!("{value:.3}");
        let x = left + (width - digits::width(&text)) / 2 * place;
        digits::draw(picture, &text, [x, top + SCALE + GAP], Rgb([40; 3]));
    }
}

/// A view in grey under its map, on a scale to `most` from a `middle`.
fn under(view: &RgbImage, map: &SimilarityMap, middle: f32, most: f32) -> RgbImage {
    let most = if most > 0.0 { most } else { 1.0 };
    RgbImage::from_fn(view.width(), view.height(), |x, y| {
        let place = |at: u32, of: u32| (at as f32 + 0.5) / of as f32;
        let value = map.at(place(x, view.width()), place(y, view.height()));
        heat::over(*view.get_pixel(x, y), (value - middle) / most)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_drives_the_cosine_more_than_the_mean_is_orange_in_its_place() {
        let map = |values: [f32; 4]| SimilarityMap { size: [2, 2], values: values.to_vec() };
        let explanation = Explanation {
            cosine: 0.2,
            reason: Reason::Share,
            views: [RgbImage::from_pixel(8, 8, Rgb([100; 3])), RgbImage::new(8, 8)],
            maps: [map([1.0, 0.2, 0.2, 0.2]), map([0.2, 0.2, 0.2, -0.6])],
        };
        let picture = explanation.picture();
        assert_eq!(picture.dimensions(), (4 * 256 + 60, 256 + 16 + 15 + 48));
        let at = |panel: u32, x: u32, y: u32| picture.get_pixel(12 + panel * 268 + x, 12 + y).0;
        assert_eq!(at(0, 30, 30), [100; 3]);
        let ([r, _, b], [less_r, _, less_b]) = (at(1, 30, 30), at(3, 220, 220));
        assert!(r > b + 100 && less_b > less_r + 100);
        assert_eq!((at(1, 250, 250), at(3, 5, 5)), ([100; 3], [0; 3]));
    }
}
