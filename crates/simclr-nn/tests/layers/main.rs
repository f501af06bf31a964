//! The layers against f64, against Burn's own, and against finite differences.

mod attention;
mod batch_norm;
mod conv2d;
mod conv2d_gradients;
mod convolution;
mod depthwise;
mod excitation;
mod folded_conv2d;
mod gelu;
mod layer_norm;
mod linear;
mod max_pool;
mod softmax;
mod support;
