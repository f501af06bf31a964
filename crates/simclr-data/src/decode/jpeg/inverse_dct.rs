//! From coefficients to samples, for many blocks at once.
//!
//! A number of 32 bits each, one lane a block: the loops over lanes become vector instructions, and nothing is transposed. Sums and
//! products of f32 in a fixed order give the same samples on every machine.

use pulp::{Simd, WithSimd};

use super::header::ZIGZAG;

/// Blocks that are transformed at once.
pub(super) const LANES: usize = 16;

/// The coefficients of blocks side by side.
pub(super) struct Blocks {
    /// By place in the block, row by row, then by lane. Behind them: room for what lies beyond the end of a block.
    values: Box<[i16; ROOM]>,
}

/// A power of two, so that an index is within it by its bits.
const ROOM: usize = 128 * LANES;

/// For each place in the order of a file: where the lanes of that coefficient begin.
const STARTS: [u16; 256] = {
    let mut starts = [64 * LANES as u16; 256];
    let mut k = 0;
    while k < 64 {
        starts[k] = ZIGZAG[k] as u16 * LANES as u16;
        k += 1;
    }
    starts
};

impl Blocks {
    pub(super) fn new() -> Self {
        Self { values: Box::new([0; ROOM]) }
    }

    pub(super) fn clear(&mut self) {
        self.values[..64 * LANES].fill(0);
    }

    /// The coefficients of the block in `lane`.
    #[inline(always)]
    pub(super) fn lane(&mut self, lane: usize) -> Block<'_> {
        Block { values: &mut self.values, lane }
    }
}

/// One of the blocks, whose coefficients are still to be set.
pub(super) struct Block<'a> {
    values: &'a mut [i16; ROOM],
    lane: usize,
}

impl Block<'_> {
    /// Sets the coefficient at `place` in the order of a file; those from 64 on go nowhere.
    #[inline(always)]
    pub(super) fn set(&mut self, place: usize, value: i16) {
        self.values[(usize::from(STARTS[place % 256]) + self.lane) % ROOM] = value;
    }
}

/// What coefficients are multiplied with, so that samples have few products left.
pub(super) struct Factors([f32; 64]);

impl Factors {
    /// For blocks that become `side x side` samples, from the steps of quantisation.
    pub(super) fn new(steps: &[u16; 64], side: usize) -> Self {
        // The factors of Arai, Agui and Nakajima (1988): a cosine is taken out of each row and column.
        let taken_out = |k: usize| match (side, k) {
            (8, 1..) => std::f64::consts::SQRT_2 * COSINES[k],
            _ => 1.0,
        };
        Self(std::array::from_fn(|place| {
            (f64::from(steps[place]) * taken_out(place / 8) * taken_out(place % 8) / 8.0) as f32
        }))
    }
}

/// cos(k pi / 16). Written down, since `cos` differs between machines.
const COSINES: [f64; 8] = [
    1.0,
    0.980_785_280_403_230_4,
    0.923_879_532_511_286_7,
    0.831_469_612_302_545_2,
    std::f64::consts::FRAC_1_SQRT_2,
    0.555_570_233_019_602_2,
    0.382_683_432_365_089_8,
    0.195_090_322_016_128_27,
];

/// Transforms blocks to `side x side` samples each, side by side: `side` rows in `out`, `stride` apart.
pub(super) struct InverseDct<'a> {
    pub(super) blocks: &'a Blocks,
    pub(super) factors: &'a Factors,
    pub(super) side: usize,
    pub(super) out: &'a mut [u8],
    pub(super) stride: usize,
}

impl WithSimd for InverseDct<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { blocks, factors: Factors(factors), side, out, stride } = self;
        let values = blocks.values.as_chunks().0.first_chunk().expect("room for all coefficients");
        match side {
            8 => whole(values, factors, out, stride),
            4 => half(values, factors, out, stride),
            2 => quarter(values, factors, out, stride),
            _ => eighth(values, factors, out),
        }
    }
}

#[inline(always)]
fn whole(values: &[[i16; LANES]; 64], factors: &[f32; 64], out: &mut [u8], stride: usize) {
    let mut columns = [[0.0; LANES]; 64];
    for column in 0..8 {
        for lane in 0..LANES {
            let input: [f32; 8] = std::array::from_fn(|row| {
                f32::from(values[8 * row + column][lane]) * factors[8 * row + column]
            });
            let output = eight(input);
            for row in 0..8 {
                columns[8 * row + column][lane] = output[row];
            }
        }
    }
    for (row, columns) in columns.as_chunks::<8>().0.iter().enumerate() {
        let (mut first, mut second) = ([0_u32; LANES], [0_u32; LANES]);
        for lane in 0..LANES {
            let samples = eight(std::array::from_fn(|column| columns[column][lane])).map(sample);
            let [a, b, c, d, e, f, g, h] = samples;
            first[lane] = a | b << 8 | c << 16 | d << 24;
            second[lane] = e | f << 8 | g << 16 | h << 24;
        }
        let (out, _) = out[row * stride..][..8 * LANES].as_chunks_mut::<8>();
        for ((out, first), second) in out.iter_mut().zip(first).zip(second) {
            *out = (u64::from(first) | u64::from(second) << 32).to_le_bytes();
        }
    }
}

/// The inverse transform of eight values whose factors are taken out.
#[inline(always)]
fn eight([x0, x1, x2, x3, x4, x5, x6, x7]: [f32; 8]) -> [f32; 8] {
    const SQRT_2: f32 = std::f32::consts::SQRT_2;
    // 2 cos(pi / 8); 2 (cos(pi / 8) - cos(3 pi / 8)); 2 (cos(pi / 8) + cos(3 pi / 8)).
    const A: f32 = 1.847_759_1;
    const B: f32 = 1.082_392_2;
    const C: f32 = 2.613_126;

    let (sum, difference) = (x0 + x4, x0 - x4);
    let of_two = x2 + x6;
    let turned = (x2 - x6) * SQRT_2 - of_two;
    let (e0, e3) = (sum + of_two, sum - of_two);
    let (e1, e2) = (difference + turned, difference - turned);

    let (z13, z10) = (x5 + x3, x5 - x3);
    let (z11, z12) = (x1 + x7, x1 - x7);
    let z5 = (z10 + z12) * A;
    let o7 = z11 + z13;
    let o6 = z5 - z10 * C - o7;
    let o5 = (z11 - z13) * SQRT_2 - o6;
    let o4 = z5 - z12 * B - o5;
    [e0 + o7, e1 + o6, e2 + o5, e3 + o4, e3 - o4, e2 - o5, e1 - o6, e0 - o7]
}

/// The four lowest frequencies of each row and column, as samples of twice the size.
#[inline(always)]
fn half(values: &[[i16; LANES]; 64], factors: &[f32; 64], out: &mut [u8], stride: usize) {
    let mut columns = [[0.0; LANES]; 16];
    for column in 0..4 {
        for lane in 0..LANES {
            let output = four(std::array::from_fn(|row| {
                f32::from(values[8 * row + column][lane]) * factors[8 * row + column]
            }));
            for row in 0..4 {
                columns[4 * row + column][lane] = output[row];
            }
        }
    }
    for (row, columns) in columns.as_chunks::<4>().0.iter().enumerate() {
        let (out, _) = out[row * stride..][..4 * LANES].as_chunks_mut::<4>();
        for (lane, out) in out.iter_mut().enumerate() {
            let samples = four(std::array::from_fn(|column| columns[column][lane])).map(sample);
            let [a, b, c, d] = samples;
            *out = (a | b << 8 | c << 16 | d << 24).to_le_bytes();
        }
    }
}

#[inline(always)]
fn four([x0, x1, x2, x3]: [f32; 4]) -> [f32; 4] {
    // sqrt(2) cos(pi / 8) and sqrt(2) cos(3 pi / 8).
    const A: f32 = 1.306_563;
    const B: f32 = 0.541_196_1;
    let (e0, e1) = (x0 + x2, x0 - x2);
    let (o0, o1) = (x1 * A + x3 * B, x1 * B - x3 * A);
    [e0 + o0, e1 + o1, e1 - o1, e0 - o0]
}

#[inline(always)]
fn quarter(values: &[[i16; LANES]; 64], factors: &[f32; 64], out: &mut [u8], stride: usize) {
    for lane in 0..LANES {
        let [a, b, c, d] = [0, 1, 8, 9].map(|at| f32::from(values[at][lane]) * factors[at]);
        let (above, below) = ([a + c, b + d], [a - c, b - d]);
        for (row, [mean, difference]) in [above, below].into_iter().enumerate() {
            let samples = [mean + difference, mean - difference].map(sample);
            out[row * stride + 2 * lane..][..2].copy_from_slice(&samples.map(|value| value as u8));
        }
    }
}

#[inline(always)]
fn eighth(values: &[[i16; LANES]; 64], factors: &[f32; 64], out: &mut [u8]) {
    for (out, &value) in out[..LANES].iter_mut().zip(&values[0]) {
        *out = sample(f32::from(value) * factors[0]) as u8;
    }
}

/// Rounded, from -128..=127 to 0..=255.
#[inline(always)]
fn sample(value: f32) -> u32 {
    // Adding 1.5 x 2^23 leaves the rounded number in the lowest bits.
    const ROUNDING: f32 = 12_582_912.0;
    let bits = (value.max(-1024.0) + (ROUNDING + 128.0)).to_bits() as i32;
    (bits - ROUNDING.to_bits() as i32).clamp(0, 255) as u32
}
