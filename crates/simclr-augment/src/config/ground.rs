use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use simclr_range::OutOfRange;

/// The colour that is seen through the transparent parts of an image: red, green and blue.
///
/// As text, and in files, it is `white` (the default), `black`, or `#` and six hexadecimal digits.
///
/// ```
/// use simclr_augment::Ground;
///
/// assert_eq!("#336699".parse(), Ok(Ground([0x33, 0x66, 0x99])));
/// # Ok::<(), simclr_augment::OutOfRange>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Ground(pub [u8; 3]);

impl Ground {
    /// White.
    pub const WHITE: Self = Self([255; 3]);
    /// Black.
    pub const BLACK: Self = Self([0; 3]);

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes fields by reference")]
    pub(crate) fn is_white(&self) -> bool {
        *self == Self::WHITE
    }
}

impl Default for Ground {
    fn default() -> Self {
        Self::WHITE
    }
}

impl FromStr for Ground {
    type Err = OutOfRange;

    fn from_str(text: &str) -> Result<Self, OutOfRange> {
        match text {
            "white" => return Ok(Self::WHITE),
            "black" => return Ok(Self::BLACK),
            _ => {}
        }
        let digits = text.strip_prefix('#').filter(|digits| {
            digits.len() == 6 && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
        });
        let colour = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let Some(colour) = colour else {
            return Err(OutOfRange::new("ground", "white, black or #rrggbb", text));
        };
        let [_, red, green, blue] = colour.to_be_bytes();
        Ok(Self([red, green, blue]))
    }
}

impl TryFrom<String> for Ground {
    type Error = OutOfRange;

    fn try_from(text: String) -> Result<Self, OutOfRange> {
        text.parse()
    }
}

impl From<Ground> for String {
    fn from(ground: Ground) -> Self {
        ground.to_string()
    }
}

/// `white`, `black` or `#rrggbb`.
impl fmt::Display for Ground {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self([red, green, blue]) = self;
        match *self {
            Self::WHITE => f.write_str("white"),
            Self::BLACK => f.write_str("black"),
            _ => write!(f, "#{red:02x}{green:02x}{blue:02x}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colour_is_read_as_it_is_written() {
        for (text, colour) in [("white", [255; 3]), ("black", [0; 3]), ("#0a80ff", [10, 128, 255])]
        {
            assert_eq!(text.parse(), Ok(Ground(colour)));
            assert_eq!(Ground(colour).to_string(), text);
            assert_eq!(serde_json::to_string(&Ground(colour)).unwrap(), format!("{text:?}"));
        }
        assert_eq!("#FFFFFF".parse(), Ok(Ground::WHITE));
        assert_eq!(Ground::default(), Ground::WHITE);
    }

    #[test]
    fn other_text_is_refused_with_what_was_expected() {
        for text in ["", "purple", "#fff", "#12345g", "#+12345", "#1234567", "123456", "#ééé"] {
            let error = text.parse::<Ground>().unwrap_err().to_string();
            let expected = format!("expected ground to be white, black or #rrggbb, found {text}");
            assert_eq!(error, expected);
            assert!(serde_json::from_str::<Ground>(&format!("{text:?}")).is_err());
        }
    }
}
