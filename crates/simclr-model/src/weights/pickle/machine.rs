//! The stack machine that runs pickles.

use std::collections::HashMap;

use super::heap::{Heap, check_count};
use super::instructions::Instructions;
use super::value::{Object, Value};
use crate::weights::error::WeightFault;

/// The value of a pickle. It is read without calling anything.
///
/// A pickle is a program for a stack machine, and Python's own reader lets it call any function. This reader puts together
/// numbers, strings, tuples, lists and dicts, and knows what the few functions mean that a state dict is made of
/// ([`TorchFunction`](super::torch_object::TorchFunction)). What any other function would make is an
/// [`Instance`](super::value::Instance): a name, and nothing behind it. An instruction keeps no more values than it has taken
/// from the stack, and [`Heap`] counts them, so that the pickle's length bounds the memory.
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

/// The values that take as much memory as one with a number.
const VALUES_PER_MEMO: usize = 2;

pub(super) type Step<T> = Result<T, WeightFault>;

pub(super) struct Machine<'a> {
    pub(super) instructions: Instructions<'a>,
    pub(super) heap: Heap<'a>,
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
            b'1' => self.pop_to_mark().map(drop),
            b'2' => self.top().and_then(|top| self.push(top)),
            b'N' => self.push(Value::None),
            0x88 => self.push(Value::Bool(true)),
            0x89 => self.push(Value::Bool(false)),
            b'J' | b'K' | b'M' | b'I' | b'L' | b'F' | b'G' | 0x8A | 0x8B => {
                let number = self.instructions.number(instruction)?;
                self.push(number.map_or(Value::Opaque, Value::Int))
            }
            b'X' | b'U' | b'T' | b'C' | b'B' | b'S' | b'V' | 0x8C..=0x8E | 0x96 => {
                let text = self.instructions.text(instruction)?;
                self.push(text.map_or(Value::Opaque, Value::Text))
            }
            b')' | 0x85..=0x87 | b't' | b']' | b'l' | b'a' | b'e' => self.sequence(instruction),
            b'}' | b'd' | b's' | b'u' => self.dict(instruction),
            0x8F..=0x91 => self.set(instruction),
            b'q' | b'r' | b'p' | 0x94 => self.memorise(instruction),
            b'h' | b'j' | b'g' => self.recall(instruction),
            b'c' | 0x93 | 0x82..=0x84 => self.global(instruction),
            b'R' | b'o' | b'i' | 0x81 | 0x92 => self.call(instruction),
            b'Q' => self.persistent(),
            b'b' => self.attributes(),
            other => Err(WeightFault::malformed(
                "pickle instructions that a checkpoint needs",
                format!("instruction {other:#04x}"),
            )),
        }
    }

    /// Numbers the value on top of the stack.
    fn memorise(&mut self, instruction: u8) -> Step<()> {
        let number = match instruction {
            0x94 => self.memo.len(),
            _ => self.instructions.memo_number(instruction)?,
        };
        let value = self.top()?;
        self.heap.keep(VALUES_PER_MEMO)?;
        self.memo.insert(number, value);
        Ok(())
    }

    /// Pushes a value that was numbered before.
    fn recall(&mut self, instruction: u8) -> Step<()> {
        let number = self.instructions.memo_number(instruction)?;
        let value = self.memo.get(&number).copied();
        self.push(value.ok_or_else(|| WeightFault::malformed("a value seen before", "none"))?)
    }

    pub(super) fn push(&mut self, value: Value<'a>) -> Step<()> {
        check_count(self.stack.len() + 1)?;
        self.stack.push(value);
        Ok(())
    }

    pub(super) fn push_object(&mut self, object: Object<'a>) -> Step<()> {
        let value = self.heap.push(object)?;
        self.push(value)
    }

    pub(super) fn top(&self) -> Step<Value<'a>> {
        self.stack.last().copied().ok_or_else(empty)
    }

    pub(super) fn pop(&mut self) -> Step<Value<'a>> {
        self.stack.pop().ok_or_else(empty)
    }

    /// The last `count` values, oldest first.
    pub(super) fn pop_last(&mut self, count: usize) -> Step<Vec<Value<'a>>> {
        let start = self.stack.len().checked_sub(count).ok_or_else(empty)?;
        Ok(self.stack.split_off(start))
    }

    pub(super) fn pop_to_mark(&mut self) -> Step<Vec<Value<'a>>> {
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
    fn more_values_than_a_checkpoint_needs_are_refused() {
        let limit = "expected at most 4194304 values in a pickle, found more";
        // A list of `None`s, one of empty tuples, lists that are dropped, and one value that is numbered again and again.
        for (start, repeated) in
            [("(", "N"), ("(", ")"), ("]", "0]"), ("N", "\u{94}"), ("]", "(NNNNe"), ("}", "(NNNNu")]
        {
            let mut bytes: Vec<u8> = start.chars().map(|c| c as u8).collect();
            let repeated: Vec<u8> = repeated.chars().map(|c| c as u8).collect();
            bytes.extend(repeated.repeat((1 << 23) / repeated.len()));
            let error = Pickle::read(&bytes).unwrap_err().to_string();
            assert_eq!(error, limit, "{start}{}", String::from_utf8_lossy(&repeated));
        }
    }

    /// What `Pickle::read` makes of the pickle that ends after the value under test, and of a number after it.
    #[test]
    fn objects_of_python_are_read_past() {
        for bytes in [
            // pickle.dumps of argparse.Namespace(a=1), protocols 2 and 0.
            &b"cargparse\nNamespace\nq\x00)\x81q\x01}q\x02X\x01\x00\x00\x00aK\x01sb"[..],
            b"ccopy_reg\n_reconstructor\n(cargparse\nNamespace\nc__builtin__\nobject\nNtR(dVa\nI1\nsb",
            // With STACK_GLOBAL, and arguments by name.
            b"\x8C\x05torch\x8C\x06device\x93\x8C\x04cuda\x85R",
            b"cm\nC\n)}\x92",
            // A set, a frozen set, a deque, a bytearray, a float, a long of 70 bits.
            b"\x8F(K\x01K\x02\x90",
            b"(K\x01\x91",
            b"ccollections\ndeque\n)R(K\x01K\x02e",
            b"\x96\x02\x00\x00\x00\x00\x00\x00\x00ab",
            b"F1.5\n",
            b"L1180591620717411303424L\n",
            // Classes of Python 2, and by a registered number.
            b"(cm\nC\nK\x01o",
            b"(K\x01im\nC\n",
            b"\x82\x07)R}b",
            // A result that is called, and an object that is changed.
            b"cm\nf\n)R)R}b",
        ] {
            let whole = [b"(", bytes, b"K\x2At."].concat();
            let (pickle, rest) = Pickle::read(&whole).unwrap_or_else(|e| panic!("{bytes:?}: {e}"));
            assert!(rest.is_empty());
            let values = pickle.heap.sequence(pickle.top).unwrap();
            assert_eq!((values.len(), values[1]), (2, Value::Int(42)), "{bytes:?}");
        }
    }

    #[test]
    fn a_dict_of_another_class_is_a_dict() {
        for bytes in [
            // defaultdict(int, {"x": 7}), OrderedDict([("x", 7)]) by Python 2, and a subclass with attributes.
            &b"ccollections\ndefaultdict\nc__builtin__\nint\n\x85RU\x01xK\x07s."[..],
            b"ccollections\nOrderedDict\n(](](U\x01xK\x07eetR.",
            b"cm\nDict\n)\x81(U\x01xK\x07u}b.",
        ] {
            let (pickle, _) = Pickle::read(bytes).unwrap();
            let entries = pickle.heap.dict(pickle.top).unwrap();
            assert_eq!(entries, [(Value::Text("x"), Value::Int(7))], "{bytes:?}");
        }
    }

    #[test]
    fn a_network_shows_by_its_layers() {
        for (state, is_network) in [("_modules", true), ("modules", false)] {
            let bytes = format!("cm\nNet\n)\x01}}U{}{state}}}sb.", state.len() as u8 as char);
            let bytes: Vec<u8> = bytes.bytes().map(|b| if b == 1 { 0x81 } else { b }).collect();
            let (pickle, _) = Pickle::read(&bytes).unwrap();
            let instance = pickle.heap.instance(pickle.top).unwrap();
            assert_eq!(instance.class.unwrap().to_string(), "m.Net");
            assert_eq!(instance.is_network, is_network);
        }
    }

    #[test]
    fn functions_that_nest_without_end_do_not_overflow_the_stack() {
        // _rebuild_from_type_v2 of itself, a hundred thousand times.
        let mut bytes = b"ctorch._tensor\n_rebuild_from_type_v2\nq\x00N".to_vec();
        for _ in 0..100_000 {
            bytes.extend(b"q\x01(h\x00Nh\x01t");
        }
        bytes.extend(b"R.");
        assert!(Pickle::read(&bytes).is_ok());
    }

    #[test]
    fn a_list_that_holds_itself_is_read() {
        let (pickle, _) = Pickle::read(b"]q\x00h\x00a.").unwrap();
        assert_eq!(pickle.heap.sequence(pickle.top).unwrap(), [pickle.top]);
    }
}
