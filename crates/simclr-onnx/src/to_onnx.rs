//! Networks that can be written as a graph.

use crate::graph::{Graph, Value};

/// A network that says what it computes as nodes of a graph.
pub trait ToOnnx {
    /// Adds the network to `graph`, as it is outside of training, and returns its output.
    ///
    /// `input` has the shape of the network's own input, with any number of examples.
    fn to_onnx(&self, graph: &mut Graph, input: &Value) -> Value;
}
