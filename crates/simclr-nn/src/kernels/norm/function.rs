//! The functions that follow a normalisation, and their gradients.

use crate::kernels::exp::sigmoid;

/// A function of one value, as arithmetic without branches.
pub(super) trait Function {
    /// The function of `x`. NaN stays.
    fn of(x: f32) -> f32;

    /// The gradient of `x`, from the function's.
    fn gradient(x: f32, gradient: f32) -> f32;
}

pub(super) struct Identity;
pub(super) struct Relu;
pub(super) struct Relu6;
pub(super) struct Silu;

impl Function for Identity {
    #[inline(always)]
    fn of(x: f32) -> f32 {
        x
    }

    #[inline(always)]
    fn gradient(_: f32, gradient: f32) -> f32 {
        gradient
    }
}

impl Function for Relu {
    #[inline(always)]
    fn of(x: f32) -> f32 {
        if x <= 0.0 { 0.0 } else { x }
    }

    #[inline(always)]
    fn gradient(x: f32, gradient: f32) -> f32 {
        if x <= 0.0 { 0.0 } else { gradient }
    }
}

impl Function for Relu6 {
    #[inline(always)]
    fn of(x: f32) -> f32 {
        let x = Relu::of(x);
        if x > 6.0 { 6.0 } else { x }
    }

    #[inline(always)]
    fn gradient(x: f32, gradient: f32) -> f32 {
        let gradient = Relu::gradient(x, gradient);
        if x > 6.0 { 0.0 } else { gradient }
    }
}

impl Function for Silu {
    #[inline(always)]
    fn of(x: f32) -> f32 {
        x * sigmoid(x)
    }

    #[inline(always)]
    fn gradient(x: f32, gradient: f32) -> f32 {
        let sigmoid = sigmoid(x);
        gradient * (sigmoid + x * sigmoid * (1.0 - sigmoid))
    }
}

/// Calls a function with the type of a [`Function`] for an [`Activation`](crate::activation::Activation).
macro_rules! with_function {
    ($activation:expr, $F:ident => $call:expr) => {
        match $activation {
            $crate::activation::Activation::Identity => {
                type $F = $crate::kernels::norm::function::Identity;
                $call
            }
            $crate::activation::Activation::Relu => {
                type $F = $crate::kernels::norm::function::Relu;
                $call
            }
            $crate::activation::Activation::Relu6 => {
                type $F = $crate::kernels::norm::function::Relu6;
                $call
            }
            $crate::activation::Activation::Silu => {
                type $F = $crate::kernels::norm::function::Silu;
                $call
            }
        }
    };
}
pub(super) use with_function;
