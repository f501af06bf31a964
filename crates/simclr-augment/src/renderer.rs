use std::cell::RefCell;

use image::RgbImage;

use crate::color_jitter::apply_color_jitter;
use crate::gaussian_blur::GaussianBlur;
use crate::planes::Planes;
use crate::resampler::Resampler;
use crate::{AugmentationError, Normalization, ViewParams};

/// Makes views from parameters; owns the buffers that one thread uses for one view after the other.
#[derive(Default)]
struct Renderer {
    resampler: Resampler,
    blur: GaussianBlur,
}

thread_local! {
    static RENDERER: RefCell<Renderer> = RefCell::default();
}

impl Renderer {
    /// The steps of the policy, in the order of google's `preprocess_for_train` and blur. Values
    /// end in `[0, 1]`.
    fn render(
        &mut self,
        image: &RgbImage,
        params: &ViewParams,
        view: &mut Planes,
    ) -> Result<(), AugmentationError> {
        let pixels = self.resampler.resample(image, params.crop, view.size() as u32)?;
        view.fill(pixels, params.flip);
        if let Some(jitter) = &params.jitter {
            apply_color_jitter(view, jitter);
        }
        if params.grayscale {
            view.gray();
        }
        if let Some(sigma) = params.blur_sigma {
            self.blur.apply(view, sigma);
        }
        Ok(())
    }
}

/// A view as a picture.
pub(crate) fn render_image(
    image: &RgbImage,
    params: &ViewParams,
    size: u32,
) -> Result<RgbImage, AugmentationError> {
    params.check(image.width(), image.height(), size)?;
    let mut values = vec![0.0; view_len(size)];
    let mut view = Planes::new(size as usize, &mut values);
    RENDERER.with_borrow_mut(|renderer| renderer.render(image, params, &mut view))?;
    Ok(view.into_image())
}

/// A view as the encoder's input: normalised channel planes.
pub(crate) fn render_into(
    image: &RgbImage,
    params: &ViewParams,
    size: u32,
    normalization: &Normalization,
    out: &mut [f32],
) -> Result<(), AugmentationError> {
    params.check(image.width(), image.height(), size)?;
    if out.len() != view_len(size) {
        return Err(AugmentationError::OutputLength { expected: view_len(size), found: out.len() });
    }
    let mut view = Planes::new(size as usize, out);
    RENDERER.with_borrow_mut(|renderer| renderer.render(image, params, &mut view))?;
    view.normalize(normalization);
    Ok(())
}

/// The values of one view: three planes of `size x size`.
pub(crate) fn view_len(size: u32) -> usize {
    3 * size as usize * size as usize
}
