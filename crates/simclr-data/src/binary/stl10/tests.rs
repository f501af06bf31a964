use super::*;

/// Writes a training split of one image per label. All values of image i are i, but its top right corner is red.
fn write_train(dir: &Path, labels: &[u8]) {
    let mut bytes = Vec::new();
    for i in 0..labels.len() {
        let mut image = vec![i as u8; RECORD];
        image[(SIDE - 1) * SIDE] = 255;
        bytes.extend(image);
    }
    fs::write(dir.join("train_X.bin"), bytes).unwrap();
    fs::write(dir.join("train_y.bin"), labels).unwrap();
}

fn message(dir: &Path) -> String {
    Stl10::open(dir, Stl10Split::Train).unwrap_err().to_string()
}

#[test]
fn channels_are_read_column_by_column() {
    let dir = tempfile::tempdir().unwrap();
    write_train(dir.path(), &[1, 10]);
    let train = Stl10::open(dir.path(), Stl10Split::Train).unwrap();
    let image = train.image(1).unwrap();
    assert_eq!(image.dimensions(), (96, 96));
    assert_eq!(image.get_pixel(95, 0).0, [255, 1, 1]);
    assert_eq!(image.get_pixel(0, 95).0, [1, 1, 1]);
    assert_eq!(train.name(1), "train_X.bin[1]");
}

#[test]
fn labels_from_one_become_labels_from_zero() {
    let dir = tempfile::tempdir().unwrap();
    write_train(dir.path(), &[1, 10]);
    let train = Stl10::open(dir.path(), Stl10Split::Train).unwrap();
    assert_eq!((train.label(0), train.label(1), train.label(2)), (Some(0), Some(9), None));
}

#[test]
fn the_unlabelled_split_has_no_labels_at_all() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("unlabeled_X.bin"), vec![0; RECORD]).unwrap();
    let unlabeled = Stl10::open(dir.path(), Stl10Split::Unlabeled).unwrap();
    assert_eq!((unlabeled.len(), unlabeled.label(0), unlabeled.class_names().len()), (1, None, 0));
}

#[test]
fn a_missing_file_is_named() {
    let dir = tempfile::tempdir().unwrap();
    assert!(message(dir.path()).ends_with("train_X.bin, found nothing"));
}

#[test]
fn a_truncated_file_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("train_X.bin"), vec![0; RECORD + 100]).unwrap();
    assert!(
        message(dir.path())
            .ends_with("train_X.bin to be a multiple of 27648 bytes, found 27748 bytes")
    );
}

#[test]
fn an_empty_file_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    write_train(dir.path(), &[]);
    assert!(message(dir.path()).ends_with("found an empty file"));
}

#[test]
fn more_labels_than_images_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    write_train(dir.path(), &[1]);
    fs::write(dir.path().join("train_y.bin"), [1, 2, 3]).unwrap();
    assert!(message(dir.path()).starts_with("expected 1 labels in"));
    assert!(message(dir.path()).ends_with("found 3"));
}

#[test]
fn a_label_out_of_range_is_named_with_its_position() {
    let dir = tempfile::tempdir().unwrap();
    write_train(dir.path(), &[1, 0]);
    assert!(message(dir.path()).starts_with("expected a label in 1..=10 at position 1 of"));
    write_train(dir.path(), &[11, 1]);
    assert!(message(dir.path()).ends_with("train_y.bin, found 11"));
}

#[test]
fn class_names_come_from_the_file_if_there_is_one() {
    let dir = tempfile::tempdir().unwrap();
    write_train(dir.path(), &[1]);
    fs::write(dir.path().join("class_names.txt"), "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n").unwrap();
    assert_eq!(Stl10::open(dir.path(), Stl10Split::Train).unwrap().class_names()[9], "j");
    fs::write(dir.path().join("class_names.txt"), "a\nb\n").unwrap();
    assert!(message(dir.path()).ends_with("found 2"));
}

#[test]
fn folds_are_ten_lines_of_indices_of_training_images() {
    let dir = tempfile::tempdir().unwrap();
    write_train(dir.path(), &[1, 2, 3]);
    let path = dir.path().join("fold_indices.txt");
    fs::write(&path, "0 2 \n".repeat(10)).unwrap();
    assert_eq!(Stl10::folds(dir.path()).unwrap(), vec![vec![0, 2]; 10]);
    fs::write(&path, "0 2\n".repeat(9)).unwrap();
    assert!(matches!(Stl10::folds(dir.path()), Err(DataError::FoldCount { found: 9, .. })));
    fs::write(&path, "0\n1\n3\n").unwrap();
    let message = Stl10::folds(dir.path()).unwrap_err().to_string();
    assert!(message.starts_with("expected indices below 3 on line 3 of"), "{message}");
}
