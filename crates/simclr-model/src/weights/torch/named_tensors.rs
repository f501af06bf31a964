//! The tensors in a pickle, by their places in its dicts and lists.

use std::collections::BTreeMap;

use crate::weights::contents::PassedObject;
use crate::weights::error::WeightFault;
use crate::weights::pickle::{Pickle, TensorReference, TorchObject, Value, check_count};

/// The deepest nesting that is searched. What lies deeper is passed over.
const MOST_DEPTH: usize = 32;
/// The longest name of a place, in bytes. What has a longer one is passed over.
const MOST_NAME_BYTES: usize = 1024;
/// The most tensors that are named: a network of 10,000 tensors and its optimiser need 40,000.
const MOST_TENSORS: usize = 1 << 16;
/// The most objects that are named beside them.
const MOST_OBJECTS: usize = 1 << 12;

/// The tensors of a pickle, and the objects that were passed over, by name.
///
/// A name is the keys and positions on the way to the tensor, joined by dots: `state_dict.module.conv1.weight`.
#[derive(Debug, Default)]
pub(super) struct NamedTensors<'p, 'a> {
    pub(super) tensors: Vec<(String, &'p TensorReference<'a>)>,
    pub(super) objects: BTreeMap<String, PassedObject>,
}

impl<'p, 'a> NamedTensors<'p, 'a> {
    /// Looks through dicts, lists and tuples.
    ///
    /// # Errors
    ///
    /// [`WeightFault::Malformed`] if containers that hold each other many times over expand to more than a checkpoint
    /// needs.
    pub(super) fn of(pickle: &'p Pickle<'a>) -> Result<Self, WeightFault> {
        let mut walk = Walk {
            pickle,
            found: Self::default(),
            name: String::new(),
            around: Vec::new(),
            looked_at: 0,
        };
        walk.visit(pickle.top)?;
        Ok(walk.found)
    }
}

struct Walk<'p, 'a> {
    pickle: &'p Pickle<'a>,
    found: NamedTensors<'p, 'a>,
    /// The name of the current place.
    name: String,
    /// The containers around it.
    around: Vec<Value<'a>>,
    looked_at: usize,
}

impl<'a> Walk<'_, 'a> {
    fn visit(&mut self, value: Value<'a>) -> Result<(), WeightFault> {
        let heap = &self.pickle.heap;
        if let Some(TorchObject::Tensor(tensor)) = heap.torch(value) {
            // A tensor alone has no name.
            if self.around.is_empty() {
                return Ok(());
            }
            if self.found.tensors.len() == MOST_TENSORS {
                let expected = format!("at most {MOST_TENSORS} tensors in a pickle");
                return Err(WeightFault::malformed(expected, "more"));
            }
            self.found.tensors.push((self.name.clone(), tensor));
        } else if let Some(instance) = heap.instance(value) {
            if self.found.objects.len() < MOST_OBJECTS {
                let class = instance.class.map_or("an unknown class".to_owned(), |c| c.to_string());
                let object = PassedObject { class, is_network: instance.is_network };
                self.found.objects.insert(self.name.clone(), object);
            }
        } else if let Some(entries) = heap.dict(value) {
            self.enter(value, entries.len(), entries.iter().copied())?;
        } else if let Some(elements) = heap.sequence(value) {
            let numbered = (0..).map(Value::Int).zip(elements.iter().copied());
            self.enter(value, elements.len(), numbered)?;
        }
        Ok(())
    }

    /// Visits what a container holds. One that holds itself ends there.
    fn enter(
        &mut self,
        container: Value<'a>,
        count: usize,
        entries: impl Iterator<Item = (Value<'a>, Value<'a>)>,
    ) -> Result<(), WeightFault> {
        self.looked_at += count;
        check_count(self.looked_at)?;
        if self.around.len() == MOST_DEPTH || self.around.contains(&container) {
            return Ok(());
        }
        self.around.push(container);
        let outer = self.name.len();
        for (key, value) in entries {
            // Numbers and text are no tensors.
            if matches!(value, Value::Object(_)) && self.append(key) {
                self.visit(value)?;
            }
            self.name.truncate(outer);
        }
        self.around.pop();
        Ok(())
    }

    /// Appends a key to the name; `false` if no name has such a key.
    fn append(&mut self, key: Value<'a>) -> bool {
        let number;
        let key = match key {
            Value::Text(key) => key,
            Value::Int(key) => {
                number = key.to_string();
                &number
            }
            _ => return false,
        };
        if self.name.len() + 1 + key.len() > MOST_NAME_BYTES {
            return false;
        }
        if self.around.len() > 1 {
            self.name.push('.');
        }
        self.name.push_str(key);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The names in a pickle of `bytes`, where a tensor stands for a parameter of `()`.
    fn objects(bytes: &[u8]) -> Result<Vec<String>, WeightFault> {
        let (pickle, _) = Pickle::read(bytes)?;
        Ok(NamedTensors::of(&pickle)?.objects.into_keys().collect())
    }

    #[test]
    fn names_are_the_keys_and_positions_on_the_way() {
        // {"a": [7, {3: object()}], None: object(), "b.c": object()}
        let bytes = b"}(U\x01a](K\x07}K\x03cm\nc\n)\x81seNcm\nc\n)\x81U\x03b.ccm\nc\n)\x81u.";
        assert_eq!(objects(bytes).unwrap(), ["a.1.3", "b.c"]);
    }

    #[test]
    fn containers_that_hold_each_other_many_times_over_are_refused_in_bounded_time() {
        // Each list holds the one before 10 times: 10^20 places.
        let mut bytes = b"]q\x00".to_vec();
        for level in 0..20 {
            bytes.extend(b"](");
            bytes.extend([b'h', level].repeat(10));
            bytes.extend([b'e', b'q', level + 1]);
        }
        bytes.push(b'.');
        assert_eq!(
            objects(&bytes).unwrap_err().to_string(),
            "expected at most 4194304 values in a pickle, found more"
        );
    }

    #[test]
    fn what_lies_too_deep_or_has_too_long_a_name_is_passed_over() {
        let nested = |depth: usize| {
            [&b"]".repeat(depth)[..], b"cm\nc\n)\x81", &b"a".repeat(depth), b"."].concat()
        };
        assert_eq!(objects(&nested(MOST_DEPTH)).unwrap().len(), 1);
        assert!(objects(&nested(MOST_DEPTH + 1)).unwrap().is_empty());
        assert!(objects(&nested(1_000_000)).unwrap().is_empty());
        let named = |length: usize| {
            let length_bytes = (length as u32).to_le_bytes();
            [&b"}X"[..], &length_bytes, &b"k".repeat(length), b"cm\nc\n)\x81s."].concat()
        };
        assert_eq!(objects(&named(1000)).unwrap().len(), 1);
        assert!(objects(&named(2000)).unwrap().is_empty());
    }

    #[test]
    fn a_container_that_holds_itself_is_searched_once() {
        // d = {"self": d, "x": object()}
        let bytes = b"}q\x00(U\x04selfh\x00U\x01xcm\nc\n)\x81u.";
        assert_eq!(objects(bytes).unwrap(), ["x"]);
    }
}
