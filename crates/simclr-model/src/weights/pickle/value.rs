//! The values that a pickle puts together.

use super::torch_object::{TorchFunction, TorchObject};

/// A value on the machine's stack. A container is a place on the [`Heap`](super::heap::Heap), so that a pickle that
/// holds itself does no harm.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::weights) enum Value<'a> {
    None,
    Bool(bool),
    Int(i64),
    /// A number or bytes, which no tensor needs.
    Opaque,
    Text(&'a str),
    /// Where the elements of a tuple, list or dict begin.
    Mark,
    Function(TorchFunction),
    Object(usize),
}

/// The container or PyTorch object behind a [`Value::Object`].
#[derive(Debug)]
pub(super) enum Object<'a> {
    /// A tuple or list.
    Sequence(Vec<Value<'a>>),
    Dict(Vec<(Value<'a>, Value<'a>)>),
    Torch(TorchObject<'a>),
}
