#![doc = include_str!("../README.md")]

#[cfg(feature = "faults")]
pub mod faults;
mod folders;
mod operation;
mod replace_file;
mod unfinished_file;
mod written_file;

pub use folders::{
    create_folder, create_folders, hard_link, remove_file, remove_folder, rename, sync_folder,
    sync_folders, write_new,
};
pub use replace_file::replace_file;
pub use unfinished_file::UnfinishedFile;
pub use written_file::WrittenFile;
