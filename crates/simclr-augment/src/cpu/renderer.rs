use std::cell::RefCell;
use std::sync::Arc;

use image::RgbImage;
use serde::{Deserialize, Serialize};

use super::color_jitter::start_color_jitter;
use super::color_op::{ColorOp, run};
use super::gaussian_blur::GaussianBlur;
use super::planes::Planes;
use super::resampler::{Resampler, Resampling};
use super::rotation::Rotation;
use super::view_step::ViewStep;
use crate::config::{Fit, Ground, Normalization, ResizeFilter};
use crate::draw::{CropBox, Draws, ViewParams};
use crate::error::AugmentationError;

/// The settings that make a view's pixels together with the image and [`ViewParams`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Output {
    pub(crate) size: u32,
    pub(crate) filter: ResizeFilter,
    pub(crate) normalization: Normalization,
    #[serde(default, skip_serializing_if = "Fit::is_crop")]
    pub(crate) fit: Fit,
    #[serde(default, skip_serializing_if = "Ground::is_white")]
    pub(crate) ground: Ground,
}

/// Makes views from parameters. It owns the buffers of one thread, which serve one view after the other.
#[derive(Default)]
struct Renderer {
    resampler: Resampler,
    rotation: Rotation,
    blur: GaussianBlur,
    /// Operations that wait to run in one pass.
    ops: Vec<ColorOp>,
}

thread_local! {
    static RENDERER: RefCell<Renderer> = RefCell::default();
}

impl Renderer {
    /// The steps of the policy up to the caller's own, in the order of google's `preprocess_for_train` and
    /// blur, after which all values are in `[0, 1]`; then `last`.
    fn render(
        &mut self,
        image: &RgbImage,
        params: &ViewParams,
        output: &Output,
        view: &mut Planes,
        last: Option<ColorOp>,
    ) {
        let mean = output.normalization.mean.map(|mean| mean.clamp(0.0, 1.0));
        let place = output.fit.place(params.crop, output.size);
        if place != CropBox::whole(output.size, output.size) {
            paint(view, CropBox::whole(output.size, output.size), mean);
        }
        let task = Resampling { image, params, place, filter: output.filter };
        self.resampler.resample(&task, view);
        self.ops.clear();
        if output.filter == ResizeFilter::Bicubic {
            // A cubic overshoots at edges.
            self.ops.push(ColorOp::Clip);
            self.run_ops(view);
        }
        if let Some(degrees) = params.rotation {
            self.rotation.apply(view, degrees);
        }
        if let Some(jitter) = &params.jitter {
            start_color_jitter(view, jitter, &mut self.ops);
        }
        self.ops.extend(params.grayscale.then_some(ColorOp::Gray));
        if let Some(sigma) = params.blur_sigma {
            self.run_ops(view);
            self.blur.apply(view, sigma);
        }
        self.ops.extend(params.solarize.map(ColorOp::Solarize));
        if let Some(erase) = params.erase {
            self.run_ops(view);
            paint(view, erase, mean);
        }
        self.ops.extend(last);
        self.run_ops(view);
    }

    fn run_ops(&mut self, view: &mut Planes) {
        run(view, &self.ops);
        self.ops.clear();
    }
}

/// Fills a box inside the view with a colour.
fn paint(view: &mut Planes, area: CropBox, color: [f32; 3]) {
    let size = view.size();
    let [x, y, width, height] =
        [area.x, area.y, area.width, area.height].map(|length| length as usize);
    for (plane, value) in view.channels().into_iter().zip(color) {
        for row in plane.chunks_exact_mut(size).skip(y).take(height) {
            row[x..x + width].fill(value);
        }
    }
}

impl Output {
    /// A view as a picture.
    pub(crate) fn render_image(
        &self,
        image: &RgbImage,
        params: &ViewParams,
        own_steps: &[Arc<dyn ViewStep>],
    ) -> Result<RgbImage, AugmentationError> {
        let mut values = vec![0.0; self.len()];
        let mut view = Planes::new(self.size as usize, &mut values);
        self.render(image, params, own_steps, &mut view, None)?;
        Ok(view.into_image())
    }

    /// A view as the encoder's input: normalised channel planes.
    pub(crate) fn render_into(
        &self,
        image: &RgbImage,
        params: &ViewParams,
        own_steps: &[Arc<dyn ViewStep>],
        out: &mut [f32],
    ) -> Result<(), AugmentationError> {
        if out.len() != self.len() {
            let (expected, found) = (self.len(), out.len());
            return Err(AugmentationError::OutputLength { expected, found });
        }
        let mut view = Planes::new(self.size as usize, out);
        let last = ColorOp::normalize(&self.normalization);
        self.render(image, params, own_steps, &mut view, Some(last))
    }

    fn render(
        &self,
        image: &RgbImage,
        params: &ViewParams,
        own_steps: &[Arc<dyn ViewStep>],
        view: &mut Planes,
        last: Option<ColorOp>,
    ) -> Result<(), AugmentationError> {
        params.check(image.dimensions().into(), self.size, !own_steps.is_empty())?;
        let Some(seed) = params.custom_seed else {
            RENDERER.with_borrow_mut(|renderer| renderer.render(image, params, self, view, last));
            return Ok(());
        };
        RENDERER.with_borrow_mut(|renderer| renderer.render(image, params, self, view, None));
        // The renderer is free again, since a step may make views itself.
        let mut draws = Draws::from_seed(seed);
        for step in own_steps {
            step.apply(view, &mut draws);
        }
        run(view, last.as_slice());
        Ok(())
    }

    /// The number of values in one view: three planes of `size x size`.
    pub(crate) fn len(&self) -> usize {
        3 * self.size as usize * self.size as usize
    }
}
