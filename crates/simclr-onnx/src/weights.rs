//! Numbers that a network has learnt.

/// The values of a tensor on the host, row by row.
#[derive(Debug, Clone, PartialEq)]
pub struct Weights {
    shape: Vec<usize>,
    values: Vec<f32>,
}

impl Weights {
    /// A tensor of `shape`.
    ///
    /// # Panics
    ///
    /// Unless there are as many values as the shape says.
    #[must_use]
    pub fn new(shape: impl Into<Vec<usize>>, values: Vec<f32>) -> Self {
        let shape = shape.into();
        let expected: usize = shape.iter().product();
        assert_eq!(values.len(), expected, "expected {expected} values for shape {shape:?}");
        Self { shape, values }
    }

    /// The size of each axis.
    #[must_use]
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The values, row by row.
    #[must_use]
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// The values, row by row, to be changed.
    #[must_use]
    pub fn values_mut(&mut self) -> &mut [f32] {
        &mut self.values
    }

    /// A matrix with rows and columns exchanged.
    ///
    /// # Panics
    ///
    /// Unless it has two axes.
    #[must_use]
    pub fn transposed(&self) -> Self {
        let [rows, columns] = self.shape[..] else {
            panic!("expected a matrix, found shape {:?}", self.shape);
        };
        let at = |index: usize| self.values[index % rows * columns + index / rows];
        Self { shape: vec![columns, rows], values: (0..rows * columns).map(at).collect() }
    }
}
