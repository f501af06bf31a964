//! The instructions that put tuples, lists, dicts and sets together.

use super::machine::{Machine, Step};
use super::value::{Object, Value};
use crate::weights::error::WeightFault;

impl Machine<'_> {
    /// Tuples and lists.
    pub(super) fn sequence(&mut self, instruction: u8) -> Step<()> {
        match instruction {
            b'a' => {
                let element = self.pop()?;
                let list = self.top()?;
                self.heap.extend_list(list, vec![element])
            }
            b'e' => {
                let elements = self.pop_to_mark()?;
                let list = self.top()?;
                self.heap.extend_list(list, elements)
            }
            b')' | b']' => self.push_object(Object::Sequence(Vec::new())),
            b't' | b'l' => {
                let elements = self.pop_to_mark()?;
                self.push_object(Object::Sequence(elements))
            }
            // Tuples of one, two and three.
            _ => {
                let elements = self.pop_last(usize::from(instruction - 0x84))?;
                self.push_object(Object::Sequence(elements))
            }
        }
    }

    pub(super) fn dict(&mut self, instruction: u8) -> Step<()> {
        if instruction == b'}' {
            return self.push_object(Object::Dict(Vec::new()));
        }
        let elements = match instruction {
            b's' => self.pop_last(2)?,
            _ => self.pop_to_mark()?,
        };
        let (pairs, odd) = elements.as_chunks::<2>();
        if !odd.is_empty() {
            return Err(WeightFault::malformed("a value for every key", "a key alone"));
        }
        let entries = pairs.iter().map(|&[key, value]| (key, value)).collect();
        if instruction == b'd' {
            return self.push_object(Object::Dict(entries));
        }
        let dict = self.top()?;
        self.heap.extend_dict(dict, entries)
    }

    /// Sets, whose elements no tensor needs: a new one, more elements, a frozen one.
    pub(super) fn set(&mut self, instruction: u8) -> Step<()> {
        if instruction != 0x8F {
            self.pop_to_mark()?;
        }
        if instruction == 0x90 { Ok(()) } else { self.push(Value::Opaque) }
    }
}
