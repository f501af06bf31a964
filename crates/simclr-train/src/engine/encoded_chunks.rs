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
    /// Features without a graph: view a of its examples, then view b, `[2n, feature_size]`.
    pub(crate) features: Tensor<2>,
}

/// The chunks of a batch in their order, at least one.
pub(crate) struct EncodedChunks(pub(crate) Vec<EncodedChunk>);

impl EncodedChunks {
    /// The features of the batch: view a of all examples, then view b, `[2n, feature_size]`, on a device that
    /// differentiates.
    pub(crate) fn by_view(&self) -> Tensor<2> {
        let halves = || self.0.iter().map(|chunk| (chunk.features.clone(), chunk.examples));
        let a = halves().map(|(h, n)| h.slice([..n]));
        let b = halves().map(|(h, n)| h.slice([n..]));
        Tensor::from_inner(Tensor::cat(a.chain(b).collect(), 0))
    }

    /// The class of each example of the batch; `None` unless all have one.
    pub(crate) fn labels(&self) -> Option<Vec<usize>> {
        let labels = self.0.iter().map(|chunk| chunk.labels.clone());
        Some(labels.collect::<Option<Vec<_>>>()?.concat())
    }

    /// Cuts rows in the order of [`by_view`](Self::by_view) into those of each chunk, for each of `devices` devices.
    pub(crate) fn by_device(&self, rows: &Tensor<2>, devices: usize) -> Vec<Vec<Tensor<2>>> {
        let examples: usize = self.0.iter().map(|chunk| chunk.examples).sum();
        let (mut cut, mut start) = (vec![Vec::new(); devices], 0);
        for chunk in &self.0 {
            let halves = [start, examples + start];
            let halves = halves.map(|at| rows.clone().narrow(0, at, chunk.examples));
            cut[chunk.device].push(Tensor::cat(halves.to_vec(), 0));
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
            chunk(2, 2, &[10.1, 20.1, 10.2, 20.2]),
            chunk(0, 1, &[30.1, 30.2]),
            chunk(2, 1, &[40.1, 40.2]),
        ]);
        let values = |rows: &Tensor<2>| rows.to_data_as::<f32>().iter::<f32>().collect::<Vec<_>>();
        let whole = chunks.by_view().without_autodiff();
        assert_eq!(values(&whole), [10.1, 20.1, 30.1, 40.1, 10.2, 20.2, 30.2, 40.2]);
        assert_eq!(chunks.labels().unwrap(), [2, 2, 0, 2]);
        let cut = chunks.by_device(&whole, 3);
        let cut: Vec<Vec<Vec<f32>>> =
            cut.iter().map(|chunks| chunks.iter().map(values).collect()).collect();
        let [first, third] = [&chunks.0[0], &chunks.0[2]].map(|chunk| values(&chunk.features));
        assert_eq!(cut, [vec![vec![30.1, 30.2]], vec![], vec![first, third]]);
    }
}
