//! The instructions that name functions and classes, and would call them.

use super::machine::{Machine, Step};
use super::torch_call::{self, Persistent};
use super::torch_object::{TorchFunction, TorchObject};
use super::value::{GlobalName, Instance, Object, Value};
use crate::weights::error::WeightFault;

/// The function that makes an object of its first argument, a class, in the oldest protocols.
const RECONSTRUCTORS: [&str; 2] = ["copy_reg", "copyreg"];

impl<'a> Machine<'a> {
    /// Pushes a function or class by its name.
    pub(super) fn global(&mut self, instruction: u8) -> Step<()> {
        let (module, name) = match instruction {
            b'c' => (self.instructions.line()?, self.instructions.line()?),
            0x93 => match self.pop_last(2)?[..] {
                [Value::Text(module), Value::Text(name)] => (module, name),
                _ => {
                    return Err(WeightFault::malformed("the name of a function", "something else"));
                }
            },
            // The number of a class, of 1, 2 or 4 bytes. Its name is known to the program that wrote it.
            _ => {
                self.instructions.take(1 << (instruction - 0x82))?;
                return self.push(Value::Opaque);
            }
        };
        match TorchFunction::named(module, name) {
            Some(function) => self.push(Value::Function(function)),
            None => self.push_object(Object::Global(GlobalName { module, name })),
        }
    }

    /// Pushes what a function or class would make of its arguments.
    pub(super) fn call(&mut self, instruction: u8) -> Step<()> {
        let (function, arguments) = match instruction {
            // The function and its arguments between a mark and the top.
            b'o' => {
                let function = self.pop_to_mark()?.first().copied();
                let class = function.and_then(|function| self.heap.global(function));
                return self.push_object(Object::Instance(Instance::of(class)));
            }
            b'i' => {
                let class = GlobalName {
                    module: self.instructions.line()?,
                    name: self.instructions.line()?,
                };
                self.pop_to_mark()?;
                return self.push_object(Object::Instance(Instance::of(Some(class))));
            }
            // With arguments by name, too.
            0x92 => match self.pop_last(3)?[..] {
                [function, arguments, _] => (function, arguments),
                _ => return Err(WeightFault::malformed("a class with arguments", "none")),
            },
            _ => match self.pop_last(2)?[..] {
                [function, arguments] => (function, arguments),
                _ => return Err(WeightFault::malformed("a function with arguments", "none")),
            },
        };
        let made = match function {
            Value::Function(function) => torch_call::call(function, &self.heap, arguments)?,
            _ => Object::Instance(Instance::of(self.class_of(function, arguments))),
        };
        self.push_object(made)
    }

    /// The class of the object that a call would make; the function if the call doesn't show it.
    fn class_of(&self, function: Value<'a>, arguments: Value<'a>) -> Option<GlobalName<'a>> {
        let named = self.heap.global(function)?;
        if !RECONSTRUCTORS.contains(&named.module) {
            return Some(named);
        }
        let first = self.heap.sequence(arguments).and_then(<[_]>::first);
        first.and_then(|&class| self.heap.global(class)).or(Some(named))
    }

    /// Pushes what lies outside of the pickle: a storage.
    pub(super) fn persistent(&mut self) -> Step<()> {
        let id = self.pop()?;
        match torch_call::persistent(&self.heap, id)? {
            Persistent::Storage(storage) => {
                self.push_object(Object::Torch(Box::new(TorchObject::Storage(storage))))
            }
            Persistent::Class(class) => self.push(class),
        }
    }

    /// Passes over an object's attributes, such as the versions of PyTorch's layers in an ordered dict.
    pub(super) fn attributes(&mut self) -> Step<()> {
        let attributes = self.pop()?;
        let object = self.top()?;
        self.heap.set_attributes(object, attributes);
        Ok(())
    }
}
