//! A reader of Python pickles that looks for tensors, and calls nothing.

mod calls;
mod containers;
mod heap;
mod instructions;
mod machine;
mod torch_call;
mod torch_object;
mod value;

pub(super) use self::heap::check_count;
pub(super) use self::machine::Pickle;
pub(super) use self::torch_object::{StorageReference, TensorReference, TorchObject};
pub(super) use self::value::Value;
