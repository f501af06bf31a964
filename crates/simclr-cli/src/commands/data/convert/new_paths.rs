//! What converted images are called.

use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};

use simclr::data::{ImageDataset, escape_name, unescape_name};

/// An image under its old name.
struct Named {
    /// Its old path below the folder that all images of its class share.
    below: PathBuf,
    /// Whether the old extension stays: there is none, as the name is no file's, or without it two images have one name.
    in_full: bool,
}

/// The path of each image of a set below the set's new folder: its class, if `by_class`, and its old name with the new
/// extension. Where two images would have one name, their old extensions stay: `1.jpg.png`.
pub(super) fn new_paths(
    images: &dyn ImageDataset,
    by_class: bool,
    extension: &str,
) -> Vec<PathBuf> {
    let mut groups: HashMap<Option<usize>, Vec<usize>> = HashMap::new();
    for index in 0..images.len() {
        let class = images.label(index).filter(|_| by_class);
        groups.entry(class).or_default().push(index);
    }
    let folders = class_folders(images.class_names());
    let mut paths = vec![PathBuf::new(); images.len()];
    for (class, indices) in groups {
        let folder = class.and_then(|class| folders.get(class)).cloned().unwrap_or_default();
        let names = in_one_folder(images, &indices, extension);
        for (index, name) in indices.into_iter().zip(names) {
            paths[index] = folder.join(name);
        }
    }
    paths
}

/// New paths, none of which is that of another image or of a folder, whether or not the system tells `A` from `a`.
fn in_one_folder(images: &dyn ImageDataset, indices: &[usize], extension: &str) -> Vec<PathBuf> {
    let mut named: Vec<Named> = indices.iter().map(|&index| old_name(images, index)).collect();
    strip_shared_folders(&mut named);
    loop {
        let paths: Vec<_> = named.iter().map(|image| image.path(extension)).collect();
        let key = |path: &Path| escape_name(path).to_lowercase();
        let mut uses: HashMap<String, usize> = HashMap::new();
        for path in &paths {
            *uses.entry(key(path)).or_default() += 1;
            for folder in path.ancestors().skip(1) {
                uses.insert(key(folder), 2);
            }
        }
        let mut settled = true;
        for (image, path) in named.iter_mut().zip(&paths) {
            if !image.in_full && uses[&key(path)] > 1 {
                (image.in_full, settled) = (true, false);
            }
        }
        if settled {
            return paths;
        }
    }
}

fn old_name(images: &dyn ImageDataset, index: usize) -> Named {
    let name = images.name(index);
    let file = images.path(index).and_then(|_| unescape_name(&name));
    let in_full = file.is_none();
    Named { below: file.unwrap_or_else(|| PathBuf::from(legal(&name))), in_full }
}

impl Named {
    fn path(&self, extension: &str) -> PathBuf {
        if !self.in_full {
            return self.below.with_extension(extension);
        }
        let mut path = self.below.clone().into_os_string();
        path.push(".");
        path.push(extension);
        path.into()
    }
}

/// Leaves out the folders that all the images lie in.
fn strip_shared_folders(named: &mut [Named]) {
    let Some(mut shared) = named.first().and_then(|first| first.below.parent()).map(Path::to_owned)
    else {
        return;
    };
    for image in named.iter() {
        while !image.below.starts_with(&shared) && shared.pop() {}
    }
    for image in named {
        if let Ok(below) = image.below.strip_prefix(&shared) {
            image.below = below.to_owned();
        }
    }
}

/// A folder for each class, of its name as far as that can be one.
fn class_folders(classes: &[String]) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = Vec::new();
    for class in classes {
        let name = unescape_name(class).filter(|name| {
            let mut parts = name.components();
            let one =
                matches!(parts.next(), Some(Component::Normal(part)) if part == name.as_os_str());
            one && parts.next().is_none() && !class.starts_with('.')
        });
        let name = name.unwrap_or_else(|| PathBuf::from(legal(class)));
        let mut folder = name.clone();
        for number in 2.. {
            if !folders.contains(&folder) {
                break;
            }
            let mut numbered = name.clone().into_os_string();
            numbered.push(format!("_{number}"));
            folder = numbered.into();
        }
        folders.push(folder);
    }
    folders
}

/// A name as that of a file, which leads out of no folder.
fn legal(name: &str) -> String {
    let legal = |c: char| if c.is_control() || matches!(c, '/' | '\\' | ':') { '_' } else { c };
    let name: String = name.chars().map(legal).collect();
    match name.trim_start_matches('.') {
        "" => "_".to_owned(),
        name => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use image::RgbImage;
    use simclr::data::DataError;

    use super::*;

    /// Images of these names, in classes of their folders' names.
    struct Files(Vec<&'static str>, Vec<String>);

    impl ImageDataset for Files {
        fn len(&self) -> usize {
            self.0.len()
        }
        fn image(&self, index: usize) -> Result<RgbImage, DataError> {
            Err(DataError::IndexOutOfRange { index, len: 0 })
        }
        fn label(&self, index: usize) -> Option<usize> {
            self.1.iter().position(|class| self.0[index].starts_with(class))
        }
        fn class_names(&self) -> &[String] {
            &self.1
        }
        fn name(&self, index: usize) -> String {
            self.0[index].to_owned()
        }
        fn path(&self, index: usize) -> Option<PathBuf> {
            (!self.0[index].contains('[')).then(PathBuf::new)
        }
    }

    fn paths<const N: usize>(names: [&'static str; N], classes: &[&str]) -> Vec<String> {
        let files = Files(names.to_vec(), classes.iter().map(|&class| class.to_owned()).collect());
        let paths = new_paths(&files, !classes.is_empty(), "png");
        paths.iter().map(|path| escape_name(path)).collect()
    }

    #[test]
    fn images_keep_their_names_below_the_folder_of_their_class() {
        let found =
            paths(["rings/x/1.jpg", "rings/x/deep/a.b.JPEG", "waves/1.jpg"], &["rings", "waves"]);
        assert_eq!(found, ["rings/1.png", "rings/deep/a.b.png", "waves/1.png"]);
    }

    #[test]
    fn names_that_would_be_one_stay_in_full() {
        let found = paths(
            ["1.jpg", "1.PNG", "2.jpg", "1.jpg.gif", "3/x.png", "3.bmp", "D.jpg", "d.png"],
            &[],
        );
        let expected = [
            "1.jpg.png",
            "1.PNG.png",
            "2.png",
            "1.jpg.gif.png",
            "3/x.png",
            "3.png",
            "D.jpg.png",
            "d.png.png",
        ];
        assert_eq!(found, expected);
        assert_eq!(paths(["a.png/1.jpg", "a.jpg"], &[]), ["a.png/1.png", "a.jpg.png"]);
    }

    #[test]
    fn images_of_one_file_are_called_after_their_place_in_it() {
        assert_eq!(paths(["t.bin[0]", "t.bin[1]"], &[]), ["t.bin[0].png", "t.bin[1].png"]);
    }

    #[test]
    fn a_class_cannot_lead_out_of_the_folder_nor_into_that_of_another() {
        let classes = ["../up", "..", "cat", "a/b", "a_b", ".h", r"a\\b", ""].map(str::to_owned);
        let folders: Vec<_> =
            class_folders(&classes).iter().map(|path| escape_name(path)).collect();
        let backslash = if cfg!(windows) { "a__b" } else { r"a\\b" };
        assert_eq!(folders, ["_up", "_", "cat", "a_b", "a_b_2", "h", backslash, "__2"]);
    }
}
