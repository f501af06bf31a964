//! The factor of the loss in f16.

use burn::tensor::{Bool, Device, Tensor};
use serde::{Deserialize, Serialize};

use crate::optim::grouped_optimizer::GroupedGradients;

/// The factor of the loss for a backward pass in f16, where small gradients would vanish. It moves as in
/// `torch.amp.GradScaler` with its defaults (Micikevicius et al. 2018, section 3.2): it doubles after 2000 steps in a
/// row without an overflow, and halves at each step that overflows.
///
/// It stays on the device, and so does the verdict on a step. The host queues every step's update without waiting; where
/// a gradient is NaN or infinite, the device keeps what was there before: the optimiser's step is
/// [revoked](crate::optim::grouped_optimizer::GroupedOptimizer::step).
///
/// PyTorch's has no smallest value. This one is 1 at least: a step that overflows there overflows by itself, and the run
/// ends.
#[derive(Clone)]
pub(crate) struct LossScale {
    /// A power of two, so that scaling loses no digit, `[1]`.
    scale: Tensor<1>,
    /// Steps in a row without overflow since the scale last changed, `[1]`.
    steady: Tensor<1>,
}

/// A loss scale between two steps, for checkpoints.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LossScaleRecord {
    pub(crate) scale: f32,
    pub(crate) steady: u32,
}

/// The verdict on a step, still on the device.
pub(crate) struct Verdict {
    /// The scale of the step, `[1]`.
    scale: Tensor<1>,
    /// Whether a gradient overflowed, `[1]`.
    pub(crate) overflowed: Tensor<1, Bool>,
}

/// The verdict on a step, on the host.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct StepScale {
    pub(crate) scale: f64,
    pub(crate) overflowed: bool,
}

const FIRST: f32 = 65_536.0;
const GROWTH: f32 = 2.0;
const GROWTH_INTERVAL: u32 = 2000;
const BACKOFF: f32 = 0.5;
/// 2^127. PyTorch doesn't let a scale grow to infinity either.
const LARGEST: f32 = 1.701_411_8e38;
pub(crate) const SMALLEST: f32 = 1.0;

impl LossScale {
    pub(crate) fn new(device: &Device) -> Self {
        Self::of_record(LossScaleRecord { scale: FIRST, steady: 0 }, device)
    }

    fn of_record(record: LossScaleRecord, device: &Device) -> Self {
        let device = device.clone().inner();
        let on_device = |value: f32| Tensor::from_floats([value], &device);
        // Exact: the interval is far below 2^24.
        Self { scale: on_device(record.scale), steady: on_device(record.steady as f32) }
    }

    /// The scale of a record, on the same device.
    pub(crate) fn with(&self, record: LossScaleRecord) -> Self {
        Self::of_record(record, &self.scale.device())
    }

    /// Reads the scale from the device.
    pub(crate) fn record(&self) -> LossScaleRecord {
        LossScaleRecord {
            scale: self.scale.clone().into_scalar::<f32>(),
            steady: self.steady.clone().into_scalar::<f32>() as u32,
        }
    }

    /// The scaled loss.
    pub(crate) fn of(&self, loss: Tensor<1>) -> Tensor<1> {
        loss * self.scale.clone()
    }

    /// Divides the gradients of a scaled loss by the scale, and moves the scale. The step has overflowed if one value of
    /// them is NaN or infinite.
    pub(crate) fn unscale(&mut self, gradients: GroupedGradients) -> (GroupedGradients, Verdict) {
        let sums = gradients.vectors().map(|gradient| gradient.clone().sum()).collect();
        let total = Tensor::cat(sums, 0).sum(); // Of a NaN or an infinity is never finite.
        let overflowed = total.is_finite().bool_not();
        let scale = self.scale.clone();
        let gradients = gradients.map(|gradient| gradient / scale.clone());

        let steady = self.steady.clone() + 1.0;
        let due = steady.clone().greater_equal_scalar(GROWTH_INTERVAL as f32);
        let grown = (scale.clone() * GROWTH).clamp_max(LARGEST);
        let lowered = (scale.clone() * BACKOFF).clamp_min(SMALLEST);
        self.scale =
            scale.clone().mask_where(due.clone(), grown).mask_where(overflowed.clone(), lowered);
        self.steady = steady.mask_fill(due.bool_or(overflowed.clone()), 0.0);
        (gradients, Verdict { scale, overflowed })
    }
}

impl Verdict {
    /// The scale, and 1 or 0, `[1]` each.
    pub(crate) fn into_values(self) -> [Tensor<1>; 2] {
        [self.scale, self.overflowed.float()]
    }
}

impl StepScale {
    /// From what [`Verdict::into_values`] has read on the device; `None` without values.
    pub(crate) fn of_values(values: &[f64]) -> Option<Self> {
        let [scale, overflowed] = *values else { return None };
        Some(Self { scale, overflowed: overflowed > 0.0 })
    }

    /// Whether the step overflowed although the scale can't be lowered any more.
    pub(crate) fn is_hopeless(self) -> bool {
        self.overflowed && self.scale <= f64::from(SMALLEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optim::grouped_optimizer::GroupedOptimizer;
    use crate::optim::optimizer::OptimizerConfig;
    use burn::module::ParamId;
    use burn::nn::{Linear, LinearConfig};
    use burn::optim::GradientsParams;

    /// `_amp_update_scale_` of PyTorch's `AmpKernels.cu`, one step on numbers.
    fn pytorch(scale: f32, tracker: u32, found_inf: bool) -> (f32, u32) {
        if found_inf {
            return (scale * 0.5, 0);
        }
        let successful = tracker + 1;
        if successful == 2000 {
            let grown = scale * 2.0;
            return (if grown.is_finite() { grown } else { scale }, 0);
        }
        (scale, successful)
    }

    fn model() -> Linear {
        LinearConfig::new(3, 2).init(&Device::flex().autodiff())
    }

    /// Gradients of the weight and the bias.
    fn gradients(model: &Linear, weight: f32, bias: f32) -> GroupedGradients {
        let device = Device::flex();
        let mut gradients = GradientsParams::new();
        let bias_id: ParamId = model.bias.as_ref().unwrap().id;
        gradients.register::<2>(model.weight.id, Tensor::full([3, 2], weight, &device));
        gradients.register::<1>(bias_id, Tensor::from_floats([0.5, bias], &device));
        GroupedOptimizer::new(OptimizerConfig::lars(0.0), false).gather(model, gradients)
    }

    fn read(verdict: Verdict) -> StepScale {
        let values = verdict.into_values().map(|value| value.into_scalar::<f64>());
        StepScale::of_values(&values).expect("two values")
    }

    #[test]
    fn the_scale_moves_as_pytorchs_does() {
        let model = model();
        let overflows = |step: u32| [0, 1, 5, 3000, 7001].contains(&step);
        let mut found = LossScale::new(&Device::flex());
        let (mut scale, mut tracker) = (65_536.0, 0);
        let (mut grown, mut lowered) = (0, 0);
        for step in 0..9500 {
            let bias = if overflows(step) { f32::INFINITY } else { 1.0 };
            let before = scale;
            let (_, verdict) = found.unscale(gradients(&model, 1.0, bias));
            (scale, tracker) = pytorch(scale, tracker, overflows(step));
            grown += u32::from(scale > before);
            lowered += u32::from(scale < before);
            if step % 500 < 8 {
                assert_eq!(found.record(), LossScaleRecord { scale, steady: tracker }, "{step}");
                let expected = StepScale { scale: before.into(), overflowed: overflows(step) };
                assert_eq!(read(verdict), expected, "{step}");
            }
        }
        assert!(grown >= 3 && lowered == 5, "{grown}, {lowered}");
    }

    #[test]
    fn the_scale_stays_within_its_bounds() {
        let model = model();
        let device = Device::flex();
        let after = |scale, steady, bias| {
            let mut found = LossScale::of_record(LossScaleRecord { scale, steady }, &device);
            let (_, verdict) = found.unscale(gradients(&model, 1.0, bias));
            (found.record(), read(verdict).is_hopeless())
        };
        let (record, hopeless) = after(1.0, 7, f32::NAN);
        assert_eq!((record, hopeless), (LossScaleRecord { scale: 1.0, steady: 0 }, true));
        assert!(!after(2.0, 7, f32::NAN).1);
        assert!(!after(1.0, 7, 1.0).1);
        let largest = after(2_f32.powi(126), 1999, 1.0).0.scale;
        assert_eq!(largest.to_bits(), 2_f32.powi(127).to_bits());
        assert_eq!(after(largest, 1999, 1.0).0.scale.to_bits(), largest.to_bits());
    }

    #[test]
    fn gradients_are_divided_by_the_scale_and_one_that_is_not_finite_is_seen() {
        let model = model();
        let unscaled = |weight: f32, bias: f32| {
            let mut scale = LossScale::new(&Device::flex());
            let (gradients, verdict) = scale.unscale(gradients(&model, weight, bias));
            let all: Vec<f32> = gradients
                .vectors()
                .flat_map(|vector| vector.to_data().iter::<f32>().collect::<Vec<_>>())
                .collect();
            (all, read(verdict).overflowed)
        };
        let mut expected = vec![3.0 / 65_536.0; 6];
        expected.extend([0.5 / 65_536.0, 8.0 / 65_536.0]);
        assert_eq!(unscaled(3.0, 8.0), (expected, false));
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            assert!(unscaled(3.0, bad).1 && unscaled(bad, 3.0).1, "{bad}");
        }
    }

    #[test]
    fn a_scale_that_is_read_and_loaded_is_the_same() {
        let record = LossScaleRecord { scale: 512.0, steady: 1987 };
        assert_eq!(LossScale::of_record(record, &Device::flex()).record(), record);
        let text = serde_json::to_string(&record).unwrap();
        assert_eq!(serde_json::from_str::<LossScaleRecord>(&text).unwrap(), record);
    }
}
