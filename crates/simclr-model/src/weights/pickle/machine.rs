//! The stack machine that runs pickles.

use std::collections::HashMap;

use super::heap::{Heap, check_count};
use super::instructions::Instructions;
use super::torch_call;
use super::torch_object::TorchFunction;
use super::value::{Object, Value};
use crate::weights::error::WeightFault;

/// The value of a pickle. It is read without calling anything.
///
/// A pickle is a program for a stack machine, and Python's own reader lets it call any function. This reader knows the
/// instructions that build numbers, strings, tuples, lists and dicts, and the five functions that a state dict is made
/// of ([`TorchFunction`]). Any other is an error before anything happens. An instruction adds at most one value, so
/// that the pickle's length bounds the memory.
#[derive(Debug)]
pub(in crate::weights) struct Pickle<'a> {
    pub(in crate::weights) heap: Heap<'a>,
    pub(in crate::weights) top: Value<'a>,
}

impl<'a> Pickle<'a> {
    /// Runs the pickle at the start of `bytes`. Returns the bytes that follow it, too.
    pub(in crate::weights) fn read(bytes: &'a [u8]) -> Step<(Self, &'a [u8])> {
        let mut machine = Machine {
            instructions: Instructions(bytes),
            heap: Heap::default(),
            stack: Vec::new(),
            memo: HashMap::new(),
        };
        loop {
            let instruction = machine.instructions.byte()?;
            if instruction == b'.' {
                let top = machine.pop()?;
                return Ok((Self { heap: machine.heap, top }, machine.instructions.0));
            }
            machine.run(instruction)?;
        }
    }
}

type Step<T> = Result<T, WeightFault>;

struct Machine<'a> {
    instructions: Instructions<'a>,
    heap: Heap<'a>,
    stack: Vec<Value<'a>>,
    memo: HashMap<usize, Value<'a>>,
}

impl<'a> Machine<'a> {
    fn run(&mut self, instruction: u8) -> Step<()> {
        match instruction {
            // Protocol, frame.
            0x80 => self.instructions.take(1).map(drop),
            0x95 => self.instructions.take(8).map(drop),
            b'(' => self.push(Value::Mark),
            b'0' => self.pop().map(drop),
            b'2' => self.top().and_then(|top| self.push(top)),
            b'N' => self.push(Value::None),
            0x88 => self.push(Value::Bool(true)),
            0x89 => self.push(Value::Bool(false)),
            b'J' | b'K' | b'M' | 0x8A | b'G' => {
                let number = self.instructions.number(instruction)?;
                self.push(number.map_or(Value::Opaque, Value::Int))
            }
            b'X' | 0x8C | 0x8D | b'U' | b'T' | b'C' | b'B' => {
                let text = self.instructions.text(instruction)?;
                self.push(text.map_or(Value::Opaque, Value::Text))
            }
            b')' | 0x85 | 0x86 | 0x87 | b't' | b']' | b'l' | b'a' | b'e' => {
                self.sequence(instruction)
            }
            b'}' | b'd' | b's' | b'u' => self.dict(instruction),
            b'q' | b'r' | 0x94 => self.memorise(instruction),
            b'h' | b'j' => self.recall(instruction),
            b'c' | 0x93 | b'R' | b'Q' => self.call(instruction),
            b'b' => self.attributes(),
            other => Err(WeightFault::malformed(
                "pickle instructions that a state dict needs",
                format!("instruction {other:#04x}"),
            )),
        }
    }

    /// Tuples and lists.
    fn sequence(&mut self, instruction: u8) -> Step<()> {
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
                let length = usize::from(instruction - 0x84);
                let start = self.stack.len().checked_sub(length).ok_or_else(empty)?;
                let elements = self.stack.split_off(start);
                self.push_object(Object::Sequence(elements))
            }
        }
    }

    fn dict(&mut self, instruction: u8) -> Step<()> {
        if instruction == b'}' {
            return self.push_object(Object::Dict(Vec::new()));
        }
        let elements = match instruction {
            b's' => {
                let value = self.pop()?;
                vec![self.pop()?, value]
            }
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

    /// Numbers the value on top of the stack.
    fn memorise(&mut self, instruction: u8) -> Step<()> {
        let number = match instruction {
            0x94 => self.memo.len(),
            _ => self.memo_number(instruction)?,
        };
        let value = self.top()?;
        self.memo.insert(number, value);
        Ok(())
    }

    /// Pushes a value that was numbered before.
    fn recall(&mut self, instruction: u8) -> Step<()> {
        let number = self.memo_number(instruction)?;
        let value = self.memo.get(&number).copied();
        self.push(value.ok_or_else(|| WeightFault::malformed("a value seen before", "none"))?)
    }

    fn memo_number(&mut self, instruction: u8) -> Step<usize> {
        Ok(match instruction {
            b'q' | b'h' => usize::from(self.instructions.byte()?),
            _ => u32::from_le_bytes(self.instructions.array()?) as usize,
        })
    }

    /// Functions, their results, and storages.
    fn call(&mut self, instruction: u8) -> Step<()> {
        match instruction {
            b'c' => {
                let (module, name) = (self.instructions.line()?, self.instructions.line()?);
                self.push(Value::Function(TorchFunction::named(module, name)?))
            }
            0x93 => match (self.pop()?, self.pop()?) {
                (Value::Text(name), Value::Text(module)) => {
                    self.push(Value::Function(TorchFunction::named(module, name)?))
                }
                _ => Err(WeightFault::malformed("the name of a function", "something else")),
            },
            b'R' => {
                let (arguments, function) = (self.pop()?, self.pop()?);
                let Value::Function(function) = function else {
                    return Err(WeightFault::malformed("a function to call", "something else"));
                };
                let result = torch_call::call(function, &self.heap, arguments)?;
                self.push_object(result)
            }
            _ => {
                let id = self.pop()?;
                let storage = torch_call::storage(&self.heap, id)?;
                self.push_object(storage)
            }
        }
    }

    /// Passes over the attributes of an ordered dict: the versions of PyTorch's layers.
    fn attributes(&mut self) -> Step<()> {
        self.pop()?;
        let top = self.top()?;
        if self.heap.dict(top).is_some() {
            return Ok(());
        }
        Err(WeightFault::malformed("attributes of a dict alone", "those of something else"))
    }

    fn push(&mut self, value: Value<'a>) -> Step<()> {
        check_count(self.stack.len())?;
        self.stack.push(value);
        Ok(())
    }

    fn push_object(&mut self, object: Object<'a>) -> Step<()> {
        let value = self.heap.push(object)?;
        self.push(value)
    }

    fn top(&self) -> Step<Value<'a>> {
        self.stack.last().copied().ok_or_else(empty)
    }

    fn pop(&mut self) -> Step<Value<'a>> {
        self.stack.pop().ok_or_else(empty)
    }

    fn pop_to_mark(&mut self) -> Step<Vec<Value<'a>>> {
        let mark = self.stack.iter().rposition(|value| *value == Value::Mark).ok_or_else(empty)?;
        let elements = self.stack.split_off(mark + 1);
        self.stack.pop();
        Ok(elements)
    }
}

fn empty() -> WeightFault {
    WeightFault::malformed("a value on the pickle's stack", "none")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dict_under_two_keys_is_whole_under_both() {
        // {"a": d, "b": d} where d is filled after it was numbered.
        let bytes = b"}(U\x01a}q\x00U\x01xK\x07sU\x01bh\x00u.";
        let (pickle, rest) = Pickle::read(bytes).unwrap();
        assert!(rest.is_empty());
        let entries = pickle.heap.dict(pickle.top).unwrap();
        assert_eq!(entries.len(), 2);
        for &(_, value) in entries {
            assert_eq!(pickle.heap.dict(value).unwrap(), [(Value::Text("x"), Value::Int(7))]);
        }
    }

    #[test]
    fn numbers_are_read_with_their_sign_and_up_to_64_bits() {
        for (bytes, expected) in [
            (&b"K\xFF."[..], Value::Int(255)),
            (b"M\x00\x01.", Value::Int(256)),
            (b"J\xFE\xFF\xFF\xFF.", Value::Int(-2)),
            (b"\x8A\x00.", Value::Int(0)),
            (b"\x8A\x02\x00\x80.", Value::Int(-32768)),
            (b"\x8A\x08\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F.", Value::Int(i64::MAX)),
            (b"\x8A\x09\x00\x00\x00\x00\x00\x00\x00\x00\x01.", Value::Opaque),
            (b"G\x00\x00\x00\x00\x00\x00\x00\x00.", Value::Opaque),
        ] {
            assert_eq!(Pickle::read(bytes).unwrap().0.top, expected, "{bytes:?}");
        }
    }

    #[test]
    fn more_values_than_a_state_dict_needs_are_refused() {
        // With a list around them, a million `None`s.
        let mut bytes = b"(".to_vec();
        bytes.resize(1 << 21, b'N');
        bytes.extend(b"l.");
        let error = Pickle::read(&bytes).unwrap_err().to_string();
        assert_eq!(error, "expected at most 1048576 values in a pickle, found more");
        // Values that go to and fro between list and stack are no way around it.
        let mut bytes = b"(".to_vec();
        bytes.resize(1 << 21, b')');
        bytes.extend(b"l.");
        assert!(Pickle::read(&bytes).is_err());
    }

    #[test]
    fn a_list_that_holds_itself_is_read() {
        let (pickle, _) = Pickle::read(b"]q\x00h\x00a.").unwrap();
        assert_eq!(pickle.heap.sequence(pickle.top).unwrap(), [pickle.top]);
    }
}
