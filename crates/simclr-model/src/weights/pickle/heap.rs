//! The containers and PyTorch objects of a pickle.

use super::torch_object::{StorageReference, TorchObject};
use super::value::{Object, Value};
use crate::weights::error::WeightFault;

/// The most values on the stack, and the most objects on the heap: a network of 10,000 tensors needs 20,000 and
/// 60,000.
const MOST_VALUES: usize = 1 << 20;

/// The tuples, lists, dicts, storages and tensors of a pickle. A [`Value::Object`] says which.
#[derive(Debug, Default)]
pub(in crate::weights) struct Heap<'a>(Vec<Object<'a>>);

impl<'a> Heap<'a> {
    pub(super) fn push(&mut self, object: Object<'a>) -> Result<Value<'a>, WeightFault> {
        check_count(self.0.len())?;
        self.0.push(object);
        Ok(Value::Object(self.0.len() - 1))
    }

    /// The elements of a tuple or list; `None` if `value` is something else.
    pub(in crate::weights) fn sequence(&self, value: Value<'a>) -> Option<&[Value<'a>]> {
        match self.object(value)? {
            Object::Sequence(elements) => Some(elements),
            _ => None,
        }
    }

    /// The entries of a dict; `None` if `value` is something else.
    pub(in crate::weights) fn dict(&self, value: Value<'a>) -> Option<&[(Value<'a>, Value<'a>)]> {
        match self.object(value)? {
            Object::Dict(entries) => Some(entries),
            _ => None,
        }
    }

    /// PyTorch's object; `None` if `value` is something else.
    pub(in crate::weights) fn torch(&self, value: Value<'a>) -> Option<&TorchObject<'a>> {
        match self.object(value)? {
            Object::Torch(object) => Some(object),
            _ => None,
        }
    }

    /// Every storage that the pickle names.
    pub(in crate::weights) fn storages(&self) -> impl Iterator<Item = &StorageReference<'a>> {
        self.0.iter().filter_map(|object| match object {
            Object::Torch(TorchObject::Storage(storage)) => Some(storage),
            _ => None,
        })
    }

    /// Appends to the list that `value` is.
    pub(super) fn extend_list(
        &mut self,
        value: Value<'a>,
        elements: Vec<Value<'a>>,
    ) -> Result<(), WeightFault> {
        match self.object_mut(value) {
            Some(Object::Sequence(list)) => list.extend(elements),
            _ => return Err(WeightFault::malformed("a list to append to", "something else")),
        }
        Ok(())
    }

    /// Adds entries to the dict that `value` is.
    pub(super) fn extend_dict(
        &mut self,
        value: Value<'a>,
        entries: Vec<(Value<'a>, Value<'a>)>,
    ) -> Result<(), WeightFault> {
        match self.object_mut(value) {
            Some(Object::Dict(dict)) => dict.extend(entries),
            _ => return Err(WeightFault::malformed("a dict to add to", "something else")),
        }
        Ok(())
    }

    fn object(&self, value: Value<'a>) -> Option<&Object<'a>> {
        match value {
            Value::Object(at) => self.0.get(at),
            _ => None,
        }
    }

    fn object_mut(&mut self, value: Value<'a>) -> Option<&mut Object<'a>> {
        match value {
            Value::Object(at) => self.0.get_mut(at),
            _ => None,
        }
    }
}

/// Refuses one value or object more than a state dict can need.
pub(super) fn check_count(count: usize) -> Result<(), WeightFault> {
    if count < MOST_VALUES {
        return Ok(());
    }
    Err(WeightFault::malformed(format!("at most {MOST_VALUES} values in a pickle"), "more"))
}
