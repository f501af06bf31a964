//! The state of an optimiser between two steps, outside of any device.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use burn::tensor::{Device, Tensor};
use safetensors::{Dtype, SafeTensorError, SafeTensors, View};

use crate::optim::rule::RuleState;

/// The state of an optimiser: for each parameter by its name. It doesn't tell which parameters were packed together, so
/// that a run goes on on another kind of device.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct OptimizerState {
    pub(crate) parameters: BTreeMap<String, ParameterState>,
}

/// The state for one parameter, in the order of its [`StateNames`].
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ParameterState {
    /// Numbers for each value of the parameter.
    pub(crate) vectors: Vec<Vec<f32>>,
    /// Numbers for all of its values.
    pub(crate) scalars: Vec<f32>,
}

impl ParameterState {
    /// As a rule has it on a device.
    pub(crate) fn on(&self, device: &Device) -> RuleState {
        let vector = |values: &Vec<f32>| Tensor::from_floats(&values[..], device);
        let scalar = |value: &f32| Tensor::from_floats([*value], device);
        RuleState {
            vectors: self.vectors.iter().map(vector).collect(),
            scalars: self.scalars.iter().map(scalar).collect(),
        }
    }
}

/// The names of the parts of a parameter's state.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct StateNames {
    /// Those with a number for each value of the parameter.
    pub(crate) vectors: Vec<&'static str>,
    /// Those with one number.
    pub(crate) scalars: Vec<&'static str>,
}

/// Between the name of a parameter and the name of a part of its state.
const OF: char = ':';

impl OptimizerState {
    /// The state as a file of safetensors, with these names of its [vectors and scalars](StateNames).
    pub(crate) fn to_bytes(&self, names: &StateNames) -> Result<Vec<u8>, SafeTensorError> {
        let tensors = self.parameters.iter().flat_map(|(parameter, state)| {
            let vectors = names.vectors.iter().zip(state.vectors.iter().map(Vec::as_slice));
            let scalars = names.scalars.iter().zip(state.scalars.chunks(1));
            vectors.chain(scalars).map(move |(name, values)| {
                (format!("{parameter}{OF}{name}"), Values { values, shape: [values.len()] })
            })
        });
        safetensors::serialize(tensors, None)
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote for some of the parameters of these names and numbers of values.
    ///
    /// # Errors
    ///
    /// What was expected and found.
    pub(crate) fn from_bytes(
        bytes: &[u8],
        names: &StateNames,
        counts: &BTreeMap<String, usize>,
    ) -> Result<Self, String> {
        let file = SafeTensors::deserialize(bytes).map_err(|error| error.to_string())?;
        let known: BTreeSet<&str> = names.vectors.iter().chain(&names.scalars).copied().collect();
        let mut found: BTreeSet<&str> = BTreeSet::new();
        for name in file.names() {
            let of = name.rsplit_once(OF).filter(|(parameter, part)| {
                counts.contains_key(*parameter) && known.contains(part)
            });
            let Some((parameter, _)) = of else {
                let known: Vec<&str> = known.iter().copied().collect();
                return Err(format!(
                    "expected the parts [{}] of this model's parameters, found `{name}`",
                    known.join(", ")
                ));
            };
            found.insert(parameter);
        }
        let read = |parameter: &str, part: &str, count: usize| {
            let name = format!("{parameter}{OF}{part}");
            let tensor = file.tensor(&name).map_err(|error| error.to_string())?;
            let (dtype, shape) = (tensor.dtype(), tensor.shape());
            if dtype != Dtype::F32 || shape != [count] {
                return Err(format!("expected {count} F32 in `{name}`, found {dtype:?} {shape:?}"));
            }
            let number = |bytes: &[u8]| f32::from_le_bytes(bytes.try_into().expect("four bytes"));
            Ok(tensor.data().chunks_exact(4).map(number).collect::<Vec<f32>>())
        };
        let state = |parameter: &str| {
            let count = counts[parameter];
            let vectors = names.vectors.iter().map(|part| read(parameter, part, count));
            let scalars = names.scalars.iter().map(|part| read(parameter, part, 1));
            let vectors = vectors.collect::<Result<_, String>>()?;
            let scalars = scalars.collect::<Result<Vec<_>, String>>()?.concat();
            Ok((parameter.to_owned(), ParameterState { vectors, scalars }))
        };
        let parameters = found.into_iter().map(state).collect::<Result<_, String>>()?;
        Ok(Self { parameters })
    }
}

/// Numbers whose bytes are made when safetensors asks for them.
struct Values<'a> {
    values: &'a [f32],
    shape: [usize; 1],
}

impl View for Values<'_> {
    fn dtype(&self) -> Dtype {
        Dtype::F32
    }
    fn shape(&self) -> &[usize] {
        &self.shape
    }
    fn data(&self) -> Cow<'_, [u8]> {
        self.values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>().into()
    }
    fn data_len(&self) -> usize {
        size_of_val(self.values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> StateNames {
        StateNames { vectors: vec!["first", "second"], scalars: vec!["power"] }
    }

    fn state() -> OptimizerState {
        let of = |values: [f32; 2], power| ParameterState {
            vectors: vec![values.to_vec(), vec![0.5; 2]],
            scalars: vec![power],
        };
        let parameters = [("layer.weight", [1.0, -2.0], 0.9), ("layer.bias", [0.0, 3.0], 0.81)];
        let parameters =
            parameters.map(|(name, values, power)| (name.to_owned(), of(values, power)));
        OptimizerState { parameters: parameters.into() }
    }

    fn counts(counts: &[(&str, usize)]) -> BTreeMap<String, usize> {
        counts.iter().map(|&(name, count)| (name.to_owned(), count)).collect()
    }

    #[test]
    fn a_state_comes_back_from_its_file() {
        let counts = counts(&[("layer.weight", 2), ("layer.bias", 2), ("without.gradient", 7)]);
        for state in [state(), OptimizerState::default()] {
            let bytes = state.to_bytes(&names()).unwrap();
            assert_eq!(OptimizerState::from_bytes(&bytes, &names(), &counts).unwrap(), state);
        }
    }

    #[test]
    fn a_file_of_another_model_optimiser_or_shape_is_refused_with_what_was_found() {
        let bytes = state().to_bytes(&names()).unwrap();
        let fits = counts(&[("layer.weight", 2), ("layer.bias", 2)]);
        let refused = |bytes: &[u8], names: &StateNames, counts: &BTreeMap<String, usize>| {
            OptimizerState::from_bytes(bytes, names, counts).unwrap_err()
        };
        let other_model = refused(&bytes, &names(), &counts(&[("layer.weight", 2)]));
        assert!(other_model.contains("found `layer.bias:"), "{other_model}");
        let sgd = StateNames { vectors: vec!["velocity"], scalars: Vec::new() };
        let other_rule = refused(&bytes, &sgd, &fits);
        assert!(other_rule.contains("the parts [velocity]"), "{other_rule}");
        let more = StateNames { vectors: vec!["first", "second", "third"], ..names() };
        let missing = refused(&bytes, &more, &fits);
        assert!(missing.contains("third"), "{missing}");
        let other_shape =
            refused(&bytes, &names(), &counts(&[("layer.weight", 3), ("layer.bias", 2)]));
        let expected = "expected 3 F32 in `layer.weight:first`, found F32 [2]";
        assert_eq!(other_shape, expected);
        for torn in [&bytes[..bytes.len() - 1], &bytes[..20], &[], b"no safetensors"] {
            assert!(!refused(torn, &names(), &fits).is_empty());
        }
    }
}
