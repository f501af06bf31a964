//! Reads any bytes as an index of vectors. The result is vectors with names, or an error.

#![no_main]

use libfuzzer_sys::fuzz_target;
use simclr_embed::{EmbedderFile, ImageIndex};
use simclr_fuzz::folder_with;

fuzz_target!(|bytes: &[u8]| {
    let folder = folder_with(&[("vectors.safetensors", bytes)]);
    let path = folder.path().join("vectors.safetensors");
    if let Ok(index) = ImageIndex::load(&path) {
        assert_eq!(index.names().len(), index.features().len());
    }
    if let Ok(embedder) = EmbedderFile::open(&path) {
        let _ = embedder.config();
    }
});
