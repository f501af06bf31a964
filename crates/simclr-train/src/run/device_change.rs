//! A run that goes on with another number of devices.

use std::fmt;

use crate::engine::train_config::TrainConfig;

/// What a run that goes on with another number of devices is no longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DeviceChange {
    before: usize,
    now: usize,
    /// The examples of a chunk before and now, if they differ and batch normalisation sees them.
    chunk: Option<[usize; 2]>,
}

impl DeviceChange {
    /// `None` if the number stays. `has_statistics` says whether the encoder has batch normalisation.
    pub(crate) fn new(
        config: &TrainConfig,
        before: usize,
        now: usize,
        has_statistics: bool,
    ) -> Option<Self> {
        let sizes = [before, now].map(|devices| config.examples_in_chunk(devices));
        let chunk = (has_statistics && sizes[0] != sizes[1]).then_some(sizes);
        (before != now).then_some(Self { before, now, chunk })
    }
}

impl fmt::Display for DeviceChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let devices = if self.before == 1 { "device" } else { "devices" };
        write!(f, "the run had {} {devices} and goes on with {}: ", self.before, self.now)?;
        match self.chunk {
            Some([before, now]) => write!(
                f,
                "the encoder's batch normalisation sees {now} examples at a time, and saw {before}, so that this is \
                 not the run that it would have been"
            ),
            None => f.write_str(
                "gradients are added in another order, so that this is the same run up to rounding, not to the bit",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_says_what_batch_normalisation_sees_or_that_rounding_differs() {
        let config = TrainConfig { batch_size: 8, ..TrainConfig::small() };
        let text = |config, before, now, has_statistics| {
            DeviceChange::new(config, before, now, has_statistics).map(|c| c.to_string())
        };
        let chunks = "the run had 1 device and goes on with 2: the encoder's batch normalisation sees 4 examples at a \
                      time, and saw 8, so that this is not the run that it would have been";
        assert_eq!(text(&config, 1, 2, true).unwrap(), chunks);
        let rounding = "the run had 2 devices and goes on with 1: gradients are added in another order, so that this is \
                        the same run up to rounding, not to the bit";
        assert_eq!(text(&config, 2, 1, false).unwrap(), rounding);
        let fixed = TrainConfig { chunk_size: Some(2), ..config.clone() };
        assert_eq!(text(&fixed, 2, 1, true).unwrap(), rounding);
        assert_eq!(text(&config, 2, 2, true), None);
    }
}
