use crate::draw::{JitterFlavor, JitterParams, JitterStep};

/// One operation of a colour jitter, as its flavour has it, with its number f.
#[derive(Debug, Clone, Copy)]
pub(crate) enum JitterOp {
    /// `f x`
    Scale(f32),
    /// `x + f`
    Add(f32),
    /// `f x + (1 - f) mean`, with each channel's own mean.
    BlendWithMeans(f32),
    /// The same with the mean of the gray image.
    BlendWithGrayMean(f32),
    /// The same with each pixel's gray value instead of a mean.
    BlendWithGray(f32),
    /// Multiplies HSV's saturation and cuts it off at 1.
    ScaleSaturation(f32),
    /// Adds to HSV's hue, in full turns.
    TurnHue(f32),
}

impl JitterOp {
    /// The operations in the order in which they run.
    pub(crate) fn in_order(jitter: &JitterParams) -> [Self; 4] {
        use JitterFlavor::{GoogleV1, Torchvision};
        jitter.order.map(|step| match (step, jitter.flavor) {
            (JitterStep::Brightness, GoogleV1) => Self::Add(jitter.brightness),
            (JitterStep::Brightness, _) => Self::Scale(jitter.brightness),
            (JitterStep::Contrast, Torchvision) => Self::BlendWithGrayMean(jitter.contrast),
            (JitterStep::Contrast, _) => Self::BlendWithMeans(jitter.contrast),
            (JitterStep::Saturation, Torchvision) => Self::BlendWithGray(jitter.saturation),
            (JitterStep::Saturation, _) => Self::ScaleSaturation(jitter.saturation),
            (JitterStep::Hue, _) => Self::TurnHue(jitter.hue),
        })
    }
}
