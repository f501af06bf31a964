//! Odd images, copies, and those that are set aside.

use axum::extract::{Path, State};
use serde_json::{Value, json};

use super::answer::{Answer, json_of, worked};
use super::item::Item;
use super::routes::Shared;
use crate::background::State as Progress;
use crate::copies::{Copies, Copy};
use crate::exploration::{Exploration, Labelling};

/// The most images in a list.
const MOST: usize = 1000;

/// The images that are least like others, with their mean distance to the nearest.
pub(super) async fn odd(State(exploration): State<Shared>, Path(count): Path<usize>) -> Answer {
    worked(move || {
        let odd = &exploration.preparation.odd;
        let mut rows: Vec<usize> = (0..odd.len()).collect();
        // Of equals the first of the set comes first.
        rows.sort_by(|&a, &b| odd[b].total_cmp(&odd[a]));
        rows.truncate(count.min(MOST));
        let labelling = exploration.labelling();
        let of = |&row: &usize| json!({ "item": Item::new(&exploration, &labelling, row), "distance": odd[row] });
        Ok(json_of(&json!({ "odd": rows.iter().map(of).collect::<Vec<Value>>() })))
    })
    .await
}

/// The images that are set aside.
pub(super) async fn aside(State(exploration): State<Shared>) -> Answer {
    worked(move || {
        let labelling = exploration.labelling();
        let aside = labelling.session.aside();
        let rows = (0..aside.len()).filter(|&row| aside[row]);
        let items: Vec<Item> = rows.map(|row| Item::new(&exploration, &labelling, row)).collect();
        Ok(json_of(&json!({ "aside": items })))
    })
    .await
}

/// Begins to look for copies, and says how far that is.
pub(super) async fn look_for_copies(State(exploration): State<Shared>) -> Answer {
    Copies::look_for(&exploration);
    copies(State(exploration)).await
}

/// How far the search for copies is, and what it found.
pub(super) async fn copies(State(exploration): State<Shared>) -> Answer {
    worked(move || {
        let state = match exploration.copies.state() {
            Progress::NotAsked => json!({ "state": "not asked" }),
            Progress::Working(what, done, of) => {
                json!({ "state": "working", "what": what, "done": done, "of": of })
            }
            Progress::Failed(reason) => json!({ "state": "failed", "reason": reason }),
            Progress::Done(copies) => {
                let labelling = exploration.labelling();
                let groups: Vec<Value> = copies
                    .0
                    .iter()
                    .map(|group| {
                        group.iter().map(|copy| copy_json(&exploration, &labelling, copy)).collect()
                    })
                    .collect();
                json!({ "state": "done", "groups": groups })
            }
        };
        Ok(json_of(&state))
    })
    .await
}

fn copy_json(exploration: &Exploration, labelling: &Labelling, copy: &Copy) -> Value {
    json!({
        "item": Item::new(exploration, labelling, copy.row),
        "relation": copy.relation,
        "likeness": copy.likeness,
        "width": copy.width,
        "height": copy.height,
    })
}
