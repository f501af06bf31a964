//! Files that `torch.save` wrote, in both of its formats.

mod archive;
mod legacy_file;
mod named_tensors;
mod state_dict;
mod zip_directory;

pub(super) use self::archive::read as read_archive;
pub(super) use self::legacy_file::{is_legacy, read as read_legacy};
