//! What packed images are called in their archive.

use std::{
    collections::HashSet,
    hash::{DefaultHasher, Hash, Hasher},
};

use crate::{
    ImageDataset,
    image_folder::EXTENSIONS,
    shards::{member_name::RAW_EXTENSION, names::Names},
};

/// Longest name that is kept, in bytes.
const MOST: usize = 1000;

/// A path for each image, without extension: different ones, and such that other programs take all of it for the key of
/// the image. It is the image's name as far as that can be one.
pub(super) fn keys(images: &dyn ImageDataset) -> Names {
    let mut keys = Names::default();
    // Hashes alone: a million names are as large again.
    let mut taken = HashSet::new();
    let mut is_new = |key: &str| {
        let mut hasher = DefaultHasher::new();
        // Some systems take `A` for `a`.
        key.to_lowercase().hash(&mut hasher);
        taken.insert(hasher.finish())
    };
    for index in 0..images.len() {
        let mut key = legal(&images.name(index));
        if key.len() > MOST {
            "image".clone_into(&mut key);
        }
        while !is_new(&key) {
            key = format!("{key}-{index}");
        }
        keys.push(&key);
    }
    keys
}

/// The name without its extension, and without dots where they mean something.
fn legal(name: &str) -> String {
    let stem = match name.rsplit_once('.') {
        Some((stem, extension))
            if EXTENSIONS
                .iter()
                .chain(&[RAW_EXTENSION])
                .any(|known| known.eq_ignore_ascii_case(extension)) =>
        {
            stem
        }
        _ => name,
    };
    let (folders, file) = stem.rsplit_once('/').unwrap_or(("", stem));
    let folders = folders.split('/').filter(|folder| !folder.is_empty());
    let mut key = String::new();
    for folder in folders {
        // `..`, and hidden folders.
        if let Some(rest) = folder.strip_prefix('.') {
            key.push('_');
            key.push_str(&rest.replace('.', "_"));
        } else {
            key.push_str(folder);
        }
        key.push('/');
    }
    key.push_str(&file.replace('.', "_"));
    if file.is_empty() {
        key.push('_');
    }
    key
}

#[cfg(test)]
mod tests {
    use image::RgbImage;

    use super::*;
    use crate::DataError;

    struct Named(Vec<&'static str>);

    impl ImageDataset for Named {
        fn len(&self) -> usize {
            self.0.len()
        }
        fn image(&self, index: usize) -> Result<RgbImage, DataError> {
            Err(DataError::IndexOutOfRange { index, len: 0 })
        }
        fn name(&self, index: usize) -> String {
            self.0[index].to_owned()
        }
    }

    #[test]
    fn names_are_kept_as_far_as_they_can_be_keys() {
        let names = [
            "train/dog/1.jpg",
            "train/dog/1.png",
            "dog/a.b.c.JPEG",
            "train_X.bin[17]",
            "../../etc/passwd",
            "/.hidden/.x",
            "1.2",
            "",
            "Train/Dog/1.jpg",
        ];
        let keys: Vec<String> = keys(&Named(names.to_vec())).iter().map(str::to_owned).collect();
        let expected = [
            "train/dog/1",
            "train/dog/1-1",
            "dog/a_b_c",
            "train_X_bin[17]",
            "__/__/etc/passwd",
            "_hidden/_x",
            "1_2",
            "_",
            "Train/Dog/1-8",
        ];
        assert_eq!(keys, expected);
    }
}
