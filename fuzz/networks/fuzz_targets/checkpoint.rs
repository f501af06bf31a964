//! Opens any bytes as a part of a checkpoint whose checksums are right. The result is a state, or an error.

#![no_main]

use libfuzzer_sys::fuzz_target;
use simclr_fuzz::folder_with;
use simclr_train::fuzzed_checkpoint;

fuzz_target!(|bytes: &[u8]| {
    let Some((&which, bytes)) = bytes.split_first() else { return };
    let folder = folder_with(&[]);
    let _ = fuzzed_checkpoint(folder.path(), usize::from(which), bytes);
});
