//! From brightness and differences of colour to red, green and blue (ITU-R BT.601, as JFIF has it).

use pulp::{Simd, WithSimd};

/// One row of pixels.
pub(super) struct ToRgb<'a> {
    /// Y, Cb and Cr.
    pub(super) samples: [&'a [u8]; 3],
    /// Interleaved.
    pub(super) out: &'a mut [u8],
}

impl WithSimd for ToRgb<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let [y, cb, cr] = self.samples;
        let out = self.out.as_chunks_mut::<3>().0;
        for (((out, &y), &cb), &cr) in out.iter_mut().zip(y).zip(cb).zip(cr) {
            *out = rgb(y, cb, cr);
        }
    }
}

#[inline(always)]
fn rgb(y: u8, cb: u8, cr: u8) -> [u8; 3] {
    // In sixteenths: the upper half of a product of 128 times the difference and 8192 times the factor, of 16 bits each.
    let part = |difference: i16, factor: i16| {
        ((i32::from(difference << 7) * i32::from(factor)) >> 16) as i16
    };
    let y = i16::from(y) * 16 + 8;
    let (cb, cr) = (i16::from(cb) - 128, i16::from(cr) - 128);
    // 1.402, 0.344136, 0.714136 and 1.772, times 8192.
    let red = y + part(cr, 11_485);
    let green = y - part(cb, 2_819) - part(cr, 5_850);
    let blue = y + part(cb, 14_516);
    [red, green, blue].map(|value| (value >> 4).clamp(0, 255) as u8)
}
