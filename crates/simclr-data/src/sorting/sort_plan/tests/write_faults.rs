//! Sorting on disks that fail.

use simclr_files::faults;

use super::*;

const PHOTOS: [&str; 3] = ["1.jpg", "2.jpg", "deep/3.jpg"];
const TABLE: &str = "1.jpg,cat\n2.jpg,dog\ndeep/3.jpg,cat\n";

fn prepare(folder: &Path) {
    for photo in PHOTOS {
        let path = folder.join("photos").join(photo);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, format!("the photo {photo}")).unwrap();
    }
    fs::write(folder.join("labels.csv"), format!("name,label\n{TABLE}")).unwrap();
}

fn sort(folder: &Path, action: SortAction) -> Result<(), String> {
    let table = LabelTable::read(folder.join("labels.csv")).unwrap();
    let (data, out) = (folder.join("photos"), folder.join("out"));
    let plan = SortPlan::new(&table, &SortConfig { data: &data, out: &out, action });
    let sorted = plan.and_then(|plan| plan.carry_out(|_| true));
    sorted.map(drop).map_err(|error| error.to_string())
}

/// Every photo is whole, where it was or in the folder of its class, and nothing else is in a class.
fn assert_no_photo_is_lost(folder: &Path, moment: &str) {
    let whole = |path: PathBuf, photo: &str| {
        fs::read_to_string(path).is_ok_and(|found| found == format!("the photo {photo}"))
    };
    for (photo, class) in PHOTOS.into_iter().zip(["cat", "dog", "cat"]) {
        let places =
            [folder.join("photos").join(photo), folder.join("out").join(class).join(photo)];
        assert!(places.into_iter().any(|place| whole(place, photo)), "{moment}: {photo} is lost");
    }
    for sorted in files(&folder.join("out")) {
        if !sorted.starts_with(UNFINISHED) {
            let (_, photo) = sorted.split_once('/').unwrap();
            assert!(whole(folder.join("out").join(&sorted), photo), "{moment}: {sorted} is torn");
        }
    }
}

#[test]
fn whatever_fails_no_photo_is_lost_and_the_same_command_goes_on() {
    for action in [SortAction::Copy, SortAction::HardLink, SortAction::Move] {
        let count = faults::everywhere(
            prepare,
            |folder| sort(folder, action),
            |after| {
                let moment = format!("{action:?}, {after:?}");
                assert_no_photo_is_lost(after.folder, &moment);
                sort(after.folder, action)
                    .unwrap_or_else(|error| panic!("{moment}, again: {error}"));
                assert_no_photo_is_lost(after.folder, &moment);
                let mut sorted = files(&after.folder.join("out"));
                sorted.retain(|name| !name.starts_with(UNFINISHED));
                assert_eq!(sorted, ["cat/1.jpg", "cat/deep/3.jpg", "dog/2.jpg"], "{moment}");
            },
        );
        assert!(count > 10, "only {count} faults of {action:?}");
    }
}
