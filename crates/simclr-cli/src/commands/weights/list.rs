//! `simclr weights list`.

use serde_json::{Value, json};
use simclr::data::{KnownWeights, known_weights};

use crate::output::Output;
use crate::text_table::TextTable;
use crate::weight_source::normalization;

/// Prints the table.
pub(super) fn print(output: &Output) {
    let head = ["weights", "encoder", "pixels", "MiB", "normalisation", "licence", "learnt from"];
    let mut table = TextTable::new(&head);
    for known in known_weights() {
        table.row([
            known.address.to_owned(),
            known.encoder.to_owned(),
            known.image_size.to_string(),
            format!("{:.1}", known.mebibytes),
            normalization(known).to_string(),
            known.licence.to_owned(),
            known.learnt_from.to_owned(),
        ]);
    }
    output.text(&table.to_string());
    let listed: Vec<Value> = known_weights().iter().map(in_json).collect();
    output.result(&json!({ "weights": listed }));
}

pub(super) fn in_json(known: &KnownWeights) -> Value {
    json!({
        "weights": known.address,
        "encoder": known.encoder,
        "image_size": known.image_size,
        "source": known.source(),
        "licence": known.licence,
        "mebibytes": known.mebibytes,
        "learnt_from": known.learnt_from,
        "normalization": normalization(known).to_string(),
        "mean": known.mean,
        "std": known.std,
    })
}
