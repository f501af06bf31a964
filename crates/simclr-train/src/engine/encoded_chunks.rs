//! The chunks of a batch, encoded.

use burn::tensor::Tensor;

/// A chunk after its first encoding.
pub(crate) struct EncodedChunk {
    /// The number of the device that encoded it.
    pub(crate) device: usize,
    /// The number of its examples, n.
    pub(crate) examples: usize,
    /// The class of each example; `None` unless all have one.
    pub(crate) labels: Option<Vec<usize>>,
    /// Features without a graph: the first view of its examples, then the second, and so on, `[V n, feature_size]`.
    pub(crate) features: Tensor<2>,
}

/// The chunks of a batch in their order, at least one.
pub(crate) struct EncodedChunks(pub(crate) Vec<EncodedChunk>);

impl EncodedChunks {
    /// The features of the batch: the first view of all examples, then the second, and so on, `[V n, feature_size]`, on a
    /// device that differentiates.
    pub(crate) fn by_view(&self) -> Tensor<2> {
        let of_view = |view: usize| {
            let rows = move |chunk: &EncodedChunk| {
                chunk.features.clone().narrow(0, view * chunk.examples, chunk.examples)
            };
            self.0.iter().map(rows)
        };
        Tensor::from_inner(Tensor::cat((0..self.views()).flat_map(of_view).collect(), 0))
    }

    /// The number of examples of the batch.
    pub(crate) fn examples(&self) -> usize {
        self.0.iter().map(|chunk| chunk.examples).sum()
    }

    /// The number of views of each example.
    fn views(&self) -> usize {
        self.0.first().map_or(0, |chunk| chunk.features.dims()[0] / chunk.examples)
    }

    /// The class of each example of the batch; `None` unless all have one.
    pub(crate) fn labels(&self) -> Option<Vec<usize>> {
        let labels = self.0.iter().map(|chunk| chunk.labels.clone());
        Some(labels.collect::<Option<Vec<_>>>()?.concat())
    }

    /// Cuts rows in the order of [`by_view`](Self::by_view) into those of each chunk, for each of `devices` devices.
    pub(crate) fn by_device(&self, rows: &Tensor<2>, devices: usize) -> Vec<Vec<Tensor<2>>> {
        let examples = self.examples();
        let (mut cut, mut start) = (vec![Vec::new(); devices], 0);
        for chunk in &self.0 {
            let of_view =
                |view: usize| rows.clone().narrow(0, view * examples + start, chunk.examples);
            cut[chunk.device].push(Tensor::cat((0..self.views()).map(of_view).collect(), 0));
            start += chunk.examples;
        }
        cut
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    #[test]
    fn rows_by_view_are_cut_into_those_of_each_device() {
        let device = Device::flex();
        let rows = |values: &[f32]| Tensor::<1>::from_floats(values, &device).unsqueeze_dim(1);
        let chunk = |device: usize, examples: usize, values: &[f32]| {
            let (labels, features) = (Some(vec![device; examples]), rows(values));
            EncodedChunk { device, examples, labels, features }
        };
        // Tens are examples, tenths are views.
        let chunks = EncodedChunks(vec![
            chunk(2, 2, &[10.1, 20.1, 10.2, 20.2, 10.3, 20.3]),
            chunk(0, 1, &[30.1, 30.2, 30.3]),
            chunk(2, 1, &[40.1, 40.2, 40.3]),
        ]);
        let values = |rows: &Tensor<2>| rows.to_data_as::<f32>().iter::<f32>().collect::<Vec<_>>();
        let whole = chunks.by_view().without_autodiff();
        let of_views =
            [[10.1, 20.1, 30.1, 40.1], [10.2, 20.2, 30.2, 40.2], [10.3, 20.3, 30.3, 40.3]];
        assert_eq!(values(&whole), of_views.concat());
        assert_eq!(chunks.labels().unwrap(), [2, 2, 0, 2]);
        let cut = chunks.by_device(&whole, 3);
        let cut: Vec<Vec<Vec<f32>>> =
            cut.iter().map(|chunks| chunks.iter().map(values).collect()).collect();
        let [first, third] = [&chunks.0[0], &chunks.0[2]].map(|chunk| values(&chunk.features));
        assert_eq!(cut, [vec![vec![30.1, 30.2, 30.3]], vec![], vec![first, third]]);
    }
}
