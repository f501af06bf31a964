//! Reads any bytes as a table of labels, and plans to sort photos by it. The result is a plan that stays inside its folders, or an error.

#![no_main]

use libfuzzer_sys::fuzz_target;
use simclr_data::{LabelTable, SortAction, SortConfig, SortPlan};
use simclr_fuzz::folder_with;

fuzz_target!(|bytes: &[u8]| {
    let folder = folder_with(&[
        ("labels.csv", bytes),
        ("photos/1.jpg", &b"one"[..]),
        ("photos/deep/2.jpg", &b"two"[..]),
    ]);
    let (data, out) = (folder.path().join("photos"), folder.path().join("out"));
    let Ok(table) = LabelTable::read(folder.path().join("labels.csv")) else { return };
    let config = SortConfig { data: &data, out: &out, action: SortAction::Copy };
    let Ok(plan) = SortPlan::new(&table, &config) else { return };
    for step in plan.steps() {
        assert!(step.from.starts_with(&data) && step.to.starts_with(&out), "{step:?}");
    }
    if plan.carry_out(|_| true).is_ok() {
        let outside = folder.path().read_dir().expect("the folder").count();
        assert!(outside <= 3, "expected labels.csv, photos and out, found {outside} entries");
    }
});
