//! The keys of a settings struct, asked of the struct itself.

use std::fmt::{self, Display};

use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};
use serde::forward_to_deserialize_any;

/// The names of the fields of `T`, as its derived `Deserialize` knows them; none if it is no struct.
pub(crate) fn field_names<T: for<'a> Deserialize<'a>>() -> &'static [&'static str] {
    let mut names: &[&str] = &[];
    // It fails as soon as it has the names.
    let _ = T::deserialize(Asker { names: &mut names });
    names
}

/// Holds no value: it only listens to which fields are asked for.
struct Asker<'a> {
    names: &'a mut &'static [&'static str],
}

impl<'de> Deserializer<'de> for Asker<'_> {
    type Error = Asked;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Asked> {
        *self.names = fields;
        Err(Asked)
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Asked> {
        Err(Asked)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// The end of asking.
#[derive(Debug)]
struct Asked;

impl Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("only the field names were asked for")
    }
}

impl std::error::Error for Asked {}

impl Error for Asked {
    fn custom<T: Display>(_: T) -> Self {
        Self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use simclr::train::PretrainConfig;

    #[test]
    fn a_struct_tells_its_fields_and_a_number_has_none() {
        assert_eq!(field_names::<PretrainConfig>(), ["train", "images"]);
        assert!(field_names::<u32>().is_empty());
    }
}
