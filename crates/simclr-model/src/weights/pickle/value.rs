//! The values that a pickle puts together.

use std::fmt;

use super::torch_object::{TorchFunction, TorchObject};

/// A value on the machine's stack. A container is a place on the [`Heap`](super::heap::Heap), so that a pickle that
/// holds itself does no harm.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::weights) enum Value<'a> {
    None,
    Bool(bool),
    Int(i64),
    /// A float, bytes or a set, which no tensor needs.
    Opaque,
    Text(&'a str),
    /// Where the elements of a tuple, list or dict begin.
    Mark,
    Function(TorchFunction),
    Object(usize),
}

/// What is behind a [`Value::Object`].
#[derive(Debug)]
pub(super) enum Object<'a> {
    /// A tuple or list.
    Sequence(Vec<Value<'a>>),
    Dict(Vec<(Value<'a>, Value<'a>)>),
    Torch(Box<TorchObject<'a>>),
    /// A class or function of Python that no state dict needs.
    Global(GlobalName<'a>),
    Instance(Instance<'a>),
}

/// The module and the name of a Python class or function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::weights) struct GlobalName<'a> {
    pub(super) module: &'a str,
    pub(super) name: &'a str,
}

impl fmt::Display for GlobalName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.module, self.name)
    }
}

/// An object that Python would make by running code. It was passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::weights) struct Instance<'a> {
    /// The class, or the function whose result it is; `None` if that is not known.
    pub(in crate::weights) class: Option<GlobalName<'a>>,
    /// Whether it is a network with layers inside, as `torch.save(model)` writes.
    pub(in crate::weights) is_network: bool,
}

impl<'a> Instance<'a> {
    /// An object of a class or a function. A network in `TorchScript` shows by its class.
    pub(super) fn of(class: Option<GlobalName<'a>>) -> Self {
        let scripted = |class: GlobalName| class.module.starts_with("__torch__");
        Self { class, is_network: class.is_some_and(scripted) }
    }
}
