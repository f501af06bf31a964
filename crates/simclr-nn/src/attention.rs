//! Multi-head self-attention.

use burn::tensor::Tensor;

use crate::softmax::softmax;

/// Multi-head self-attention (Vaswani et al. 2017, section 3.2): each head mixes the values by the softmax of the queries'
/// products with the keys, over the root of a head's length.
///
/// On flex in f32 the scores are computed by blocks of queries, forwards and backwards, and never held for all of them;
/// memory grows with the tokens, not with their square. Elsewhere they are Burn's own operations, the softmax in f32.
///
/// # Shapes
///
/// - `projected`: `[n, tokens, 3 * width]`, of each token all heads' queries, then their keys, then their values
/// - output: `[n, tokens, width]`, the heads side by side
///
/// # Panics
///
/// If `heads` is zero, or 3 * `heads` does not divide the last axis.
///
/// ```
/// use burn::tensor::{Device, Distribution, Tensor};
/// use simclr_nn::attention;
///
/// // A token alone has nothing to mix but its own values.
/// let projected = Tensor::<3>::random([2, 1, 3 * 8], Distribution::Default, &Device::flex());
/// let values = projected.clone().narrow(2, 16, 8);
/// let apart = (attention(projected, 2) - values).abs().max().into_scalar::<f32>();
/// assert!(apart < 1e-6);
/// ```
#[must_use]
pub fn attention(projected: Tensor<3>, heads: usize) -> Tensor<3> {
    let [n, tokens, numbers] = projected.dims();
    assert!(
        heads > 0 && numbers.is_multiple_of(3 * heads),
        "expected a multiple of 3 x {heads} numbers for each token, found {numbers}"
    );
    #[cfg(feature = "flex")]
    if crate::flex::supports_attention(&projected) {
        return crate::flex::attention(projected, heads);
    }
    let size = numbers / (3 * heads);
    let projected = projected.reshape([n, tokens, 3 * heads, size]).swap_dims(1, 2); // [n, 3 heads, tokens, size]
    let part = |index: usize| projected.clone().narrow(1, index * heads, heads);
    let [queries, keys, values] = [0, 1, 2].map(part);
    let similarities = queries.matmul(keys.transpose()) * (size as f64).sqrt().recip();
    let mixed = softmax(similarities).matmul(values); // [n, heads, tokens, size]
    mixed.swap_dims(1, 2).reshape([n, tokens, heads * size])
}
