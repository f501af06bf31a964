use burn::tensor::{Device, Int, Tensor};

use crate::config::{AugmentationConfig, ResizeFilter};
use crate::device::packed_views::PackedViews;
use crate::device::prepared_view::PreparedView;
use crate::device::table::{OFFSET_HIGH, OFFSET_LOW, OFFSET_UNIT};
use crate::draw::ViewParams;

/// A batch on the device. What is known of it here tells which operations have something to do.
pub(super) struct OnDevice<'a> {
    pub(super) prepared: &'a [PreparedView],
    pub(super) filter: ResizeFilter,
    /// Width and height of a view.
    pub(super) size: usize,
    pub(super) words: Tensor<1, Int>,
    /// `[n, COLUMNS]`
    table: Tensor<2>,
}

impl<'a> OnDevice<'a> {
    pub(super) fn new(
        prepared: &'a [PreparedView],
        config: &AugmentationConfig,
        device: &Device,
    ) -> Self {
        let (words, table) = PackedViews::new(prepared, &config.normalization).upload(device);
        Self { prepared, filter: config.crop.filter, size: config.size as usize, words, table }
    }

    pub(super) fn params(&self) -> impl Iterator<Item = &'a ViewParams> {
        self.prepared.iter().map(PreparedView::params)
    }

    /// A number of each view, `[n, 1, 1, 1]`: it broadcasts to views `[n, y, 3, x]`.
    pub(super) fn number(&self, column: usize) -> Tensor<4> {
        let n = self.prepared.len();
        self.table.clone().narrow(1, column, 1).reshape([n, 1, 1, 1])
    }

    /// Three numbers of each view, one for each channel: `[n, 1, 3, 1]`.
    pub(super) fn channels(&self, first: usize) -> Tensor<4> {
        let n = self.prepared.len();
        self.table.clone().narrow(1, first, 3).reshape([n, 1, 3, 1])
    }

    /// The word at which each view begins, `[n, 1, 1, 1]`.
    pub(super) fn offsets(&self) -> Tensor<4, Int> {
        self.number(OFFSET_HIGH).int() * i64::from(OFFSET_UNIT) + self.number(OFFSET_LOW).int()
    }

    /// `0..len` along one of four axes.
    pub(super) fn count(&self, axis: usize, len: usize) -> Tensor<4, Int> {
        let mut shape = [1; 4];
        shape[axis] = len;
        Tensor::<1, Int>::arange(0..i64::from(len as u32), &self.words.device()).reshape(shape)
    }
}
