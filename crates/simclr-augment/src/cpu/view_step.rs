use std::fmt::Debug;

use super::planes::Planes;
use crate::draw::Draws;

/// A step of your own, run on the CPU after all others but the normalisation; see
/// [`SimClrAugmentation::with_step`](crate::SimClrAugmentation::with_step).
///
/// Its random numbers must come from `draws`, so that a view stays a function of its
/// [`ViewParams`](crate::ViewParams), which carry the seed.
///
/// ```
/// use image::{Rgb, RgbImage};
/// use simclr_augment::{Draws, Planes, SimClrAugmentation, ViewKey, ViewStep};
///
/// /// Grain: adds a little noise to every value.
/// #[derive(Debug)]
/// struct Grain(f64);
///
/// impl ViewStep for Grain {
///     fn apply(&self, view: &mut Planes<'_>, draws: &mut Draws) {
///         for value in view.channels().into_iter().flatten() {
///             let noise = draws.uniform([-self.0, self.0]) as f32;
///             *value = (*value + noise).clamp(0.0, 1.0);
///         }
///     }
/// }
///
/// let policy = SimClrAugmentation::cifar10().with_step(Grain(0.05));
/// let image = RgbImage::from_pixel(32, 32, Rgb([90, 60, 30]));
/// let key = ViewKey { seed: 0, pass: 0, index: 0, view: 0 };
/// let params = policy.draw(key, 32, 32);
/// let view = policy.view(&image, &params)?;
/// assert_eq!(view, policy.view(&image, &params)?);
/// assert_ne!(view.get_pixel(0, 0), view.get_pixel(1, 0));
/// # Ok::<(), simclr_augment::AugmentationError>(())
/// ```
pub trait ViewStep: Debug + Send + Sync {
    /// Changes the view in place. Its values are in `[0, 1]`, and should stay there.
    fn apply(&self, view: &mut Planes<'_>, draws: &mut Draws);
}
