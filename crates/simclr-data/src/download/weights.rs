//! Published weights by name: from the Hugging Face hub or torchvision into a cache, whole or not at all.

mod address;
mod cache;
mod cache_folder;
mod cached_file;
mod hub;
mod known;
mod names;
mod token;

pub use self::{
    address::{HubAddress, WeightAddress},
    cache::{PublishedWeights, WeightCache},
    hub::HubRefusal,
    known::{KnownWeights, known_weights},
    token::HubToken,
};

#[cfg(test)]
mod tests;
