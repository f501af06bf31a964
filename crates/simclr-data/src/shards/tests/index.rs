//! Tables that are kept in index files.

use std::{
    fs::{self, File},
    time::{Duration, SystemTime},
};

use super::support::{Folder, png, rows};
use crate::{
    ImageDataset, Opening, Splits,
    index_file::{IndexKind, TableWriter},
    shards::{Shards, columns::Columns},
};

fn folder() -> Folder {
    let folder = Folder::new();
    for (number, split) in ["train-0", "train-1", "val-0"].into_iter().enumerate() {
        let number = number as u8;
        let members = [("dog/1.png", png(number)), ("emu/1.png", png(10 + number))];
        folder.shard(&format!("shards/{split}.tar"), members);
    }
    folder
}

fn open(folder: &Folder) -> Shards {
    let index = Some(folder.path("run.index"));
    Shards::open_with(folder.path("shards"), &Opening { index, ..Opening::default() }).unwrap()
}

#[test]
fn an_index_tells_the_same_as_the_shards() {
    let folder = folder();
    let by_headers = open(&folder);
    assert!(!by_headers.is_from_index() && by_headers.warnings().is_empty());
    by_headers.write_index(folder.path("run.index")).unwrap();
    let by_index = open(&folder);
    assert!(by_index.is_from_index() && by_index.warnings().is_empty());
    assert_eq!(rows(&by_index), rows(&by_headers));
    assert_eq!(by_index.class_names(), by_headers.class_names());
    assert!(by_index.splits().eq(by_headers.splits()));
    // The folder may be elsewhere the next time.
    fs::rename(folder.path("shards"), folder.path("moved")).unwrap();
    let opening = Opening { index: Some(folder.path("run.index")), ..Opening::default() };
    let moved = Shards::open_with(folder.path("moved"), &opening).unwrap();
    assert!(moved.is_from_index());
    assert_eq!(rows(&moved), rows(&by_headers));
}

#[test]
fn splits_have_an_index_to_keep_unless_they_came_from_one() {
    let folder = folder();
    let path = folder.path("run.index");
    let opening = Opening { index: Some(path.clone()), ..Opening::default() };
    let splits = Splits::open_with(folder.path("shards"), &opening).unwrap();
    splits.index.unwrap().write(&path).unwrap();
    let again = Splits::open_with(folder.path("shards"), &opening).unwrap();
    assert!(again.index.is_none());
    assert_eq!(again.description, splits.description);
    assert_eq!(again.pretrain.name(3), splits.pretrain.name(3));
}

#[test]
fn an_index_of_other_shards_is_not_used_and_the_reason_is_said() {
    let folder = folder();
    let reason = || {
        let shards = open(&folder);
        assert!(!shards.is_from_index());
        shards.warnings().concat()
    };
    open(&folder).write_index(folder.path("run.index")).unwrap();
    let shard = folder.path("shards/train-1.tar");
    let file = File::options().write(true).open(&shard).unwrap();
    let before = file.metadata().unwrap().modified().unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(7)).unwrap();
    assert!(reason().contains("train-1.tar has changed"), "{}", reason());
    file.set_modified(before).unwrap();
    assert!(open(&folder).is_from_index());
    file.set_len(4096 + 512).unwrap();
    file.set_modified(before).unwrap();
    assert!(reason().contains("train-1.tar has changed"));
    fs::rename(shard, folder.path("shards/train-2.tar")).unwrap();
    assert!(reason().contains("it is of train-1.tar train, and there is train-2.tar train"));
    fs::remove_file(folder.path("shards/train-2.tar")).unwrap();
    assert!(reason().contains("it is of 3 shards, and there are 2"));
}

#[test]
fn a_damaged_index_is_not_used() {
    let folder = folder();
    let index = folder.path("run.index");
    open(&folder).write_index(&index).unwrap();
    let whole = fs::read(&index).unwrap();
    for at in (0..whole.len()).step_by(7) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0xff;
        fs::write(&index, &bytes).unwrap();
        let shards = open(&folder);
        assert!(!shards.is_from_index() && shards.warnings().len() == 1, "byte {at}");
        fs::write(&index, &whole[..at]).unwrap();
        assert!(!open(&folder).is_from_index(), "cut off at {at}");
    }
    fs::write(&index, whole).unwrap();
    assert!(open(&folder).is_from_index());
}

#[test]
fn an_index_that_was_made_to_harm_does_none() {
    let folder = folder();
    let index = folder.path("run.index");
    let shards = open(&folder);
    let kind = IndexKind { name: b"shards\0\0", version: 1 };
    // What the table says after its shards, which are true.
    let write = |change: &dyn Fn(&mut Vec<u64>, &mut Columns)| {
        let table = &shards.0.table;
        let mut writer = TableWriter::new();
        writer.u64(3);
        for (shard, name) in
            table.shards.iter().zip(["train-0.tar train", "train-1.tar train", "val-0.tar val"])
        {
            writer.bytes(name.as_bytes());
            writer.u64(shard.stamp.len);
            writer.u64(shard.stamp.modified.cast_unsigned());
        }
        let (mut ends, mut images) = (table.ends.clone(), table.images.clone());
        change(&mut ends, &mut images);
        writer.u64s(&ends);
        writer.texts(&table.class_names);
        writer.texts(&table.split_names);
        writer.texts(&[]);
        images.write(&mut writer);
        kind.write(&index, writer).unwrap();
        open(&folder)
    };
    assert!(write(&|_, _| {}).is_from_index(), "the test writes what is read");
    assert!(!write(&|ends, _| ends[2] = 7).is_from_index());
    assert!(!write(&|ends, _| ends[0] = 3).is_from_index() || open(&folder).len() == 6);
    assert!(!write(&|ends, _| ends.swap(0, 2)).is_from_index());
    assert!(!write(&|_, images| images.labels[0] = 9).is_from_index());
    assert!(!write(&|_, images| images.offsets.truncate(5)).is_from_index());
    // Places that no shard has are errors of the images.
    let shards = write(&|_, Columns { offsets, lengths, .. }| {
        offsets[..4].copy_from_slice(&[u64::MAX, 0, 511, 1 << 40]);
        lengths[4] = u32::MAX;
        offsets[5] = 1537;
    });
    assert!(shards.is_from_index());
    for index in 0..6 {
        assert!(shards.image(index).is_err(), "image {index}");
    }
}
