//! The containers and objects of a pickle.

use super::torch_object::{StorageReference, TorchObject};
use super::value::{GlobalName, Instance, Object, Value};
use crate::weights::error::WeightFault;

/// The most values that a pickle may keep, and the most on its stack: a checkpoint of 10,000 tensors needs some
/// 300,000. The limit is some 200 MiB of memory.
pub(in crate::weights) const MOST_VALUES: usize = 1 << 22;
/// The values that take as much memory as an object, and as a tensor.
const VALUES_PER_OBJECT: usize = 2;
const VALUES_PER_TENSOR: usize = 16;
/// The key of a network's layers in its attributes.
const LAYERS: Value<'static> = Value::Text("_modules");

/// The tuples, lists, dicts, tensors and other objects of a pickle. A [`Value::Object`] says which.
#[derive(Debug, Default)]
pub(in crate::weights) struct Heap<'a> {
    objects: Vec<Object<'a>>,
    /// The number of values that are kept.
    kept: usize,
}

impl<'a> Heap<'a> {
    pub(super) fn push(&mut self, object: Object<'a>) -> Result<Value<'a>, WeightFault> {
        let inside = match &object {
            Object::Sequence(elements) => elements.len(),
            Object::Dict(entries) => 2 * entries.len(),
            Object::Torch(_) => VALUES_PER_TENSOR,
            Object::Global(_) | Object::Instance(_) => 0,
        };
        self.keep(VALUES_PER_OBJECT + inside)?;
        self.objects.push(object);
        Ok(Value::Object(self.objects.len() - 1))
    }

    /// Counts values that the pickle keeps, and refuses more than it may.
    pub(super) fn keep(&mut self, count: usize) -> Result<(), WeightFault> {
        self.kept += count;
        check_count(self.kept)
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

    /// The object that was passed over; `None` if `value` is something else.
    pub(in crate::weights) fn instance(&self, value: Value<'a>) -> Option<Instance<'a>> {
        match self.object(value)? {
            Object::Instance(instance) => Some(*instance),
            _ => None,
        }
    }

    /// The name of a class or function that no state dict needs; `None` if `value` is something else.
    pub(super) fn global(&self, value: Value<'a>) -> Option<GlobalName<'a>> {
        match self.object(value)? {
            Object::Global(name) => Some(*name),
            _ => None,
        }
    }

    /// Every storage that the pickle names.
    pub(in crate::weights) fn storages(&self) -> impl Iterator<Item = &StorageReference<'a>> {
        self.objects.iter().filter_map(|object| match object {
            Object::Torch(object) => match &**object {
                TorchObject::Storage(storage) => Some(storage),
                TorchObject::Tensor(_) => None,
            },
            _ => None,
        })
    }

    /// Appends to the list that `value` is. An object that was passed over, such as a set, stays as it is.
    pub(super) fn extend_list(
        &mut self,
        value: Value<'a>,
        elements: Vec<Value<'a>>,
    ) -> Result<(), WeightFault> {
        self.keep(elements.len())?;
        match self.object_mut(value) {
            Some(Object::Sequence(list)) => list.extend(elements),
            Some(Object::Instance(_)) => {}
            None if value == Value::Opaque => {}
            _ => return Err(WeightFault::malformed("a list to append to", "something else")),
        }
        Ok(())
    }

    /// Adds entries to the dict that `value` is. An object that takes entries is a dict of another class.
    pub(super) fn extend_dict(
        &mut self,
        value: Value<'a>,
        entries: Vec<(Value<'a>, Value<'a>)>,
    ) -> Result<(), WeightFault> {
        self.keep(2 * entries.len())?;
        match self.object_mut(value) {
            Some(Object::Dict(dict)) => dict.extend(entries),
            Some(object @ Object::Instance(_)) => *object = Object::Dict(entries),
            _ => return Err(WeightFault::malformed("a dict to add to", "something else")),
        }
        Ok(())
    }

    /// Takes note of an object's attributes: those of a network have its layers.
    pub(super) fn set_attributes(&mut self, value: Value<'a>, attributes: Value<'a>) {
        let has_layers = self
            .dict(attributes)
            .is_some_and(|attributes| attributes.iter().any(|(key, _)| *key == LAYERS));
        if let Some(Object::Instance(instance)) = self.object_mut(value) {
            instance.is_network |= has_layers;
        }
    }

    fn object(&self, value: Value<'a>) -> Option<&Object<'a>> {
        match value {
            Value::Object(at) => self.objects.get(at),
            _ => None,
        }
    }

    fn object_mut(&mut self, value: Value<'a>) -> Option<&mut Object<'a>> {
        match value {
            Value::Object(at) => self.objects.get_mut(at),
            _ => None,
        }
    }
}

/// Refuses more values than a checkpoint can need.
pub(in crate::weights) fn check_count(count: usize) -> Result<(), WeightFault> {
    if count <= MOST_VALUES {
        return Ok(());
    }
    Err(WeightFault::malformed(format!("at most {MOST_VALUES} values in a pickle"), "more"))
}
