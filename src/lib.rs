//! Facade.
pub use burn;
/// Contrastive losses.
pub mod loss {
    pub use simclr_loss::*;
}
