use std::cell::RefCell;
use std::sync::Arc;

use image::RgbImage;

use crate::color_jitter::start_color_jitter;
use crate::color_op::{ColorOp, run};
use crate::gaussian_blur::GaussianBlur;
use crate::planes::Planes;
use crate::resampler::{Resampler, Resampling};
use crate::rotation::Rotation;
use crate::{AugmentationError, CropBox, Draws, Normalization, ResizeFilter, ViewParams, ViewStep};

/// What a view's pixels depend on besides the image and [`ViewParams`].
#[derive(Debug, Clone)]
pub(crate) struct Output {
    pub(crate) size: u32,
    pub(crate) filter: ResizeFilter,
    pub(crate) normalization: Normalization,
    pub(crate) steps: Vec<Arc<dyn ViewStep>>,
}

/// Makes views from parameters; owns the buffers that one thread uses for one view after the other.
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
    /// The steps of the policy, in the order of google's `preprocess_for_train` and blur, up to the
    /// caller's own. Values end in `[0, 1]`, and then `last` runs.
    fn render(
        &mut self,
        image: &RgbImage,
        params: &ViewParams,
        output: &Output,
        view: &mut Planes,
        last: Option<ColorOp>,
    ) {
        let &ViewParams { crop, flip, vertical_flip, .. } = params;
        let task = Resampling { image, crop, filter: output.filter, flip, vertical_flip };
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
            paint(view, erase, output.normalization.mean.map(|mean| mean.clamp(0.0, 1.0)));
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
    ) -> Result<RgbImage, AugmentationError> {
        let mut values = vec![0.0; self.len()];
        let mut view = Planes::new(self.size as usize, &mut values);
        self.render(image, params, &mut view, None)?;
        Ok(view.into_image())
    }

    /// A view as the encoder's input: normalised channel planes.
    pub(crate) fn render_into(
        &self,
        image: &RgbImage,
        params: &ViewParams,
        out: &mut [f32],
    ) -> Result<(), AugmentationError> {
        if out.len() != self.len() {
            let (expected, found) = (self.len(), out.len());
            return Err(AugmentationError::OutputLength { expected, found });
        }
        let mut view = Planes::new(self.size as usize, out);
        self.render(image, params, &mut view, Some(ColorOp::normalize(&self.normalization)))
    }

    fn render(
        &self,
        image: &RgbImage,
        params: &ViewParams,
        view: &mut Planes,
        last: Option<ColorOp>,
    ) -> Result<(), AugmentationError> {
        params.check(image.width(), image.height(), self.size)?;
        let Some(seed) = params.custom_seed else {
            RENDERER.with_borrow_mut(|renderer| renderer.render(image, params, self, view, last));
            return Ok(());
        };
        if self.steps.is_empty() {
            let expected = "none for a policy without steps of its own";
            return Err(AugmentationError::params("custom_seed", expected, seed));
        }
        RENDERER.with_borrow_mut(|renderer| renderer.render(image, params, self, view, None));
        // The renderer is free again: a step may make views itself.
        let mut draws = Draws::from_seed(seed);
        for step in &self.steps {
            step.apply(view, &mut draws);
        }
        run(view, last.as_slice());
        Ok(())
    }

    /// The values of one view: three planes of `size x size`.
    pub(crate) fn len(&self) -> usize {
        3 * self.size as usize * self.size as usize
    }
}
