//! Panics of libraries, on files that their authors did not foresee.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// What `read` gives, or what it panicked with. It must leave nothing behind that a panic could leave half done.
pub(crate) fn caught<T>(read: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(read)).map_err(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
        text.unwrap_or("no reason").to_owned()
    })
}
