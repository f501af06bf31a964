//! Odd images, copies, and those that are set aside.

use std::sync::Arc;

use serde_json::{Value, json};

use super::answer::{Response, json_of};
use super::item::Item;
use crate::background::State as Progress;
use crate::copies::{Copies, Copy};
use crate::exploration::{Exploration, Labelling};

/// The most images in a list.
const MOST: usize = 1000;

/// The images that are least like others, with their mean distance to the nearest.
pub(super) fn odd(exploration: &Exploration, count: usize) -> Response {
    let odd = &exploration.preparation.odd;
    let mut rows: Vec<usize> = (0..odd.len()).collect();
    // Of equals the first of the set comes first.
    rows.sort_by(|&a, &b| odd[b].total_cmp(&odd[a]));
    rows.truncate(count.min(MOST));
    let labelling = exploration.labelling();
    let of = |&row: &usize| json!({ "item": Item::new(exploration, &labelling, row), "distance": odd[row] });
    json_of(&json!({ "odd": rows.iter().map(of).collect::<Vec<Value>>() }))
}

/// The images that are set aside.
pub(super) fn aside(exploration: &Exploration) -> Response {
    let labelling = exploration.labelling();
    let aside = labelling.session.aside();
    let rows = (0..aside.len()).filter(|&row| aside[row]);
    let items: Vec<Item> = rows.map(|row| Item::new(exploration, &labelling, row)).collect();
    json_of(&json!({ "aside": items }))
}

/// Begins to look for copies, and says how far that is.
pub(super) fn look_for_copies(exploration: &Arc<Exploration>) -> Response {
    Copies::look_for(exploration);
    copies(exploration)
}

/// How far the search for copies is, and what it found.
pub(super) fn copies(exploration: &Exploration) -> Response {
    let state = match exploration.copies.state() {
        Progress::NotAsked => json!({ "state": "not asked" }),
        Progress::Working(what, done, of) => {
            json!({ "state": "working", "what": what, "done": done, "of": of })
        }
        Progress::Failed(reason) => json!({ "state": "failed", "reason": reason }),
        Progress::Done(copies) => {
            let labelling = exploration.labelling();
            let copy = |copy: &Copy| copy_json(exploration, &labelling, copy);
            let group = |group: &Vec<Copy>| -> Value { group.iter().map(copy).collect() };
            json!({ "state": "done", "groups": copies.0.iter().map(group).collect::<Vec<Value>>() })
        }
    };
    json_of(&state)
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
