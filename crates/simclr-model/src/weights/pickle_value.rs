//! What a pickle puts together.

use super::torch_object::{TorchFunction, TorchObject};

/// A value on the machine's stack. Containers are places in [`Pickle::objects`](super::pickle::Pickle::objects), so that a pickle that holds
/// itself is no harm.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Value<'a> {
    None,
    Bool(bool),
    Int(i64),
    /// A number of another type, which no tensor needs.
    Number,
    Text(&'a str),
    /// Where the elements of a tuple, list or dict begin.
    Mark,
    Function(TorchFunction),
    Object(usize),
}

/// What [`Value::Object`] stands for.
#[derive(Debug)]
pub(super) enum Object<'a> {
    /// A tuple or list.
    Sequence(Vec<Value<'a>>),
    Dict(Vec<(Value<'a>, Value<'a>)>),
    Torch(TorchObject<'a>),
}
