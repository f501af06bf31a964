//! Numbers in a picture.

use image::{Rgb, RgbImage};

/// Width and height of a character in dots, and of a dot in pixels.
const WIDTH: u32 = 3;
const HEIGHT: u32 = 5;
const DOT: u32 = 3;
/// Characters that can be drawn, and their rows of dots.
const CHARACTERS: &str = "0123456789.-";
const DOTS: [[u8; HEIGHT as usize]; 12] = [
    [0b111, 0b101, 0b101, 0b101, 0b111],
    [0b010, 0b110, 0b010, 0b010, 0b111],
    [0b111, 0b001, 0b111, 0b100, 0b111],
    [0b111, 0b001, 0b111, 0b001, 0b111],
    [0b101, 0b101, 0b111, 0b001, 0b001],
    [0b111, 0b100, 0b111, 0b001, 0b111],
    [0b111, 0b100, 0b111, 0b101, 0b111],
    [0b111, 0b001, 0b001, 0b010, 0b010],
    [0b111, 0b101, 0b111, 0b101, 0b111],
    [0b111, 0b101, 0b111, 0b001, 0b111],
    [0b000, 0b000, 0b000, 0b000, 0b010],
    [0b000, 0b000, 0b111, 0b000, 0b000],
];
/// Height of a line of text in pixels.
pub(super) const LINE: u32 = HEIGHT * DOT;

/// How wide `text` is in pixels.
pub(super) fn width(text: &str) -> u32 {
    text.len() as u32 * (WIDTH + 1) * DOT
}

/// Draws the digits, points and signs of `text`, its top left corner at `(x, y)`.
pub(super) fn draw(picture: &mut RgbImage, text: &str, [x, y]: [u32; 2], colour: Rgb<u8>) {
    for (place, character) in text.chars().enumerate() {
        let Some(index) = CHARACTERS.find(character) else { continue };
        let left = x + place as u32 * (WIDTH + 1) * DOT;
        for dot_y in 0..LINE {
            for dot_x in 0..WIDTH * DOT {
                let row = DOTS[index][(dot_y / DOT) as usize];
                let is_set = row >> (WIDTH - 1 - dot_x / DOT) & 1 == 1;
                if let (true, Some(pixel)) =
                    (is_set, picture.get_pixel_mut_checked(left + dot_x, y + dot_y))
                {
                    *pixel = colour;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_stand_beside_each_other_and_nothing_is_drawn_outside() {
        let mut picture = RgbImage::new(24, 15);
        draw(&mut picture, "-1", [0, 0], Rgb([255; 3]));
        let is_set = |x: u32, y: u32| picture.get_pixel(x * DOT, y * DOT)[0] == 255;
        assert!((0..3).all(|x| is_set(x, 2)) && !is_set(0, 0) && !is_set(3, 2));
        assert!((0..5).all(|y| is_set(5, y)) && is_set(4, 4));
        draw(&mut picture, "8", [20, 10], Rgb([255; 3]));
    }
}
