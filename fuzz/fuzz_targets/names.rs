//! Reads any text as an image's name. What comes back from it is the same name.

#![no_main]

use libfuzzer_sys::fuzz_target;
use simclr_data::{escape_name, printable, unescape_name};

fuzz_target!(|text: &str| {
    if let Some(path) = unescape_name(text) {
        let name = escape_name(&path);
        assert_eq!(unescape_name(&name).as_deref(), Some(&*path), "{text:?}, {name:?}");
        assert!(!name.contains('\n'));
    }
    assert!(!printable(text).contains(|c: char| c.is_control()));
});
