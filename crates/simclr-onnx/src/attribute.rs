//! What an operation is told besides its inputs.

use crate::proto::{AttributeMessage, AttributeType};

/// The value of an operation's attribute.
#[derive(Debug, Clone, PartialEq)]
pub enum Attribute {
    /// A number.
    Float(f32),
    /// A whole number, or 0 and 1 for no and yes.
    Int(i64),
    /// Whole numbers: axes, strides, padding.
    Ints(Vec<i64>),
    /// A word.
    Text(&'static str),
}

impl Attribute {
    pub(crate) fn message(self, name: &str) -> AttributeMessage {
        let mut message = AttributeMessage { name: name.to_owned(), ..AttributeMessage::default() };
        let kind = match self {
            Self::Float(value) => {
                message.float = Some(value);
                AttributeType::Float
            }
            Self::Int(value) => {
                message.int = Some(value);
                AttributeType::Int
            }
            Self::Ints(values) => {
                message.ints = values;
                AttributeType::Ints
            }
            Self::Text(text) => {
                message.string = Some(text.as_bytes().to_vec());
                AttributeType::String
            }
        };
        message.kind = kind as i32;
        message
    }
}
