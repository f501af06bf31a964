//! The class of an image, as the members beside it tell.

use serde::Deserialize;

/// A class that a shard names: by number, by name, or by both.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Label {
    pub(super) number: Option<u64>,
    pub(super) name: Option<String>,
}

/// Longest name of a class, in bytes.
const MOST_NAME: usize = 1024;

/// What a member beside an image says of its class.
#[derive(Debug, PartialEq)]
pub(super) enum Said {
    Label(Label),
    /// That it has none: nothing, or -1.
    None,
    /// What is no label.
    Unclear,
}

impl Said {
    /// What a `.cls` member says: the number of a class, in decimal digits.
    pub(super) fn by_cls(bytes: &[u8]) -> Self {
        match str::from_utf8(bytes).map(str::trim) {
            Ok("" | "-1") => Self::None,
            Ok(text) => text.parse().map_or(Self::Unclear, |number| {
                Self::Label(Label { number: Some(number), name: None })
            }),
            Err(_) => Self::Unclear,
        }
    }

    /// What a `.json` member says: its field `label` or `cls` is the number or the name of a class, and `class_name` or
    /// `classname` the name beside a number.
    pub(super) fn by_json(bytes: &[u8]) -> Self {
        let Ok(fields) = serde_json::from_slice::<Fields>(bytes) else { return Self::Unclear };
        let mut label =
            Label { number: None, name: fields.class_name.or(fields.classname).and_then(text) };
        match fields.label.or(fields.cls) {
            None => {}
            Some(Value::Text(name)) => label.name = label.name.or_else(|| text(Value::Text(name))),
            Some(Value::Number(number)) if number >= 0 => {
                label.number = Some(number.cast_unsigned());
            }
            Some(Value::Number(-1)) => return Self::None,
            Some(Value::Number(_) | Value::Other(_)) => return Self::Unclear,
        }
        if label.number.is_none() && label.name.is_none() { Self::None } else { Self::Label(label) }
    }
}

/// The fields of a `.json` member that tell of a class.
#[derive(Deserialize)]
struct Fields {
    label: Option<Value>,
    cls: Option<Value>,
    class_name: Option<Value>,
    classname: Option<Value>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Value {
    Number(i64),
    Text(String),
    Other(serde::de::IgnoredAny),
}

/// The name of a class, if it is one.
fn text(value: Value) -> Option<String> {
    match value {
        Value::Text(name) if !name.is_empty() && name.len() <= MOST_NAME => Some(name),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(number: Option<u64>, name: Option<&str>) -> Said {
        Said::Label(Label { number, name: name.map(str::to_owned) })
    }

    #[test]
    fn a_cls_member_is_a_number() {
        assert_eq!(Said::by_cls(b"7"), label(Some(7), None));
        assert_eq!(Said::by_cls(b" 999\n"), label(Some(999), None));
        for none in [&b""[..], b"-1", b"\n"] {
            assert_eq!(Said::by_cls(none), Said::None);
        }
        for unclear in [&b"dog"[..], b"1.5", b"-2", b"99999999999999999999", b"\xff"] {
            assert_eq!(Said::by_cls(unclear), Said::Unclear);
        }
    }

    #[test]
    fn a_json_member_has_a_number_a_name_or_both() {
        assert_eq!(Said::by_json(br#"{"label": 3, "url": [1]}"#), label(Some(3), None));
        assert_eq!(
            Said::by_json(br#"{"cls": 3, "class_name": "dog"}"#),
            label(Some(3), Some("dog"))
        );
        assert_eq!(Said::by_json(br#"{"label": "dog"}"#), label(None, Some("dog")));
        assert_eq!(Said::by_json(br#"{"classname": "dog"}"#), label(None, Some("dog")));
        assert_eq!(Said::by_json(br#"{"caption": "a dog"}"#), Said::None);
        assert_eq!(Said::by_json(br#"{"label": -1}"#), Said::None);
        for unclear in
            [&br#"{"label": [1, 2]}"#[..], br#"{"label": 1.5}"#, b"{", b"[]", b"{\"label\": -3}"]
        {
            assert_eq!(Said::by_json(unclear), Said::Unclear, "{:?}", str::from_utf8(unclear));
        }
    }
}
