//! A graph under construction.

use std::collections::HashMap;

use half::f16;
use prost::Message;

use crate::attribute::Attribute;
use crate::error::OnnxError;
use crate::proto::{
    DataType, Entry, Extent, GraphMessage, Model, Node, OperatorSet, Tensor, TensorDimension,
    TensorShape, TensorType, Type, ValueInfo,
};
use crate::weights::Weights;

/// The version of the format that has [`OPSET`].
const IR_VERSION: i64 = 8;

/// The version of the operators: the first with layer normalisation.
const OPSET: i64 = 17;

/// What one protobuf message may have.
const MOST_BYTES: usize = i32::MAX as usize;

/// A value that flows through a graph: an input, or what an operation gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value(String);

/// The size of an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dimension<'a> {
    /// Always the same.
    Fixed(usize),
    /// Any size; axes of one name have the same.
    Named(&'a str),
}

/// A graph of operations, with inputs, outputs and weights.
///
/// Operations come in the order in which they are added, which is an order in which they can be computed: an operation's
/// inputs exist before it does.
#[derive(Debug, Default)]
pub struct Graph {
    message: GraphMessage,
    metadata: Vec<Entry>,
    /// Whether weights are f16.
    half: bool,
    /// The names of the modules around what is added next.
    scope: Vec<String>,
    /// How many values have each name.
    named: HashMap<String, usize>,
    /// The first weight that cannot be written.
    fault: Option<OnnxError>,
}

impl Graph {
    /// An empty graph with weights in f32.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty graph that computes in f16 and has its weights in it: half the size. Inputs and outputs stay f32.
    ///
    /// Runtimes without f16 kernels, such as onnxruntime's on CPUs, compute in f32 with the rounded weights.
    #[must_use]
    pub fn in_half() -> Self {
        Self { half: true, ..Self::default() }
    }

    /// Adds an input of f32.
    pub fn input(&mut self, name: &str, shape: &[Dimension<'_>]) -> Value {
        let input = self.typed_input(name, DataType::Float, shape);
        self.cast_to_inside(input)
    }

    /// Adds an input of u8, which is used as numbers from 0 to 255.
    pub fn input_of_bytes(&mut self, name: &str, shape: &[Dimension<'_>]) -> Value {
        let input = self.typed_input(name, DataType::Uint8, shape);
        self.cast(&input, self.inside())
    }

    /// Makes `value` an output, in f32.
    pub fn output(&mut self, name: &str, value: &Value, shape: &[Dimension<'_>]) {
        let name = self.unique(name.to_owned());
        let (operator, attributes) = if self.half {
            ("Cast", vec![("to", Attribute::Int(DataType::Float as i64))])
        } else {
            ("Identity", vec![])
        };
        self.push(operator, &[value], attributes, name.clone());
        self.message.outputs.push(value_info(name, DataType::Float, shape));
    }

    /// Adds a text beside the graph, such as the names of classes.
    pub fn describe(&mut self, key: &str, value: impl Into<String>) {
        self.metadata.push(Entry { key: key.to_owned(), value: value.into() });
    }

    /// Adds what `layers` adds, with `name` before the names of its weights and operations.
    pub fn within<T>(&mut self, name: &str, layers: impl FnOnce(&mut Self) -> T) -> T {
        self.scope.push(name.to_owned());
        let result = layers(self);
        self.scope.pop();
        result
    }

    /// Adds weights. Their values are checked: [`into_bytes`](Self::into_bytes) fails for one that is NaN or infinite, or beyond f16
    /// in a graph that is [`in_half`](Self::in_half).
    pub fn weights(&mut self, name: &str, weights: &Weights) -> Value {
        let name = self.unique(self.path(name));
        let bytes = self.encoded(&name, weights.values());
        self.constant(name, weights.shape(), self.inside(), bytes)
    }

    /// Adds whole numbers: a shape, axes.
    pub fn integers(&mut self, name: &str, values: &[i64]) -> Value {
        let name = self.unique(self.path(name));
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.constant(name, &[values.len()], DataType::Int64, bytes)
    }

    /// Adds an operation of ONNX's own set with one output.
    pub fn operation(
        &mut self,
        operator: &str,
        inputs: &[&Value],
        attributes: Vec<(&str, Attribute)>,
    ) -> Value {
        let name = self.unique(self.path(&operator.to_lowercase()));
        self.push(operator, inputs, attributes, name)
    }

    /// The file's bytes.
    ///
    /// # Errors
    ///
    /// [`OnnxError`] for a weight that cannot be written, and for a graph of 2 GiB and more.
    pub fn into_bytes(self) -> Result<Vec<u8>, OnnxError> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        let model = Model {
            ir_version: IR_VERSION,
            opset_import: vec![OperatorSet { domain: String::new(), version: OPSET }],
            producer_name: "simclr".to_owned(),
            producer_version: env!("CARGO_PKG_VERSION").to_owned(),
            graph: Some(GraphMessage { name: "encoder".to_owned(), ..self.message }),
            metadata: self.metadata,
        };
        let found = model.encoded_len();
        if found > MOST_BYTES {
            return Err(OnnxError::TooLarge { found });
        }
        Ok(model.encode_to_vec())
    }

    /// The type that the graph computes in.
    fn inside(&self) -> DataType {
        if self.half { DataType::Float16 } else { DataType::Float }
    }

    fn typed_input(&mut self, name: &str, element: DataType, shape: &[Dimension<'_>]) -> Value {
        let name = self.unique(name.to_owned());
        self.message.inputs.push(value_info(name.clone(), element, shape));
        Value(name)
    }

    /// An input of f32 in the type that the graph computes in.
    fn cast_to_inside(&mut self, input: Value) -> Value {
        if self.half { self.cast(&input, DataType::Float16) } else { input }
    }

    fn cast(&mut self, value: &Value, to: DataType) -> Value {
        self.operation("Cast", &[value], vec![("to", Attribute::Int(to as i64))])
    }

    fn push(
        &mut self,
        operator: &str,
        inputs: &[&Value],
        attributes: Vec<(&str, Attribute)>,
        name: String,
    ) -> Value {
        let attributes = attributes.into_iter().map(|(name, value)| value.message(name)).collect();
        self.message.nodes.push(Node {
            inputs: inputs.iter().map(|input| input.0.clone()).collect(),
            outputs: vec![name.clone()],
            name: name.clone(),
            operator: operator.to_owned(),
            attributes,
        });
        Value(name)
    }

    fn constant(
        &mut self,
        name: String,
        shape: &[usize],
        element: DataType,
        raw_data: Vec<u8>,
    ) -> Value {
        self.message.initializers.push(Tensor {
            dims: shape.iter().map(|&size| size as i64).collect(),
            data_type: element as i32,
            name: name.clone(),
            raw_data,
        });
        Value(name)
    }

    fn encoded(&mut self, tensor: &str, values: &[f32]) -> Vec<u8> {
        let largest = if self.half { f16::MAX.to_f32() } else { f32::MAX };
        let is_beyond = |value: f32| value.is_nan() || value.abs() > largest;
        if let Some(&found) = values.iter().find(|value| is_beyond(**value)) {
            let tensor = tensor.to_owned();
            self.fault.get_or_insert(if found.is_finite() {
                OnnxError::BeyondHalf { tensor, found }
            } else {
                OnnxError::NotFinite { tensor, found }
            });
        }
        if self.half {
            values.iter().flat_map(|&value| f16::from_f32(value).to_le_bytes()).collect()
        } else {
            values.iter().flat_map(|value| value.to_le_bytes()).collect()
        }
    }

    /// `name` after the names of the modules around it.
    fn path(&self, name: &str) -> String {
        let around = self.scope.iter().map(String::as_str);
        around.chain([name]).collect::<Vec<_>>().join(".")
    }

    /// `name`, with a number if it is taken.
    fn unique(&mut self, name: String) -> String {
        let count = self.named.entry(name.clone()).or_insert(0);
        *count += 1;
        match *count {
            1 => name,
            count => self.unique(format!("{name}_{count}")),
        }
    }
}

fn value_info(name: String, element: DataType, shape: &[Dimension<'_>]) -> ValueInfo {
    let extent = |dimension: &Dimension<'_>| match *dimension {
        Dimension::Fixed(size) => Extent::Fixed(size as i64),
        Dimension::Named(name) => Extent::Named(name.to_owned()),
    };
    let dims = shape.iter().map(|dimension| TensorDimension { extent: Some(extent(dimension)) });
    let shape = Some(TensorShape { dims: dims.collect() });
    let tensor = Some(TensorType { element: element as i32, shape });
    ValueInfo { name, value_type: Some(Type { tensor }) }
}
