//! A reader of Python pickles that hold a state dict, and of nothing else.

use std::collections::HashMap;

use super::error::WeightError;
use super::pickle_value::{Object, Value};
use super::torch_object::{TorchFunction, TorchObject};

/// A pickle's value: what PyTorch's and Python's state dicts need, without calling anything.
///
/// A pickle is a program for a stack machine, and Python's own reader lets it call any function there is. This
/// reader knows the instructions that build numbers, strings, tuples, lists and dicts, and of functions the five
/// that a state dict is made of ([`TorchFunction`]); any other is an error, before anything happens. An instruction
/// adds at most one value, so that memory is bounded by the pickle's length.
#[derive(Debug, Default)]
pub(super) struct Pickle<'a> {
    pub(super) objects: Vec<Object<'a>>,
    stack: Vec<Value<'a>>,
    memo: HashMap<usize, Value<'a>>,
    rest: &'a [u8],
}

/// The most values on the stack, and the most tuples, lists, dicts, storages and tensors: a network of 10,000 tensors
/// needs 20,000 and 60,000.
const MOST_VALUES: usize = 1 << 20;

type Step<T> = Result<T, WeightError>;

impl<'a> Pickle<'a> {
    /// Runs the pickle at the start of `bytes` to its end. What follows it comes back too.
    pub(super) fn read(bytes: &'a [u8]) -> Step<(Self, Value<'a>, &'a [u8])> {
        let mut pickle = Self { rest: bytes, ..Self::default() };
        loop {
            let instruction = pickle.byte()?;
            if instruction == b'.' {
                let value = pickle.pop()?;
                let rest = pickle.rest;
                return Ok((pickle, value, rest));
            }
            pickle.run(instruction)?;
        }
    }

    /// The elements of a tuple or list; `None` if `value` is something else.
    pub(super) fn sequence(&self, value: Value<'a>) -> Option<&[Value<'a>]> {
        match value {
            Value::Object(at) => match &self.objects[at] {
                Object::Sequence(elements) => Some(elements),
                _ => None,
            },
            _ => None,
        }
    }

    /// The entries of a dict; `None` if `value` is something else.
    pub(super) fn dict(&self, value: Value<'a>) -> Option<&[(Value<'a>, Value<'a>)]> {
        match value {
            Value::Object(at) => match &self.objects[at] {
                Object::Dict(entries) => Some(entries),
                _ => None,
            },
            _ => None,
        }
    }

    /// What PyTorch made; `None` if `value` is something else.
    pub(super) fn torch(&self, value: Value<'a>) -> Option<&TorchObject<'a>> {
        match value {
            Value::Object(at) => match &self.objects[at] {
                Object::Torch(object) => Some(object),
                _ => None,
            },
            _ => None,
        }
    }

    fn run(&mut self, instruction: u8) -> Step<()> {
        match instruction {
            // Protocol, frame.
            0x80 => self.take(1).map(drop),
            0x95 => self.take(8).map(drop),
            b'(' => self.push(Value::Mark),
            b'0' => self.pop().map(drop),
            b'2' => self.top().and_then(|top| self.push(top)),
            b'N' => self.push(Value::None),
            0x88 => self.push(Value::Bool(true)),
            0x89 => self.push(Value::Bool(false)),
            b'J' | b'K' | b'M' | 0x8A | b'G' => self.number(instruction),
            b'X' | 0x8C | 0x8D | b'U' | b'T' | b'C' | b'B' => self.text(instruction),
            b')' | 0x85 | 0x86 | 0x87 | b't' | b']' | b'l' | b'a' | b'e' => {
                self.sequences(instruction)
            }
            b'}' | b'd' | b's' | b'u' => self.dicts(instruction),
            b'q' | b'r' | 0x94 | b'h' | b'j' => self.memorise(instruction),
            b'c' | 0x93 | b'R' | b'Q' | b'b' => self.call(instruction),
            other => Err(WeightError::malformed(
                "pickle instructions that a state dict needs",
                format!("instruction {other:#04x}"),
            )),
        }
    }

    fn number(&mut self, instruction: u8) -> Step<()> {
        let value = match instruction {
            b'J' => Value::Int(i64::from(i32::from_le_bytes(self.array()?))),
            b'K' => Value::Int(i64::from(self.byte()?)),
            b'M' => Value::Int(i64::from(u16::from_le_bytes(self.array()?))),
            b'G' => {
                self.take(8)?;
                Value::Number
            }
            // Little-endian, in two's complement, of any length.
            _ => {
                let length = usize::from(self.byte()?);
                let digits = self.take(length)?;
                let sign = if digits.last().is_some_and(|last| *last >= 0x80) { 0xFF } else { 0 };
                let mut bytes = [sign; 8];
                match bytes.get_mut(..length) {
                    Some(low) => {
                        low.copy_from_slice(digits);
                        Value::Int(i64::from_le_bytes(bytes))
                    }
                    None => Value::Number,
                }
            }
        };
        self.push(value)
    }

    fn text(&mut self, instruction: u8) -> Step<()> {
        let length = match instruction {
            0x8C | b'U' | b'C' => usize::from(self.byte()?),
            0x8D => usize::try_from(u64::from_le_bytes(self.array()?)).unwrap_or(usize::MAX),
            _ => u32::from_le_bytes(self.array()?) as usize,
        };
        let text = std::str::from_utf8(self.take(length)?);
        match text {
            Ok(text) => self.push(Value::Text(text)),
            // Bytes, for which a state dict has no use.
            Err(_) => self.push(Value::Number),
        }
    }

    fn sequences(&mut self, instruction: u8) -> Step<()> {
        match instruction {
            b'a' => {
                let element = self.pop()?;
                self.extend(vec![element])
            }
            b'e' => {
                let elements = self.pop_to_mark()?;
                self.extend(elements)
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

    fn extend(&mut self, elements: Vec<Value<'a>>) -> Step<()> {
        if let Value::Object(at) = self.top()?
            && let Object::Sequence(list) = &mut self.objects[at]
        {
            list.extend(elements);
            return Ok(());
        }
        Err(WeightError::malformed("a list to append to", "something else"))
    }

    fn dicts(&mut self, instruction: u8) -> Step<()> {
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
            return Err(WeightError::malformed("a value for every key", "a key alone"));
        }
        let entries = pairs.iter().map(|&[key, value]| (key, value));
        if instruction == b'd' {
            return self.push_object(Object::Dict(entries.collect()));
        }
        if let Value::Object(at) = self.top()?
            && let Object::Dict(dict) = &mut self.objects[at]
        {
            dict.extend(entries);
            return Ok(());
        }
        Err(WeightError::malformed("a dict to add to", "something else"))
    }

    fn memorise(&mut self, instruction: u8) -> Step<()> {
        let key = match instruction {
            b'q' | b'h' => usize::from(self.byte()?),
            b'r' | b'j' => u32::from_le_bytes(self.array()?) as usize,
            _ => self.memo.len(),
        };
        if matches!(instruction, b'h' | b'j') {
            let value = self.memo.get(&key).copied();
            let value =
                value.ok_or_else(|| WeightError::malformed("a value seen before", "none"))?;
            return self.push(value);
        }
        let value = self.top()?;
        self.memo.insert(key, value);
        Ok(())
    }

    fn call(&mut self, instruction: u8) -> Step<()> {
        match instruction {
            b'c' => {
                let (module, name) = (self.line()?, self.line()?);
                self.push(Value::Function(TorchFunction::named(module, name)?))
            }
            0x93 => match (self.pop()?, self.pop()?) {
                (Value::Text(name), Value::Text(module)) => {
                    self.push(Value::Function(TorchFunction::named(module, name)?))
                }
                _ => Err(WeightError::malformed("the name of a function", "something else")),
            },
            b'R' => {
                let (arguments, function) = (self.pop()?, self.pop()?);
                let Value::Function(function) = function else {
                    return Err(WeightError::malformed("a function to call", "something else"));
                };
                let result = function.apply(self, arguments)?;
                self.push_object(result)
            }
            b'Q' => {
                let id = self.pop()?;
                let storage = TorchObject::storage(self, id)?;
                self.push_object(Object::Torch(storage))
            }
            // Attributes of an ordered dict: the versions of PyTorch's layers.
            _ => {
                self.pop()?;
                let top = self.top()?;
                if self.dict(top).is_some() {
                    return Ok(());
                }
                Err(WeightError::malformed("attributes of a dict alone", "those of something else"))
            }
        }
    }

    fn push(&mut self, value: Value<'a>) -> Step<()> {
        check_count(self.stack.len())?;
        self.stack.push(value);
        Ok(())
    }

    fn push_object(&mut self, object: Object<'a>) -> Step<()> {
        check_count(self.objects.len())?;
        self.objects.push(object);
        self.push(Value::Object(self.objects.len() - 1))
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

    fn byte(&mut self) -> Step<u8> {
        Ok(self.take(1)?[0])
    }

    fn array<const N: usize>(&mut self) -> Step<[u8; N]> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    fn take(&mut self, count: usize) -> Step<&'a [u8]> {
        let split = self.rest.split_at_checked(count);
        let (taken, rest) = split.ok_or_else(|| {
            WeightError::malformed(
                "a whole pickle",
                "one that is cut off, or longer than a state dict's",
            )
        })?;
        self.rest = rest;
        Ok(taken)
    }

    fn line(&mut self) -> Step<&'a str> {
        let length = self.rest.iter().position(|byte| *byte == b'\n').unwrap_or(self.rest.len());
        let line = self.take(length)?;
        self.take(1)?;
        std::str::from_utf8(line).map_err(|error| WeightError::malformed("a name", error))
    }
}

fn check_count(count: usize) -> Step<()> {
    if count < MOST_VALUES {
        return Ok(());
    }
    Err(WeightError::malformed(format!("at most {MOST_VALUES} values in a pickle"), "more"))
}

fn empty() -> WeightError {
    WeightError::malformed("a value on the pickle's stack", "none")
}
