use std::fmt;
use std::str::FromStr;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use simclr_range::OutOfRange;

/// The mean and the standard deviation that normalise each channel of a view in `[0, 1]`:
/// `(value - mean) / std`.
///
/// Google's SimCLR code does not normalise ([`NONE`](Self::NONE)); the torch reimplementations do.
/// Pretraining and evaluation must agree.
///
/// Four of them have names, which [`str::parse`] and deserialisers read: `imagenet`, `cifar10`, `centred`
/// (or `stl10`, after the preset that takes it) and `none`. [`Display`](fmt::Display) writes the name, or
/// else the numbers; serialisers always write the numbers, `{ mean = [...], std = [...] }`.
///
/// ```
/// use simclr_augment::Normalization;
///
/// assert_eq!("cifar10".parse(), Ok(Normalization::CIFAR10));
/// assert_eq!(Normalization::CIFAR10.mean, [0.4914, 0.4822, 0.4465]);
/// assert_eq!(Normalization::NONE.to_string(), "none");
/// # Ok::<(), simclr_augment::OutOfRange>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Normalization {
    /// Mean of red, green and blue, in the units of a view in `[0, 1]`: finite.
    pub mean: [f32; 3],
    /// Standard deviation of red, green and blue, in the same units: finite and positive, with finite
    /// inverses.
    pub std: [f32; 3],
}

/// The names; the first of two that mean the same is written.
const NAMES: [(&str, Normalization); 5] = [
    ("imagenet", Normalization::IMAGENET),
    ("cifar10", Normalization::CIFAR10),
    ("centred", Normalization::CENTRED),
    ("none", Normalization::NONE),
    ("stl10", Normalization::CENTRED),
];

impl Normalization {
    /// Leaves values in `[0, 1]`, as google's code does.
    pub const NONE: Self = Self { mean: [0.0; 3], std: [1.0; 3] };

    /// ImageNet's mean and standard deviation, as torchvision's pretrained weights expect them.
    pub const IMAGENET: Self = Self { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };

    /// CIFAR-10's mean and standard deviation over the training pixels.
    pub const CIFAR10: Self = Self { mean: [0.4914, 0.4822, 0.4465], std: [0.247, 0.2435, 0.2616] };

    /// Maps `[0, 1]` to `[-1, 1]`.
    pub const CENTRED: Self = Self { mean: [0.5; 3], std: [0.5; 3] };

    /// Names the field by its path in the configs that have a field `normalization`.
    pub(crate) fn check(&self) -> Result<(), OutOfRange> {
        let Self { mean, std } = self;
        let legal = mean.iter().all(|mean| mean.is_finite());
        let expected = "three finite numbers";
        OutOfRange::unless(legal, "normalization.mean", expected, format_args!("{mean:?}"))?;
        let fits = |std: &f32| *std > 0.0 && std.is_finite() && std.recip().is_finite();
        let legal = std.iter().all(fits);
        let expected = "three finite, positive numbers with finite inverses";
        OutOfRange::unless(legal, "normalization.std", expected, format_args!("{std:?}"))
    }
}

impl FromStr for Normalization {
    type Err = OutOfRange;

    fn from_str(name: &str) -> Result<Self, OutOfRange> {
        let known = NAMES.into_iter().find(|(known, _)| *known == name);
        known.map(|(_, normalization)| normalization).ok_or_else(|| {
            let names = NAMES.map(|(name, _)| name).join(", ");
            OutOfRange::new("normalization", format!("one of {names}"), name)
        })
    }
}

/// The name, or `mean [0.5, 0.5, 0.5], std [0.25, 0.25, 0.25]`.
impl fmt::Display for Normalization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match NAMES.iter().find(|(_, known)| known == self) {
            Some((name, _)) => f.write_str(name),
            None => write!(f, "mean {:?}, std {:?}", self.mean, self.std),
        }
    }
}

/// A name, or a table of the numbers.
impl<'de> Deserialize<'de> for Normalization {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NameOrNumbers)
    }
}

struct NameOrNumbers;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Numbers {
    mean: [f32; 3],
    std: [f32; 3],
}

impl<'de> Visitor<'de> for NameOrNumbers {
    type Value = Normalization;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a normalisation, or its mean and std")
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Normalization, E> {
        name.parse().map_err(E::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Normalization, A::Error> {
        let Numbers { mean, std } = Numbers::deserialize(MapAccessDeserializer::new(map))?;
        Ok(Normalization { mean, std })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_as_it_is_written_and_stl10_is_another_name_of_centred() {
        for name in ["imagenet", "cifar10", "centred", "none"] {
            assert_eq!(name.parse::<Normalization>().unwrap().to_string(), name);
        }
        assert_eq!("stl10".parse(), Ok(Normalization::CENTRED));
        let other = Normalization { mean: [0.5; 3], std: [0.25; 3] };
        assert_eq!(other.to_string(), "mean [0.5, 0.5, 0.5], std [0.25, 0.25, 0.25]");
    }

    #[test]
    fn the_error_for_an_unknown_name_lists_the_known_ones() {
        for name in ["", "ImageNet", "imagenet "] {
            assert_eq!(
                name.parse::<Normalization>().unwrap_err().to_string(),
                format!(
                    "expected normalization to be one of imagenet, cifar10, centred, none, stl10, \
                     found {name}"
                )
            );
        }
    }

    #[test]
    fn a_file_may_hold_the_name_or_the_numbers_and_nothing_else() {
        let read = |json: &str| serde_json::from_str::<Normalization>(json);
        let numbers = serde_json::to_string(&Normalization::IMAGENET).unwrap();
        assert!(numbers.starts_with(r#"{"mean":[0.485,"#), "{numbers}");
        assert_eq!(read(&numbers).unwrap(), Normalization::IMAGENET);
        assert_eq!(read(r#""imagenet""#).unwrap(), Normalization::IMAGENET);
        for (json, part) in [
            (r#""imagnet""#, "expected normalization to be one of"),
            (r#"{"mean":[0,0,0]}"#, "missing field `std`"),
            (r#"{"mean":[0,0,0],"std":[1,1,1],"sdt":0}"#, "unknown field `sdt`"),
            ("3", "expected the name of a normalisation, or its mean and std"),
        ] {
            let error = read(json).unwrap_err().to_string();
            assert!(error.contains(part), "{json}: {error}");
        }
    }
}
