//! Labels, and what they teach.

use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{Answer, Response, asked, json_of};
use super::item::Item;
use crate::error::ExploreError;
use crate::exploration::{Exploration, Labelling};
use crate::labels::LabelSession;

/// The most images to label next.
const MOST: usize = 200;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LabelAsked {
    rows: Vec<usize>,
    /// `null` takes labels away.
    class: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AsideAsked {
    rows: Vec<usize>,
    aside: bool,
}

/// Classes, counts, and whether all is saved.
pub(super) fn labels(exploration: &Exploration) -> Response {
    json_of(&summary(&exploration.labelling()))
}

/// Labels images.
pub(super) fn label(exploration: &Exploration, body: &[u8]) -> Answer {
    let LabelAsked { rows, class } = asked(body)?;
    changed(exploration, |session| session.label(&rows, class.as_deref()))
}

/// Sets images aside, or takes them back.
pub(super) fn set_aside(exploration: &Exploration, body: &[u8]) -> Answer {
    let AsideAsked { rows, aside } = asked(body)?;
    changed(exploration, |session| session.set_aside(&rows, aside))
}

/// Takes the last change back.
pub(super) fn undo(exploration: &Exploration) -> Answer {
    changed(exploration, |session| session.undo().map(drop))
}

/// Changes labels, saves them, and says what there is now.
fn changed(
    exploration: &Exploration,
    change: impl FnOnce(&mut LabelSession) -> Result<(), ExploreError>,
) -> Answer {
    let mut labelling = exploration.labelling();
    let done = change(&mut labelling.session);
    labelling.save(&exploration.names);
    done?;
    Ok(json_of(&summary(&labelling)))
}

fn summary(labelling: &Labelling) -> Value {
    let session = &labelling.session;
    let mut counts = vec![0_usize; session.classes().len()];
    session.labels().iter().flatten().for_each(|&class| counts[usize::from(class)] += 1);
    let classes: Vec<Value> = session
        .classes()
        .iter()
        .zip(&counts)
        .map(|(name, count)| json!({ "name": name, "labels": count }))
        .collect();
    json!({
        "revision": session.revision(),
        "classes": classes,
        "labels": counts.iter().sum::<usize>(),
        "aside": session.aside().iter().filter(|aside| **aside).count(),
        "undoable": session.undoable(),
        "guesses": session.guesses().is_some(),
        "unsaved": labelling.saved.unsaved(),
    })
}

/// Images whose labels would teach most.
pub(super) fn next(exploration: &Exploration, count: usize) -> Response {
    let labelling = exploration.labelling();
    let rows = labelling.session.next_to_label(count.min(MOST));
    let items: Vec<Item> =
        rows.iter().map(|&row| Item::new(exploration, &labelling, row)).collect();
    json_of(&json!({ "next": items }))
}

/// How often the labels of this moment tell each other's classes.
pub(super) fn held_out(exploration: &Exploration) -> Answer {
    let (revision, measure) = {
        let labelling = exploration.labelling();
        (labelling.session.revision(), labelling.session.held_out_later())
    };
    let found = measure()?.map(|found| {
        json!({ "right": found.right, "labels": found.labels, "accuracy": found.accuracy(), "together": found.together })
    });
    Ok(json_of(&json!({ "revision": revision, "held_out": found })))
}
