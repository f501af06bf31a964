//! Multi-head self-attention (Vaswani et al. 2017, section 3.2), block by block of queries, so that the scores of all
//! tokens with all tokens are never held at the same time. The backward pass computes them again (Dao et al. 2022).

mod forward;
mod gradient;
mod head;
mod sizes;

pub(crate) use self::forward::attention;
pub(crate) use self::gradient::attention_gradient;
pub(crate) use self::sizes::AttentionSizes;
