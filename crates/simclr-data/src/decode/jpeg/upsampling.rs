//! Samples of a component at the resolution of the image.

use pulp::{Simd, WithSimd};

/// Samples of one row, weighted with those of the row beside them: four times their values.
pub(super) struct Weighted<'a> {
    pub(super) near: &'a [u8],
    /// The row on the other side of the wanted one, which counts a quarter; `None` if rows are not upsampled.
    pub(super) far: Option<&'a [u8]>,
    pub(super) out: &'a mut [u16],
}

impl WithSimd for Weighted<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { near, far, out } = self;
        if let Some(far) = far {
            for ((out, &near), &far) in out.iter_mut().zip(near).zip(far) {
                *out = 3 * u16::from(near) + u16::from(far);
            }
        } else {
            for (out, &near) in out.iter_mut().zip(near) {
                *out = 4 * u16::from(near);
            }
        }
    }
}

/// Twice as many samples: each wanted one is three quarters of the nearest and a quarter of the next, as in libjpeg's "fancy
/// upsampling". `weighted` begins with the sample left of those that are doubled, and ends with the one right of them.
pub(super) struct Doubled<'a> {
    pub(super) weighted: &'a [u16],
    pub(super) out: &'a mut [u8],
}

impl WithSimd for Doubled<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { weighted, out } = self;
        let len = out.len() / 2;
        let (left, at, right) = (&weighted[..len], &weighted[1..][..len], &weighted[2..][..len]);
        let samples = left.iter().zip(at).zip(right);
        for (out, ((&left, &at), &right)) in out.as_chunks_mut().0.iter_mut().zip(samples) {
            // Rounded up and down by turns, so that nothing is brighter by it.
            let pair = (3 * at + left + 8) >> 4 | (3 * at + right + 7) >> 4 << 8;
            *out = pair.to_le_bytes();
        }
    }
}

/// As many samples, of rows that are upsampled.
pub(super) struct Rounded<'a> {
    pub(super) weighted: &'a [u16],
    pub(super) out: &'a mut [u8],
}

impl WithSimd for Rounded<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for (out, &weighted) in self.out.iter_mut().zip(self.weighted) {
            *out = ((weighted + 2) >> 2) as u8;
        }
    }
}
