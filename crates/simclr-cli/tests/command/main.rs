//! `simclr`, the command, as its users meet it.

mod life;
mod mistakes;
mod plans_and_data;
mod resume;
mod support;
mod weights;
