//! An explanation to look at.

use image::imageops::{self, FilterType};
use image::{Rgb, RgbImage};

use super::digits;
use super::explanation::{Explanation, SimilarityMap};
use super::heat;

/// Side of a panel, space around it, and height of the scale, in pixels.
const PANEL: u32 = 256;
const GAP: u32 = 12;
const SCALE: u32 = 16;

impl Explanation {
    /// Four panels of 256 x 256 pixels: what the encoder sees of the first image, the same in grey under its map, and both of
    /// the second. Orange makes the images more alike, blue less.
    ///
    /// Below, the scale: both maps have the same, from minus to plus their largest absolute value. Where the mean of
    /// each map [is the cosine](crate::Reason::Share), a white tick stands at the cosine.
    #[must_use]
    pub fn picture(&self) -> RgbImage {
        let width = 4 * PANEL + 5 * GAP;
        let height = PANEL + SCALE + digits::LINE + 4 * GAP;
        let mut picture = RgbImage::from_pixel(width, height, Rgb([255; 3]));
        let values = self.maps.iter().flat_map(|map| &map.values);
        let most = values.fold(0.0_f32, |most, value| most.max(value.abs()));
        let panels = self.views.iter().zip(&self.maps).flat_map(|(view, map)| {
            let view = imageops::resize(view, PANEL, PANEL, FilterType::Triangle);
            let heat = under(&view, map, most);
            [view, heat]
        });
        for (place, panel) in (0_i64..).zip(panels) {
            let left = i64::from(GAP) + place * i64::from(PANEL + GAP);
            imageops::replace(&mut picture, &panel, left, i64::from(GAP));
        }
        self.draw_scale(&mut picture, most);
        picture
    }

    fn draw_scale(&self, picture: &mut RgbImage, most: f32) {
        let (left, top) = (GAP, PANEL + 2 * GAP);
        let width = picture.width() - 2 * GAP;
        let share = |x: u32| 2.0 * x as f32 / (width - 1) as f32 - 1.0;
        for x in 0..width {
            let colour = heat::over(Rgb([90; 3]), share(x));
            (0..SCALE).for_each(|y| picture.put_pixel(left + x, top + y, colour));
        }
        if self.reason == super::Reason::Share && most > 0.0 {
            let x = (self.cosine / most + 1.0) / 2.0 * (width - 3) as f32;
            for x in (0..3).map(|dx| left + x.clamp(0.0, (width - 3) as f32) as u32 + dx) {
                (0..SCALE).for_each(|y| picture.put_pixel(x, top + y, Rgb([255; 3])));
            }
        }
        let texts = [format!("-{most:.3}"), "0".to_owned(), format!("+{most:.3}")];
        let right = |text: &str| left + width - digits::width(text);
        let middle = left + (width - digits::width("0")) / 2;
        let places = [left, middle, right(&texts[2])];
        for (text, x) in texts.iter().zip(places) {
            digits::draw(picture, text, [x, top + SCALE + GAP], Rgb([40; 3]));
        }
    }
}

/// A view in grey under its map, on a scale to `most`.
fn under(view: &RgbImage, map: &SimilarityMap, most: f32) -> RgbImage {
    let most = if most > 0.0 { most } else { 1.0 };
    RgbImage::from_fn(view.width(), view.height(), |x, y| {
        let place = |at: u32, of: u32| (at as f32 + 0.5) / of as f32;
        let value = map.at(place(x, view.width()), place(y, view.height()));
        heat::over(*view.get_pixel(x, y), value / most)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::Reason;

    #[test]
    fn what_drives_the_cosine_is_orange_in_its_place() {
        let map = |values: [f32; 4]| SimilarityMap { size: [2, 2], values: values.to_vec() };
        let explanation = Explanation {
            cosine: 0.2,
            reason: Reason::Share,
            views: [RgbImage::from_pixel(8, 8, Rgb([100; 3])), RgbImage::new(8, 8)],
            maps: [map([0.8, 0.0, 0.0, 0.0]), map([0.0, 0.0, 0.0, -0.8])],
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
