mod write_faults;

use std::fs;
use std::path::{Path, PathBuf};

use super::super::unfinished_folder::UNFINISHED;
use super::*;

/// `photos` with some files, and a table of labels.
struct Place(tempfile::TempDir);

impl Place {
    fn new(photos: &[&str], table: &str) -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        for photo in photos {
            let path = place.photos().join(photo);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, format!("the photo {photo}")).unwrap();
        }
        fs::create_dir_all(place.photos()).unwrap();
        fs::write(place.0.path().join("labels.csv"), format!("name,label\n{table}")).unwrap();
        place
    }

    fn photos(&self) -> PathBuf {
        self.0.path().join("photos")
    }

    fn out(&self) -> PathBuf {
        self.0.path().join("out")
    }

    fn plan(&self, action: SortAction) -> Result<SortPlan, SortError> {
        let table = LabelTable::read(self.0.path().join("labels.csv")).unwrap();
        SortPlan::new(&table, &SortConfig { data: &self.photos(), out: &self.out(), action })
    }

    fn sort(&self, action: SortAction) -> Sorted {
        self.plan(action).unwrap().carry_out(|_| true).unwrap()
    }

    /// The error of a plan, after which nothing is there.
    fn refused(&self) -> String {
        let error = self.plan(SortAction::Copy).unwrap_err().to_string();
        assert!(!self.out().exists() && !error.contains(char::is_control), "{error:?}");
        error.replace(self.0.path().to_str().unwrap(), "TMP")
    }
}

/// All files below a folder, by their paths in it.
fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            found.extend(files(&path).iter().map(|below| format!("{name}/{below}")));
        } else {
            found.push(name);
        }
    }
    found.sort();
    found
}

const TABLE: &str = "1.jpg,cat\na/1.jpg,cat\nb/1.jpg,dog\n";
const PHOTOS: [&str; 4] = ["1.jpg", "a/1.jpg", "b/1.jpg", "unlabelled.jpg"];
const SORTED: [&str; 3] = ["cat/1.jpg", "cat/a/1.jpg", "dog/b/1.jpg"];

#[test]
fn files_of_one_name_keep_apart_whichever_way_they_come() {
    let all = [SortAction::Copy, SortAction::HardLink, SortAction::SymbolicLink, SortAction::Move];
    for action in all {
        let place = Place::new(&PHOTOS, TABLE);
        let plan = place.plan(action).unwrap();
        assert_eq!(plan.steps().len(), 3);
        assert_eq!(
            plan.classes().clone().into_iter().collect::<Vec<_>>(),
            [("cat".into(), 2), ("dog".into(), 1)]
        );
        assert!(!place.out().exists(), "a plan changes nothing");
        assert_eq!(plan.carry_out(|_| true).unwrap(), Sorted { done: 3, left: 0 });
        assert_eq!(files(&place.out()), SORTED);
        assert_eq!(
            fs::read_to_string(place.out().join("cat/a/1.jpg")).unwrap(),
            "the photo a/1.jpg"
        );
        let left: &[&str] = if action == SortAction::Move { &PHOTOS[3..] } else { &PHOTOS };
        assert_eq!(files(&place.photos()), left);
        let again = place.plan(action).unwrap();
        assert_eq!((again.steps().len(), again.already()), (0, 3));
        let is_link = place.out().join("cat/1.jpg").is_symlink();
        assert_eq!(is_link, action == SortAction::SymbolicLink);
    }
}

#[test]
fn a_copy_has_mode_and_time_of_its_file() {
    let place = Place::new(&["1.jpg"], "1.jpg,cat\n");
    let old = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
    let file = fs::File::options().write(true).open(place.photos().join("1.jpg")).unwrap();
    file.set_modified(old).unwrap();
    place.sort(SortAction::Copy);
    let copy = fs::metadata(place.out().join("cat/1.jpg")).unwrap();
    assert_eq!(copy.modified().unwrap(), old);
    assert_eq!(copy.permissions(), file.metadata().unwrap().permissions());
}

#[test]
fn what_was_stopped_goes_on() {
    for action in [SortAction::Copy, SortAction::Move] {
        let place = Place::new(&PHOTOS, TABLE);
        let stopped = place.plan(action).unwrap().carry_out(|done| done < 2).unwrap();
        assert_eq!(stopped, Sorted { done: 2, left: 1 });
        // As a killed process leaves it.
        let unfinished = place.out().join(UNFINISHED);
        fs::create_dir(&unfinished).unwrap();
        fs::write(unfinished.join(".tmpXYZ"), "half a pho").unwrap();
        let plan = place.plan(action).unwrap();
        assert_eq!((plan.already(), plan.steps().len()), (2, 1));
        plan.carry_out(|_| true).unwrap();
        assert_eq!(files(&place.out()), SORTED);
    }
}

#[test]
fn a_move_that_was_stopped_between_its_two_names_is_ended() {
    let place = Place::new(&["1.jpg"], "1.jpg,cat\n");
    fs::create_dir_all(place.out().join("cat")).unwrap();
    fs::hard_link(place.photos().join("1.jpg"), place.out().join("cat/1.jpg")).unwrap();
    place.sort(SortAction::Move);
    assert_eq!((files(&place.photos()).len(), files(&place.out()).len()), (0, 1));
}

#[test]
fn another_file_in_the_place_is_never_overwritten() {
    let place = Place::new(&["1.jpg", "2.jpg"], "1.jpg,cat\n2.jpg,cat\n");
    fs::create_dir_all(place.out().join("cat")).unwrap();
    fs::write(place.out().join("cat/2.jpg"), "mine").unwrap();
    let error = place.plan(SortAction::Move).unwrap_err();
    assert!(matches!(&error, SortError::Exists { path } if path.ends_with("cat/2.jpg")), "{error}");
    assert_eq!(files(&place.out()), ["cat/2.jpg"]);
    // One that appears after the plan was made.
    let place = Place::new(&["1.jpg", "2.jpg"], "1.jpg,cat\n2.jpg,cat\n");
    let all = [SortAction::Copy, SortAction::HardLink, SortAction::SymbolicLink];
    let plans = all.map(|action| place.plan(action).unwrap());
    fs::create_dir_all(place.out().join("cat")).unwrap();
    fs::write(place.out().join("cat/1.jpg"), "mine").unwrap();
    for plan in plans {
        let error = plan.carry_out(|_| true).unwrap_err();
        assert!(matches!(error, SortError::Exists { .. }), "{error}");
        assert_eq!(files(&place.out()), ["cat/1.jpg"]);
        assert_eq!(fs::read_to_string(place.out().join("cat/1.jpg")).unwrap(), "mine");
    }
}

#[test]
fn hostile_classes_are_refused_before_anything_is_there() {
    for class in ["..", "../..", "a/b", "", ".", "nul", "test", "\"x\ny\""] {
        let place = Place::new(&["1.jpg", "2.jpg"], &format!("1.jpg,cat\n2.jpg,{class}\n"));
        let error = place.refused();
        assert!(
            error.starts_with("expected a class that can be the name of a folder in line 3"),
            "{error}"
        );
    }
    let place = Place::new(&["1.jpg", "2.jpg"], "1.jpg,Cat\n2.jpg,cat\n");
    assert_eq!(
        place.refused(),
        "expected classes that differ in more than upper and lower case, found Cat and cat"
    );
}

#[test]
fn names_that_lead_out_of_the_folder_are_refused() {
    let secret = Place::new(&[], "");
    fs::write(secret.0.path().join("secret"), "key").unwrap();
    let absolute = secret.0.path().join("secret");
    for name in [
        "../labels.csv",
        "/etc/passwd",
        "a/../../labels.csv",
        "",
        "..",
        "\\q",
        absolute.to_str().unwrap(),
    ] {
        let place = Place::new(&["1.jpg", "a/1.jpg"], &format!("1.jpg,cat\n{name},cat\n"));
        let error = place.refused();
        assert!(
            error.starts_with("expected the name of a file below TMP/photos in line 3"),
            "{error}"
        );
    }
}

#[test]
fn missing_files_are_counted_and_the_first_is_named() {
    let place = Place::new(&["1.jpg"], "2.jpg,cat\n1.jpg,cat\n3.jpg,dog\n");
    assert_eq!(
        place.refused(),
        "expected every file of the table below TMP/photos, found 2 missing, the first 2.jpg in line 2"
    );
    let place = Place::new(&["a/1.jpg"], "a,cat\n");
    assert_eq!(place.refused(), "expected a file at TMP/photos/a, found something else");
}

#[test]
fn names_from_the_root_lead_into_the_folder() {
    let place = Place::new(&["a/1.jpg"], "");
    let name = place.photos().join("a/1.jpg");
    fs::write(place.0.path().join("labels.csv"), format!("image,class\n{},cat\n", name.display()))
        .unwrap();
    place.sort(SortAction::Copy);
    assert_eq!(files(&place.out()), ["cat/a/1.jpg"]);
}

#[test]
fn what_is_no_folder_in_the_place_of_one_is_refused() {
    let place = Place::new(&["1.jpg", "a/1.jpg"], "a/1.jpg,cat\n");
    fs::create_dir(place.out()).unwrap();
    fs::write(place.out().join("cat"), "a file").unwrap();
    assert!(matches!(place.plan(SortAction::Copy), Err(SortError::NotAFolder { .. })));
    fs::remove_file(place.out().join("cat")).unwrap();
    fs::create_dir(place.out().join("cat")).unwrap();
    fs::write(place.out().join("cat/a"), "a file").unwrap();
    let error = place.plan(SortAction::Copy).unwrap_err();
    assert!(matches!(&error, SortError::Exists { path } if path.ends_with("cat/a")), "{error}");
}

#[test]
fn one_process_sorts_into_a_folder_at_a_time() {
    let place = Place::new(&PHOTOS, TABLE);
    let plan = place.plan(SortAction::Copy).unwrap();
    plan.carry_out(|_| {
        assert!(matches!(plan.carry_out(|_| true), Err(SortError::Busy { .. })));
        true
    })
    .unwrap();
    assert_eq!(files(&place.out()), SORTED);
}

#[test]
#[cfg(unix)]
fn names_of_any_bytes_are_found_by_their_escapes() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let place = Place::new(&[], "caf\\xE9\\n.jpg,cat\n");
    let name = OsStr::from_bytes(b"caf\xe9\n.jpg");
    fs::write(place.photos().join(name), "a photo").unwrap();
    place.sort(SortAction::Copy);
    assert!(place.out().join("cat").join(name).is_file());
}
